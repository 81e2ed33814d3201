import type { UserId } from '#schema/identifiers.ts'

/** What a device remembers of its keys and of the messages that wait for it; the bodies of both are in the store. */

/** Handed-out keys that are remembered, so that an upload that is repeated does not bring them back. */
export const REMEMBERED_CLAIMS = 1_000
/** Acknowledged messages that are remembered, so that a request that is repeated does not bring them back. */
export const REMEMBERED_MESSAGES = 500

export type Fallback = { keyId: string; digest: string; isUsed: boolean }
export type Waiting = Readonly<{ position: number; sender: UserId; bytes: number; ts: number }>
export type Share = Readonly<{ count: number; bytes: number }>

export type DeviceEncryption = {
  identity: { digest: string; ed25519: string | null } | undefined
  /** Digests by key id, oldest first, by algorithm; an algorithm that was there once stays. */
  oneTimeKeys: Map<string, Map<string, string>>
  /** Digests of keys that were handed out, by `keyNameOf`, oldest first. */
  claimed: Map<string, string>
  /** By algorithm. */
  fallbacks: Map<string, Fallback>
  /** By message id, oldest first. */
  waiting: Map<string, Waiting>
  /** What of it is whose. */
  shares: Map<UserId, Share>
  waitingBytes: number
  /** Message ids, oldest first. */
  acknowledged: Set<string>
  /** The device has acknowledged everything up to this position. */
  seenUpTo: number
}

export const noEncryption = (): DeviceEncryption => ({
  identity: undefined,
  oneTimeKeys: new Map(),
  claimed: new Map(),
  fallbacks: new Map(),
  waiting: new Map(),
  shares: new Map(),
  waitingBytes: 0,
  acknowledged: new Set(),
  seenUpTo: 0,
})

/** Adds to what a sender has waiting, or takes from it. */
export function addShare(shares: Map<UserId, Share>, { sender, bytes }: Pick<Waiting, 'sender' | 'bytes'>, sign: 1 | -1): void {
  const before = shares.get(sender) ?? { count: 0, bytes: 0 }
  const after = { count: before.count + sign, bytes: before.bytes + sign * bytes }
  if (after.count > 0) shares.set(sender, after)
  else shares.delete(sender)
}

function sharesOf(waiting: readonly Waiting[]): Map<UserId, Share> {
  const shares = new Map<UserId, Share>()
  for (const one of waiting) addShare(shares, one, 1)
  return shares
}

export const keyNameOf = (algorithm: string, keyId: string): string => `${algorithm}:${keyId}`

export type FrozenEncryption = Readonly<{
  identity: DeviceEncryption['identity'] | null
  oneTimeKeys: readonly (readonly [string, readonly (readonly [string, string])[]])[]
  claimed: readonly (readonly [string, string])[]
  fallbacks: readonly (readonly [string, Fallback])[]
  waiting: readonly (readonly [string, Waiting])[]
  acknowledged: readonly string[]
  seenUpTo: number
}>

export const freezeEncryption = (encryption: DeviceEncryption): FrozenEncryption => ({
  identity: encryption.identity ?? null,
  oneTimeKeys: [...encryption.oneTimeKeys].map(([algorithm, keys]) => [algorithm, [...keys]]),
  claimed: [...encryption.claimed],
  fallbacks: [...encryption.fallbacks].map(([algorithm, fallback]) => [algorithm, { ...fallback }]),
  waiting: [...encryption.waiting],
  acknowledged: [...encryption.acknowledged],
  seenUpTo: encryption.seenUpTo,
})

export const thawEncryption = (frozen: FrozenEncryption): DeviceEncryption => ({
  identity: frozen.identity ?? undefined,
  oneTimeKeys: new Map(frozen.oneTimeKeys.map(([algorithm, keys]) => [algorithm, new Map(keys)])),
  claimed: new Map(frozen.claimed),
  fallbacks: new Map(frozen.fallbacks),
  waiting: new Map(frozen.waiting),
  shares: sharesOf(frozen.waiting.map(([, waiting]) => waiting)),
  waitingBytes: frozen.waiting.reduce((sum, [, { bytes }]) => sum + bytes, 0),
  acknowledged: new Set(frozen.acknowledged),
  seenUpTo: frozen.seenUpTo,
})
