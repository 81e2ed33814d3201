import { ringUsers } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { firstCharacters } from '#core/characters.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { DeviceFact, Tokens } from '#schema/journal/device.ts'
import { unknownToken } from '#schema/matrix-error.ts'
import { DEVICE_NAME_LIMIT } from './devices.ts'
import type { DeviceApply, DeviceDecide } from './memory.ts'

/** How long tokens last, in milliseconds; null: for ever. */
export type Lifetimes = Readonly<{
  accessMs: number | null
  /** A refresh token that is not used for so long is void. */
  refreshMs: number | null
  /** The whole login, however often it is refreshed. */
  sessionMs: number | null
}>

export type SessionTokens = Readonly<{ accessToken: string; refreshToken: string | null; expiresInMs: number | null }>

export type LoginCommand =
  /**
   * Makes the device unless it is there; `displayName` counts for new devices only.
   * spec: client-server-api#post_matrixclientv3login
   */
  | Command<'startSession', {
      displayName: string | null
      isRefreshable: boolean
      lifetimes: Lifetimes
      ipAddress: string | null
      userAgent: string | null
    }, SessionTokens>
  /** spec: client-server-api#post_matrixclientv3refresh */
  | Command<'refreshSession', { refreshToken: string; lifetimes: Lifetimes }, SessionTokens>
  /** The access token of a refresh was used. */
  | Command<'confirmSession', { accessToken: string }>

type LoginFact = OfKind<DeviceFact, 'sessionStarted' | 'sessionRefreshed' | 'sessionConfirmed'>

export const decide = {
  startSession(device, { displayName, isRefreshable, lifetimes, ipAddress, userAgent }, { now, nonce }) {
    const { userId, deviceId } = device
    const endsTs = after(now, lifetimes.sessionMs)
    const { tokens, reply } = issue(nonce, now, lifetimes, { isRefreshable, endsTs })
    // Nobody is kept out because a client says much about itself.
    const name = device.isThere ? device.displayName : displayName && firstCharacters(displayName, DEVICE_NAME_LIMIT)
    const started: LoginFact = {
      kind: 'sessionStarted', userId, deviceId, displayName: name, tokens, endsTs, ts: now, ipAddress, userAgent,
    }
    // A new device is news for everyone who encrypts for the user.
    return { facts: [started], effects: device.isThere ? [] : [ringUsers([userId], 'device-lists')], reply }
  },

  refreshSession(device, { refreshToken, lifetimes }, { now, nonce }) {
    const { userId, deviceId, endsTs } = device
    const refreshHash = sha256Base64(refreshToken)
    // A client that lost the answer to its refresh comes again with the old token.
    const used = [device.tokens, device.previous].find((each) => each?.refreshHash === refreshHash)
    if (!used) return { refuse: unknownToken('Unknown refresh token: log in again', { soft_logout: false }) }
    if (isPast(used.refreshExpiresTs, now) || isPast(endsTs, now))
      return { refuse: unknownToken('This refresh token has expired: log in again', { soft_logout: true }) }
    const { tokens, reply } = issue(nonce, now, lifetimes, { isRefreshable: true, endsTs })
    return { facts: [{ kind: 'sessionRefreshed', userId, deviceId, tokens, previous: used }], reply }
  },

  confirmSession({ userId, deviceId, tokens, previous }, { accessToken }) {
    if (!previous || tokens?.accessHash !== sha256Base64(accessToken)) return { reply: undefined }
    return { facts: [{ kind: 'sessionConfirmed', userId, deviceId, tokens }], reply: undefined }
  },
} satisfies DeviceDecide<LoginCommand, LoginFact>

export const apply = {
  sessionStarted(device, { displayName, tokens, endsTs, ts, ipAddress, userAgent }) {
    const seen = { ts, ipAddress, userAgent }
    Object.assign(device, { isThere: true, displayName, tokens, previous: undefined, endsTs, seen })
  },
  sessionRefreshed(device, { tokens, previous }) {
    Object.assign(device, { tokens, previous })
  },
  sessionConfirmed(device) {
    device.previous = undefined
  },
} satisfies DeviceApply<LoginFact>

type Terms = Readonly<{ isRefreshable: boolean; endsTs: number | null }>

/** One nonce makes both tokens, by way of a hash: who knows one of them cannot tell the other. */
function issue(nonce: string, now: number, lifetimes: Lifetimes, { isRefreshable, endsTs }: Terms) {
  const accessToken = `wrn_${sha256Base64(`access ${nonce}`, true)}`
  const refreshToken = isRefreshable ? `wrr_${sha256Base64(`refresh ${nonce}`, true)}` : null
  const accessExpiresTs = earlier(after(now, lifetimes.accessMs), endsTs)
  const tokens: Tokens = {
    accessHash: sha256Base64(accessToken),
    accessExpiresTs,
    refreshHash: refreshToken === null ? null : sha256Base64(refreshToken),
    refreshExpiresTs: refreshToken === null ? null : earlier(after(now, lifetimes.refreshMs), endsTs),
  }
  const expiresInMs = accessExpiresTs === null ? null : accessExpiresTs - now
  return { tokens, reply: { accessToken, refreshToken, expiresInMs } }
}

const after = (now: number, ms: number | null): number | null => (ms === null ? null : now + ms)

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other)

const isPast = (ts: number | null, now: number): boolean => ts !== null && ts <= now
