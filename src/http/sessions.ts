import type { Lifetimes } from '#actors/device/login.ts'
import { SEEN_MOVED_MS } from '#actors/device/devices.ts'
import type { Homeserver } from '#homeserver'
import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { Session } from '#store/access-tokens.ts'
import { listDeviceIds } from '#store/devices.ts'
import { findUser } from '#store/users.ts'
import { refuseWhileClosed } from './closing.ts'
import { connectionOf } from './connection.ts'
import { noteMonthlyUse, refuseBeyondLimit } from './monthly-users.ts'
import { perServer } from './per-server.ts'
import { noteLogin } from './uia.ts'

export type NewLogin = Readonly<{
  userId: UserId
  /** The device to log in on; null or empty: a new one. */
  deviceId?: string | null | undefined
  /** The name of a new device. */
  displayName?: string | null | undefined
  /** The client can refresh its tokens. */
  isRefreshable?: boolean | undefined
  request: Request
  cause: string
}>

/** What a client gets that has logged in or registered. spec: client-server-api#post_matrixclientv3login */
export type LoggedIn = Readonly<{
  user_id: UserId
  access_token: string
  device_id: DeviceId
  refresh_token?: string
  expires_in_ms?: number
  /** The spec has no use for it any more, but clients of old days ask for it. */
  home_server: string
}>

/** Starts a session. Whoever held one on this device before is logged out. */
export async function logIn(server: Homeserver, login: NewLogin): Promise<LoggedIn> {
  const { userId, request, cause } = login
  refuseWhileClosed(server, { isAdmin: findUser(server.store, userId)?.isAdmin ?? false })
  refuseBeyondLimit(server, userId)
  const deviceId = deviceIdOf(login.deviceId || newDeviceId())
  const isRefreshable = login.isRefreshable ?? false
  const tokens = await server.device(userId, deviceId).ask(
    {
      kind: 'startSession',
      displayName: login.displayName ?? null,
      isRefreshable,
      lifetimes: lifetimesOf(server, isRefreshable),
      ipAddress: connectionOf(request).address,
      userAgent: request.headers.get('user-agent'),
    },
    cause,
  )
  noteLogin(server, userId, deviceId)
  const { accessToken, refreshToken, expiresInMs } = tokens
  return {
    user_id: userId,
    access_token: accessToken,
    device_id: deviceId,
    ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
    ...(expiresInMs === null ? {} : { expires_in_ms: expiresInMs }),
    home_server: server.serverName,
  }
}

export const lifetimesOf = ({ config }: Homeserver, isRefreshable: boolean): Lifetimes => ({
  accessMs: isRefreshable ? config.refreshableAccessTokenLifetime : config.nonrefreshableAccessTokenLifetime,
  refreshMs: isRefreshable ? config.refreshTokenLifetime : null,
  sessionMs: config.sessionLifetime,
})

const DEVICE_ID_LENGTH = 10

/** Ten capital letters: 47 bits, and people can read them to each other. */
export function newDeviceId(): string {
  const bytes = crypto.getRandomValues(new Uint16Array(DEVICE_ID_LENGTH))
  return String.fromCharCode(...bytes.map((value) => 0x41 + (value % 26)))
}

/** Logs out everywhere, but for one device if one is named. */
export async function endSessions(
  server: Homeserver,
  userId: UserId,
  cause: string,
  except?: DeviceId | null,
): Promise<void> {
  const others = listDeviceIds(server.store, userId).filter((deviceId) => deviceId !== except)
  await Promise.all(others.map((deviceId) => server.device(userId, deviceId).ask({ kind: 'endSession' }, cause)))
}

/** Devices whose last use is remembered, so that not each request tells the actor. */
const NOTICED_LIMIT = 50_000
const noticedUntil = perServer(() => new Map<string, number>())

/**
 * To be called when a session is used: the first use of a refreshed token makes the tokens before it void, and now and
 * then it is recorded from where a device is used. Costs a look into a map.
 */
export function noteUse(server: Homeserver, session: Session, token: string, request: Request): void {
  const { userId, deviceId, isNew } = session
  noteMonthlyUse(server, session)
  if (deviceId === null) return
  if (isNew) server.device(userId, deviceId).tell({ kind: 'confirmSession', accessToken: token }, server.mintCause())
  const noticed = noticedUntil(server)
  const key = `${userId}/${deviceId}`
  const now = server.clock.now()
  if ((noticed.get(key) ?? 0) > now) return
  if (noticed.size >= NOTICED_LIMIT) noticed.clear()
  noticed.set(key, now + SEEN_MOVED_MS)
  const { address } = connectionOf(request)
  server.device(userId, deviceId).tell(
    { kind: 'noticeDevice', ipAddress: address, userAgent: request.headers.get('user-agent') },
    server.mintCause(),
  )
}
