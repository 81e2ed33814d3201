import { x25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '#core/digest.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { signedText, signingKeyFromSeed, signText } from '#core/signing.ts'
import type { UserId } from '#schema/identifiers.ts'

/** Keys as a client makes them, from a name instead of dice. */

const seedOf = (name: string): Uint8Array => sha256(name)
const base64 = (bytes: Uint8Array): string => bytes.toBase64({ omitPadding: true })

/** Adds `signer`'s signature under `keyId`, made with the key of that name. */
export function signedBy(object: JsonObject, signer: UserId, keyId: string, keyName: string): JsonObject {
  const signature = signText(signedText(object), signingKeyFromSeed('ed25519:test', seedOf(keyName)))
  const signatures = (object.signatures ?? {}) as Record<string, JsonObject>
  return { ...object, signatures: { ...signatures, [signer]: { ...signatures[signer], [keyId]: signature } } }
}

export const ed25519Key = (name: string): string => signingKeyFromSeed('ed25519:test', seedOf(name)).publicKey
export const curve25519Key = (name: string): string => base64(x25519.getPublicKey(seedOf(name)))

/** The identity keys of a device, signed by it. `name` tells one generation of keys from another. */
export function deviceKeysOf(userId: UserId, deviceId: string, name = `${userId}/${deviceId}`): JsonObject {
  const keys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: { [`curve25519:${deviceId}`]: curve25519Key(name), [`ed25519:${deviceId}`]: ed25519Key(name) },
  }
  return signedBy(keys, userId, `ed25519:${deviceId}`, name)
}

/** Signed one-time keys `from` to `to`, by name; `extra` may hold `fallback: true`. */
export function oneTimeKeysOf(userId: UserId, deviceId: string, from: number, to: number, extra: JsonObject = {}): Record<string, JsonObject> {
  const entries = Array.from({ length: to - from + 1 }, (_, index) => {
    const key = { key: curve25519Key(`${userId}/${deviceId}#${from + index}`), ...extra }
    return [`signed_curve25519:AAA${from + index}`, signedBy(key, userId, `ed25519:${deviceId}`, `${userId}/${deviceId}`)] as const
  })
  return Object.fromEntries(entries)
}

export type CrossSigningNames = Readonly<{ master: string; selfSigning: string; userSigning: string }>
export const crossSigningNames = (userId: UserId, generation = 1): CrossSigningNames => ({
  master: `${userId} master ${generation}`,
  selfSigning: `${userId} self-signing ${generation}`,
  userSigning: `${userId} user-signing ${generation}`,
})

const crossSigningKey = (userId: UserId, usage: string, name: string): JsonObject =>
  ({ user_id: userId, usage: [usage], keys: { [`ed25519:${ed25519Key(name)}`]: ed25519Key(name) } })

/** The three keys of a user; the master key signs the two others. */
export function crossSigningKeysOf(userId: UserId, names = crossSigningNames(userId)) {
  const masterId = `ed25519:${ed25519Key(names.master)}`
  return {
    master_key: crossSigningKey(userId, 'master', names.master),
    self_signing_key: signedBy(crossSigningKey(userId, 'self_signing', names.selfSigning), userId, masterId, names.master),
    user_signing_key: signedBy(crossSigningKey(userId, 'user_signing', names.userSigning), userId, masterId, names.master),
  }
}

/** The object as signed by a cross-signing key of that name. */
export const crossSigned = (object: JsonObject, signer: UserId, name: string): JsonObject =>
  signedBy(object, signer, `ed25519:${ed25519Key(name)}`, name)
