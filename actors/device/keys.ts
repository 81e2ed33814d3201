import { ringUsers } from '#actors/effects.ts'
import type { Command } from '#actors/kernel/actor.ts'
import type { DeviceKeysFact, DeviceKeysUploaded, PublishedKey } from '#schema/journal/device-keys.ts'
import { invalidParam, MatrixError, notFound } from '#schema/matrix-error.ts'
import { type DeviceEncryption, keyNameOf, noEncryption, REMEMBERED_CLAIMS } from './encryption.ts'
import type { Device, DeviceApply, DeviceDecide } from './memory.ts'

/** One-time keys that wait to be claimed, over all algorithms; clients keep about a hundred there. */
export const ONE_TIME_KEYS_PER_DEVICE = 1_000
/** Algorithms of one-time and fallback keys that one device may ever have used. */
export const ALGORITHMS_PER_DEVICE = 20

/** By algorithm: also zero, of every algorithm that the device ever had. */
export type OneTimeKeyCounts = Readonly<Record<string, number>>

export type KeysCommand =
  /**
   * Signatures and curve points are verified by whoever asks; `signedBy` is the device's key by which the one-time and
   * fallback keys were found to be signed, null where none of them needs it.
   * spec: client-server-api#post_matrixclientv3keysupload
   */
  | Command<
      'uploadKeys',
      {
        deviceKeys: Readonly<{ json: string; digest: string; ed25519: string | null }> | null
        oneTimeKeys: readonly PublishedKey[]
        fallbackKeys: readonly PublishedKey[]
        signedBy: string | null
      },
      { oneTimeKeyCounts: OneTimeKeyCounts }
    >
  /** The oldest one-time key, else the fallback key; null when there is neither. spec: client-server-api#post_matrixclientv3keysclaim */
  | Command<'claimKey', { algorithm: string }, { keyId: string; isFallback: boolean } | null>
  /**
   * What was handed out is not known any more: the device starts over with its one-time keys, and is asked for another
   * fallback key; the one that is there serves until it comes.
   */
  | Command<'dropOneTimeKeys'>
  /** A backup was put back: the same, and whoever encrypts for the device looks at its keys again. */
  | Command<'noticeRestore'>

export const decide = {
  uploadKeys(device, { deviceKeys, oneTimeKeys, fallbackKeys, signedBy }) {
    const { userId, deviceId, isThere, encryption } = device
    if (!isThere) return { refuse: notFound('This device is not there any more') }
    const isChanged = deviceKeys !== null && deviceKeys.digest !== encryption.identity?.digest
    const identity = deviceKeys ?? encryption.identity
    if (signedBy !== null && identity?.ed25519 !== signedBy)
      return { refuse: invalidParam('The keys are not signed by the key of this device') }
    const isVoided = deviceKeys !== null && voids(encryption, deviceKeys.ed25519)
    const kept = isVoided ? { ...noEncryption(), claimed: encryption.claimed } : encryption
    const fresh = freshOneTimeKeys(kept, oneTimeKeys)
    if (fresh instanceof MatrixError) return { refuse: fresh }
    const fallbacks = fallbackKeys.filter(({ algorithm, keyId, digest }) => {
      const known = kept.fallbacks.get(algorithm)
      return known?.keyId !== keyId || known.digest !== digest
    })
    const why = whyTooMany(kept, fresh, fallbacks)
    if (why) return { refuse: why }
    const facts: DeviceKeysFact[] = [
      ...(isChanged ? [{ kind: 'deviceKeysUploaded', userId, deviceId, ...deviceKeys } as const] : []),
      ...(fresh.length > 0 ? [{ kind: 'oneTimeKeysUploaded', userId, deviceId, keys: fresh } as const] : []),
      ...(fallbacks.length > 0
        ? [{ kind: 'fallbackKeysUploaded', userId, deviceId, keys: fallbacks } as const]
        : []),
    ]
    return {
      facts,
      effects: isChanged ? [ringUsers([userId], 'device-lists')] : [],
      reply: { oneTimeKeyCounts: countsWith(encryption, kept, fresh) },
    }
  },

  claimKey({ userId, deviceId, encryption }, { algorithm }) {
    const [keyId] = encryption.oneTimeKeys.get(algorithm)?.keys() ?? []
    if (keyId !== undefined)
      return {
        facts: [{ kind: 'oneTimeKeyClaimed', userId, deviceId, algorithm, keyId }],
        reply: { keyId, isFallback: false },
      }
    const fallback = encryption.fallbacks.get(algorithm)
    if (!fallback) return { reply: null }
    const reply = { keyId: fallback.keyId, isFallback: true }
    return fallback.isUsed
      ? { reply }
      : { facts: [{ kind: 'fallbackKeyUsed', userId, deviceId, algorithm }], reply }
  },

  dropOneTimeKeys: (device) => ({ facts: startOver(device), reply: undefined }),

  noticeRestore(device) {
    const { userId, deviceId, encryption } = device
    if (!encryption.identity) return { facts: startOver(device), reply: undefined }
    return { facts: [...startOver(device), { kind: 'deviceKeysDoubted', userId, deviceId }], reply: undefined }
  },
} satisfies DeviceDecide<KeysCommand, DeviceKeysFact>

