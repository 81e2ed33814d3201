import { sha256Base64 } from '#core/digest.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { type RateLimiter, rateLimiter } from '#http/rate-limit.ts'
import { sendToDevice } from '#schema/client/to-device.ts'
import { type DeviceId, deviceIdOf, isUserId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { MatrixError, tooLarge } from '#schema/matrix-error.ts'
import { findDevice, listDeviceIds } from '#store/devices.ts'

/** The content of one message, as JSON. */
export const MESSAGE_LIMIT_BYTES = 65_536
/** Requests whose transaction ids are kept at hand; the devices themselves remember what they were sent. */
export const RECENT_REQUESTS = 10_000

export const toDevicePage = (server: Homeserver) => {
  const keyRequests = rateLimiter(server.config.rc.keyRequests, server.clock.now)
  const recent = new Map<string, Promise<void>>()
  return page().put(
    '/_matrix/client/v3/sendToDevice/:eventType/:txnId',
    signedIn(server, sendToDevice, async ({ params: { eventType, txnId }, body, requester, cause }) => {
      const name = nameOf(server, requester, eventType, txnId)
      const sent = recent.get(name)
      if (sent) {
        await sent
        return {}
      }
      const messages = eventType === 'm.room_key_request' ? permitted(keyRequests, requester, body.messages) : body.messages
      const letters = lettersOf(server, requester.userId, eventType, messages)
      const sending = deliver(server, letters, sha256Base64(name), cause)
      remember(recent, name, sending)
      await sending
      return {}
    }),
  )
}

/** Names a request to the devices that it is for. A device that has come back under its old id begins anew. */
function nameOf(server: Homeserver, { userId, deviceId }: Requester, eventType: string, txnId: string): string {
  const since = deviceId === null ? null : findDevice(server.store, userId, deviceId)?.createdTs
  return `${userId} ${deviceId} ${since} ${eventType} ${txnId}`
}

type Messages = Readonly<Record<string, Readonly<Record<string, object>>>>

/**
 * Requests for room keys that `rc_key_requests` lets through: each user who is asked counts, the sender's own devices do
 * not. The others are dropped without a word, as the reference server does: a client would only repeat them.
 */
function permitted(keyRequests: RateLimiter, { userId, deviceId }: Requester, messages: Messages): Messages {
  const isLetThrough = (asked: string): boolean => asked === userId || isTaken(keyRequests, `${userId} ${deviceId}`)
  return Object.fromEntries(Object.entries(messages).filter(([asked]) => isLetThrough(asked)))
}

function isTaken(limiter: RateLimiter, key: string): boolean {
  try {
    limiter.take(key)
    return true
  } catch (error) {
    if (error instanceof MatrixError) return false
    throw error
  }
}

type Letter = Readonly<{ userId: UserId; deviceId: DeviceId; json: string }>

/** One for each device of ours that is there. */
function lettersOf(
  server: Homeserver,
  sender: UserId,
  type: string,
  messages: Messages,
): Letter[] {
  return Object.entries(messages).flatMap(([userId, byDevice]) => {
    if (!isUserId(userId) || serverNameOf(userId) !== server.serverName) return []
    const { '*': toAll, ...toSome } = byDevice
    const letters = new Map<DeviceId, object>()
    if (toAll) for (const deviceId of listDeviceIds(server.store, userId)) letters.set(deviceId, toAll)
    for (const [deviceId, content] of Object.entries(toSome)) letters.set(deviceIdOf(deviceId), content)
    return [...letters]
      .filter(([deviceId]) => toAll !== undefined || findDevice(server.store, userId, deviceId) !== undefined)
      .map(([deviceId, content]) => ({ userId, deviceId, json: print(content, sender, type) }))
  })
}

function print(content: object, sender: UserId, type: string): string {
  const text = JSON.stringify(content)
  if (Buffer.byteLength(text) > MESSAGE_LIMIT_BYTES)
    throw tooLarge(`A message to a device may have at most ${MESSAGE_LIMIT_BYTES} bytes`)
  return `{"content":${text},"sender":${JSON.stringify(sender)},"type":${JSON.stringify(type)}}`
}

/** Resolves when every message is on disk: only then is the sender told, who sends again otherwise. */
async function deliver(
  server: Homeserver,
  letters: readonly Letter[],
  messageId: string,
  cause: string,
): Promise<void> {
  await Promise.all(
    letters.map(({ userId, deviceId, json }) =>
      server.device(userId, deviceId).ask({ kind: 'queueToDevice', messageId, json }, cause),
    ),
  )
}

/** A request that failed may be tried again under its name. */
function remember(recent: Map<string, Promise<void>>, name: string, sending: Promise<void>): void {
  recent.set(name, sending)
  sending.catch(() => recent.delete(name))
  if (recent.size <= RECENT_REQUESTS) return
  for (const oldest of recent.keys()) return void recent.delete(oldest)
}
