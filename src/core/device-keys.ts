/**
 * Whether uploaded keys can be believed: curve points and signatures, once the shapes have been read by
 * `cross-signing.ts`.
 * spec: client-server-api#key-algorithms
 */
import type { DeviceId, ServerName, UserId } from '#schema/identifiers.ts'
import { invalidParam, type MatrixError } from '#schema/matrix-error.ts'
import { decodeBase64 } from './base64.ts'
import type { DeviceKeys, RequiredSignature, UploadedKey } from './cross-signing.ts'
import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { checkPublicKey, verifyJson } from './signing.ts'

/** Algorithms whose clients sign the keys of their devices. spec: client-server-api#messaging-algorithms */
const SIGNED_ALGORITHMS = new Set(['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'])
const KEY_BYTES = 32

/**
 * The key by which a device has signed its identity keys; null when it has signed nothing, or names none of the spec's
 * algorithms: then no client believes it, and of its keys only those that look like keys are checked. What says that it
 * is signed has both keys that it needs, none that is not named after the device, and fits its signature; else 400
 * `M_INVALID_PARAM`, as for a key that is no usable point of its curve.
 */
export function verifyDeviceKeys({ object, selfSignature }: DeviceKeys): { ed25519: string | null } | MatrixError {
  const algorithms = Array.isArray(object.algorithms) ? object.algorithms : []
  const own = `:${String(object.device_id)}`
  const claimed = signatureBy(object, object.user_id as UserId, `ed25519${own}`)
  const isSigned = claimed !== undefined && algorithms.some((name) => SIGNED_ALGORITHMS.has(String(name)))
  const keys = isJsonObject(object.keys) ? object.keys : {}
  for (const [keyId, key] of Object.entries(keys)) {
    const why = typeof key === 'string' ? whyUnusable(keyId, key) : undefined
    const isNoKey = typeof key !== 'string' || bytesOf(key)?.length !== KEY_BYTES
    if (why && (isSigned || !isNoKey)) return invalidParam(`device_keys.keys.${keyId}: ${why}`)
    if (isSigned && (!keyId.endsWith(own) || keyId === own)) return invalidParam(`device_keys.keys.${keyId} is not named after this device`)
  }
  if (!isSigned) return { ed25519: null }
  if (ownValue(keys, `curve25519${own}`) === undefined) return invalidParam('device_keys.keys has no Curve25519 key')
  if (!selfSignature || !isSignedBy(selfSignature)) return invalidParam('device_keys is not signed by the key of the device')
  return { ed25519: selfSignature.publicKey }
}

/**
 * Which of the device's keys the one-time or fallback keys are signed by: null when none of their algorithms asks for a
 * signature. 400 `M_INVALID_PARAM` when a key is no usable point, or is not signed by `identity`, the device's Ed25519
 * key.
 */
export function verifyOneTimeKeys(
  keys: readonly UploadedKey[],
  identity: string | null,
  { userId, deviceId }: { userId: UserId; deviceId: DeviceId },
): { signedBy: string | null } | MatrixError {
  let signedBy: string | null = null
  for (const { algorithm, keyId, key } of keys) {
    if (algorithm !== 'curve25519' && algorithm !== 'signed_curve25519') continue
    const name = `${algorithm}:${keyId}`
    const why = whyNoCurve25519Key(materialOf(key))
    if (why) return invalidParam(`${name}: ${why}`)
    if (algorithm === 'curve25519') continue
    if (!isJsonObject(key)) return invalidParam(`${name} must be a signed key object`)
    if (identity === null) return invalidParam(`${name}: upload device_keys that this device has signed first`)
    const signature = { object: key, signer: userId, keyId: `ed25519:${deviceId}`, publicKey: identity }
    if (!isSignedBy(signature)) return invalidParam(`${name} is not signed by the key of this device`)
    signedBy = identity
  }
  return { signedBy }
}

/** The key itself, without what is said about it: by it two uploads are known to bring the same key. */
export function materialOf(key: Json): string {
  if (typeof key === 'string') return key
  const material = isJsonObject(key) ? ownValue(key, 'key') : undefined
  return typeof material === 'string' ? material : ''
}

/** Whether a signature that someone asked for is there and fits. */
export const isSignedBy = ({ object, signer, keyId, publicKey }: RequiredSignature): boolean =>
  // Users sign as servers do: the name in `signatures` is all that differs.
  verifyJson(object, signer as string as ServerName, keyId, publicKey)

/** The signature that `signer` put on an object with this key. */
export function signatureBy(object: JsonObject, signer: UserId, keyId: string): string | undefined {
  const signatures = isJsonObject(object.signatures) ? ownValue(object.signatures, signer) : undefined
  const signature = isJsonObject(signatures) ? ownValue(signatures, keyId) : undefined
  return typeof signature === 'string' ? signature : undefined
}

function whyUnusable(keyId: string, key: string): string | undefined {
  if (keyId.startsWith('curve25519:')) return whyNoCurve25519Key(key)
  if (!keyId.startsWith('ed25519:')) return undefined
  const verdict = checkPublicKey(key)
  return verdict.ok ? undefined : verdict.why
}

const bytesOf = (key: string): Uint8Array | undefined => decodeBase64(key)

const P = 2n ** 255n - 19n

/**
 * The points whose shared secret is zero whatever the other key: of order 1, 2, 4 and 8, on the curve and on its twist.
 * spec: RFC 7748, section 6.1
 */
const SMALL_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
])

/**
 * As `checkCurve25519Key` of `signing.ts` decides, without the arithmetic: every other 32 bytes are a point of the curve
 * or of its twist, and a client brings a hundred at once.
 */
function whyNoCurve25519Key(base64: string): string | undefined {
  const bytes = bytesOf(base64)
  if (bytes?.length !== KEY_BYTES) return 'A Curve25519 key has 32 bytes in base64'
  const littleEndian = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  return SMALL_ORDER.has(BigInt.asUintN(255, littleEndian) % P)
    ? 'This Curve25519 key is a point of small order'
    : undefined
}

/** Whether a Curve25519 key is usable. */
export const isCurve25519Key = (base64: string): boolean => whyNoCurve25519Key(base64) === undefined