export const apply = {
  deviceKeysUploaded({ encryption }, { digest, ed25519 }) {
    if (voids(encryption, ed25519)) {
      encryption.fallbacks.clear()
      dropOneTimeKeys(encryption)
    }
    encryption.identity = { digest, ed25519 }
  },
  oneTimeKeysUploaded({ encryption }, { keys }) {
    for (const { algorithm, keyId, digest } of keys) {
      const known = encryption.oneTimeKeys.get(algorithm)
      if (known) known.set(keyId, digest)
      else encryption.oneTimeKeys.set(algorithm, new Map([[keyId, digest]]))
    }
  },
  oneTimeKeyClaimed({ encryption }, { algorithm, keyId }) {
    const keys = encryption.oneTimeKeys.get(algorithm)
    const digest = keys?.get(keyId)
    keys?.delete(keyId)
    if (digest !== undefined) rememberClaimed(encryption, keyNameOf(algorithm, keyId), digest)
  },
  oneTimeKeysDropped: ({ encryption }) => dropOneTimeKeys(encryption),
  // The keys are what they were; readers are told.
  deviceKeysDoubted() {},
  fallbackKeysUploaded({ encryption }, { keys }) {
    for (const { algorithm, keyId, digest } of keys)
      encryption.fallbacks.set(algorithm, { keyId, digest, isUsed: false })
  },
  fallbackKeyUsed({ encryption }, { algorithm }) {
    const fallback = encryption.fallbacks.get(algorithm)
    if (fallback) fallback.isUsed = true
  },
} satisfies DeviceApply<DeviceKeysFact>

function startOver({ userId, deviceId, encryption }: Device): DeviceKeysFact[] {
  const { oneTimeKeys, fallbacks } = encryption
  const isEmpty = [...oneTimeKeys.values()].every(({ size }) => size === 0)
  const unused = [...fallbacks].filter(([, { isUsed }]) => !isUsed)
  return [
    ...(isEmpty ? [] : [{ kind: 'oneTimeKeysDropped', userId, deviceId } as const]),
    ...unused.map(([algorithm]) => ({ kind: 'fallbackKeyUsed', userId, deviceId, algorithm }) as const),
  ]
}

/** Whether new identity keys make the one-time keys void: nobody could verify them any more. */
const voids = ({ identity }: DeviceEncryption, ed25519: DeviceKeysUploaded['ed25519']): boolean =>
  identity !== undefined && identity.ed25519 !== ed25519

/** What is repeated is left out; of two keys under one id the first stays. */
function freshOneTimeKeys(
  { oneTimeKeys, claimed }: DeviceEncryption,
  uploaded: readonly PublishedKey[],
): PublishedKey[] | MatrixError {
  const fresh: PublishedKey[] = []
  for (const key of uploaded) {
    const name = keyNameOf(key.algorithm, key.keyId)
    const known = oneTimeKeys.get(key.algorithm)?.get(key.keyId)
    // Clients of the Rust SDK know this error by its words.
    if (known !== undefined && known !== key.digest)
      return new MatrixError(400, 'M_INVALID_PARAM', `One time key ${name} already exists and is another key`)
    if (known === undefined && claimed.get(name) !== key.digest) fresh.push(key)
  }
  return fresh
}

function whyTooMany(
  kept: DeviceEncryption,
  fresh: readonly PublishedKey[],
  fallbacks: readonly PublishedKey[],
): MatrixError | undefined {
  const waiting = [...kept.oneTimeKeys.values()].reduce((sum, { size }) => sum + size, 0)
  if (waiting + fresh.length > ONE_TIME_KEYS_PER_DEVICE)
    return invalidParam(`A device may have at most ${ONE_TIME_KEYS_PER_DEVICE} one-time keys waiting`)
  const algorithms = new Set([
    ...kept.oneTimeKeys.keys(),
    ...kept.fallbacks.keys(),
    ...[...fresh, ...fallbacks].map(({ algorithm }) => algorithm),
  ])
  return algorithms.size > ALGORITHMS_PER_DEVICE
    ? invalidParam(`A device may have keys of at most ${ALGORITHMS_PER_DEVICE} algorithms`)
    : undefined
}

/** `kept` is what is left of `before` when the fresh keys come in. */
function countsWith(
  before: DeviceEncryption,
  kept: DeviceEncryption,
  fresh: readonly PublishedKey[],
): OneTimeKeyCounts {
  const counts = new Map<string, number>([['signed_curve25519', 0]])
  for (const algorithm of before.oneTimeKeys.keys())
    counts.set(algorithm, kept.oneTimeKeys.get(algorithm)?.size ?? 0)
  for (const { algorithm } of fresh) counts.set(algorithm, (counts.get(algorithm) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function dropOneTimeKeys(encryption: DeviceEncryption): void {
  for (const [algorithm, keys] of encryption.oneTimeKeys) {
    for (const [keyId, digest] of keys) rememberClaimed(encryption, keyNameOf(algorithm, keyId), digest)
    keys.clear()
  }
}

function rememberClaimed({ claimed }: DeviceEncryption, name: string, digest: string): void {
  claimed.delete(name)
  claimed.set(name, digest)
  if (claimed.size <= REMEMBERED_CLAIMS) return
  for (const oldest of claimed.keys()) return void claimed.delete(oldest)
}
