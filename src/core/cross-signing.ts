/**
 * The shape of keys that users and devices upload, and whose signatures they must carry. Nothing is verified
 * here: each function names the signatures that the caller verifies with `verifyJson` before it believes
 * anything.
 * spec: client-server-api#cross-signing
 */
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import {
  badJson,
  forbidden,
  invalidParam,
  MatrixError,
  missingParam,
  notFound,
} from '#schema/matrix-error.ts'
import { canonicalJson } from './canonical-json.ts'
import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

export type CrossSigningUsage = 'master' | 'self_signing' | 'user_signing'

export type CrossSigningKey = Readonly<{
  /** As it was uploaded, signatures included. */
  object: JsonObject
  /** `ed25519:` and the public key. */
  keyId: string
  /** Unpadded base64. */
  publicKey: string
}>

/** A signature that has to be verified: that `object` is signed by `signer` with this key. */
export type RequiredSignature = Readonly<{
  object: JsonObject
  signer: UserId
  keyId: string
  publicKey: string
}>

/** The unpadded base64 of 32 bytes. */
const PUBLIC_KEY = /^[A-Za-z0-9+/]{43}$/

/**
 * Reads one cross-signing key of `userId`: 400 `M_INVALID_PARAM` unless it is theirs, is for `usage` and
 * holds exactly one Ed25519 key under its own name. spec:
 * client-server-api#post_matrixclientv3keysdevice_signingupload
 */
export function parseCrossSigningKey(
  value: unknown,
  userId: UserId,
  usage: CrossSigningUsage,
): CrossSigningKey | MatrixError {
  if (!isObject(value)) return invalidParam(`The ${usage} key must be an object`)
  if (value.user_id !== userId) return invalidParam(`The ${usage} key is not of ${userId}`)
  if (!Array.isArray(value.usage) || !value.usage.includes(usage))
    return invalidParam(`The key's usage is not ${usage}`)
  const entries = isObject(value.keys) ? Object.entries(value.keys) : []
  const [keyId, publicKey] = entries[0] ?? []
  if (
    entries.length !== 1 ||
    typeof publicKey !== 'string' ||
    !PUBLIC_KEY.test(publicKey) ||
    keyId !== `ed25519:${publicKey}`
  ) {
    return invalidParam(`The ${usage} key must hold one Ed25519 key under its own name`)
  }
  if (value.signatures !== undefined && !isObject(value.signatures))
    return invalidParam('Signatures must be an object')
  return { object: value, keyId, publicKey }
}

export type CrossSigningUpload = Readonly<{
  master?: CrossSigningKey
  selfSigning?: CrossSigningKey
  userSigning?: CrossSigningKey
  /** All of them, or the upload is 400 `M_INVALID_SIGNATURE`. */
  mustVerify: readonly RequiredSignature[]
  /** Key ids of devices that signed the master key; those that do not verify are not to be kept. */
  masterSignedBy: readonly string[]
}>

/**
 * Reads an upload of cross-signing keys. The self-signing and user-signing keys must be signed by the master
 * key that comes with them, or else by the one we have (`current`): without either 400 `M_MISSING_PARAM`,
 * without the signature 400 `M_INVALID_SIGNATURE`. spec:
 * client-server-api#post_matrixclientv3keysdevice_signingupload
 */
export function parseCrossSigningUpload(
  body: unknown,
  userId: UserId,
  current: Pick<CrossSigningKey, 'keyId' | 'publicKey'> | undefined,
): CrossSigningUpload | MatrixError {
  if (!isObject(body)) return badJson('The body must be an object')
  const read = (key: string, usage: CrossSigningUsage) =>
    body[key] === undefined ? undefined : parseCrossSigningKey(body[key], userId, usage)
  const master = read('master_key', 'master')
  const selfSigning = read('self_signing_key', 'self_signing')
  const userSigning = read('user_signing_key', 'user_signing')
  if (master instanceof MatrixError) return master
  if (selfSigning instanceof MatrixError) return selfSigning
  if (userSigning instanceof MatrixError) return userSigning

  const signer = master ?? current
  if (!signer) return missingParam('No master signing key is available')
  const signed = [selfSigning, userSigning].filter((key) => key !== undefined)
  const unsigned = signed.find(({ object }) => !signatureIds(object, userId).includes(signer.keyId))
  if (unsigned) return invalidSignature(`The key ${unsigned.keyId} is not signed by the master key`)
  return {
    ...(master ? { master } : {}),
    ...(selfSigning ? { selfSigning } : {}),
    ...(userSigning ? { userSigning } : {}),
    mustVerify: signed.map(({ object }) => ({
      object,
      signer: userId,
      keyId: signer.keyId,
      publicKey: signer.publicKey,
    })),
    masterSignedBy: master ? signatureIds(master.object, userId) : [],
  }
}

export type PublicKeys = Readonly<{ master?: string; selfSigning?: string; userSigning?: string }>

/**
 * Does the upload need user-interactive authentication? Not the first one, and not one that repeats what we
 * have. `existing` are the public keys we have.
 */
export function changesKeys(upload: CrossSigningUpload, existing: PublicKeys): boolean {
  if (existing.master === undefined) return false
  const pairs = [
    [upload.master, existing.master],
    [upload.selfSigning, existing.selfSigning],
    [upload.userSigning, existing.userSigning],
  ] as const
  return pairs.some(([key, known]) => key !== undefined && key.publicKey !== known)
}

/**
 * 403 `M_FORBIDDEN` if a public key is also the id of one of the user's devices: the two share one set of
 * names.
 */
export function refuseKeyNamedLikeDevice(
  upload: CrossSigningUpload,
  deviceIds: ReadonlySet<string>,
): MatrixError | undefined {
  const keys = [upload.master, upload.selfSigning, upload.userSigning]
  return keys.some((key) => key && deviceIds.has(key.publicKey))
    ? forbidden('A key is named like one of your devices')
    : undefined
}

export type DeviceKeys = Readonly<{
  object: JsonObject
  /** The device's signature of its own keys, if it carries one. */
  selfSignature?: RequiredSignature
}>

/**
 * Reads the identity keys of a device: 400 `M_BAD_JSON` unless they are of this user and device and of the
 * right shape, 400 `M_INVALID_PARAM` if they are more than `DEVICE_KEYS_LIMIT`.
 * spec: client-server-api#post_matrixclientv3keysupload
 */
export function parseDeviceKeys(
  value: unknown,
  userId: UserId,
  deviceId: DeviceId,
): DeviceKeys | MatrixError {
  if (!isObject(value)) return badJson('device_keys must be an object')
  if (value.user_id !== userId) return badJson('device_keys.user_id is not yours')
  if (value.device_id !== deviceId) return badJson('device_keys.device_id is not this device')
  const { algorithms, keys, signatures } = value
  if (!Array.isArray(algorithms) || !algorithms.every(isString))
    return badJson('device_keys.algorithms must be a list of strings')
  if (!isObject(keys) || !Object.values(keys).every(isString))
    return badJson('device_keys.keys must map ids to keys')
  if (Object.keys(keys).length > DEVICE_KEYS_LIMIT)
    return invalidParam(`device_keys.keys are more than ${DEVICE_KEYS_LIMIT}`)
  if (!isSignatures(signatures)) return badJson('device_keys.signatures must map users to signatures')
  const keyId = `ed25519:${deviceId}`
  const publicKey = ownValue(keys, keyId)
  if (typeof publicKey !== 'string' || !signatureIds(value, userId).includes(keyId)) return { object: value }
  return { object: value, selfSignature: { object: value, signer: userId, keyId, publicKey } }
}

/** How many identity keys a device may have; it needs two. Each is checked to be a point of its curve. */
export const DEVICE_KEYS_LIMIT = 20

export type UploadedKey = Readonly<{ algorithm: string; keyId: string; key: Json }>

/** How many one-time keys one request may bring. */
export const ONE_TIME_KEYS_LIMIT = 1000

/**
 * Reads `one_time_keys` or `fallback_keys`: 400 `M_BAD_JSON` unless each is named `<algorithm>:<key id>` and
 * is a key or a signed key object. Of fallback keys there may be one per algorithm, else 400
 * `M_INVALID_PARAM`.
 */
export function parseUploadedKeys(
  value: unknown,
  kind: 'one_time_keys' | 'fallback_keys',
): UploadedKey[] | MatrixError {
  if (value === undefined) return []
  if (!isObject(value)) return badJson(`${kind} must be an object`)
  const entries = Object.entries(value)
  if (entries.length > ONE_TIME_KEYS_LIMIT)
    return invalidParam(`${kind} are more than ${ONE_TIME_KEYS_LIMIT}`)
  const keys: UploadedKey[] = []
  for (const [name, key] of entries) {
    const [algorithm, keyId, ...rest] = name.split(':')
    if (!algorithm || !keyId || rest.length > 0) return badJson(`${kind} must be named <algorithm>:<key id>`)
    if (!isString(key) && !isKeyObject(key)) return badJson(`${kind}.${name} is no key`)
    keys.push({ algorithm, keyId, key })
  }
  const algorithms = new Set(keys.map(({ algorithm }) => algorithm))
  return kind === 'fallback_keys' && algorithms.size < keys.length
    ? invalidParam('There may be one fallback key per algorithm')
    : keys
}

const isKeyObject = (key: Json | undefined): boolean =>
  isObject(key) &&
  isString(key.key) &&
  isSignatures(key.signatures) &&
  (key.fallback === undefined || typeof key.fallback === 'boolean')

/** One object that a client signed: `keyName` is a device id or the public key of a master key. */
export type SignedUpload = Readonly<{ userId: UserId; keyName: string; object: JsonObject }>

/** Flattens an upload of signatures: 400 `M_INVALID_PARAM` if it is malformed. */
export function parseSignatureUpload(body: unknown): SignedUpload[] | MatrixError {
  if (!isObject(body)) return badJson('The body must be an object')
  const uploads: SignedUpload[] = []
  for (const [userId, objects] of Object.entries(body)) {
    if (!isObject(objects)) return invalidParam(`${userId} must map to signed keys`)
    for (const [keyName, object] of Object.entries(objects)) {
      if (!isObject(object) || (object.signatures !== undefined && !isSignatures(object.signatures))) {
        return invalidParam(`${keyName} of ${userId} must be a signed key`)
      }
      uploads.push({ userId: userId as UserId, keyName, object })
    }
  }
  return uploads
}

/** What we have of the keys that an upload of signatures touches. */
export type KnownKeys = Readonly<{
  /** The requester's own, without which their signatures mean nothing. */
  selfSigning?: CrossSigningKey | undefined
  userSigning?: CrossSigningKey | undefined
  /** The requester's devices: device id to device keys. */
  devices: ReadonlyMap<string, JsonObject>
  /** Master keys of the requester and of those they signed. */
  masters: ReadonlyMap<UserId, CrossSigningKey>
}>

/**
 * What has to be verified before the new signatures on one key are kept, or the error to list under
 * `failures`. A user may sign their devices with their self-signing key, their master key with their devices,
 * and another user's master key with their user-signing key; every other signature is 400
 * `M_INVALID_SIGNATURE`, an unknown key 404 `M_NOT_FOUND`, and a key that differs from ours 400
 * `M_INVALID_PARAM`.
 * spec: client-server-api#post_matrixclientv3keyssignaturesupload
 */
export function requiredSignatures(
  upload: SignedUpload,
  requester: UserId,
  known: KnownKeys,
): RequiredSignature[] | MatrixError {
  const master = known.masters.get(upload.userId)
  const isMaster = master?.publicKey === upload.keyName
  const stored = isMaster
    ? master.object
    : upload.userId === requester
      ? known.devices.get(upload.keyName)
      : undefined
  if (!stored) return notFound('There is no such key')
  if (!isSameKey(upload.object, stored)) return invalidParam('The signed key is not the one we have')

  if (upload.userId !== requester) return signedBy(upload.object, requester, known.userSigning)
  return isMaster
    ? signedByDevices(upload.object, requester, known.devices)
    : signedBy(upload.object, requester, known.selfSigning)
}

function signedBy(
  object: JsonObject,
  signer: UserId,
  key: CrossSigningKey | undefined,
): RequiredSignature[] | MatrixError {
  if (!key) return notFound('You have no such signing key')
  if (!signatureIds(object, signer).includes(key.keyId)) return invalidSignature('The signature is missing')
  return [{ object, signer, keyId: key.keyId, publicKey: key.publicKey }]
}

function signedByDevices(
  object: JsonObject,
  signer: UserId,
  devices: ReadonlyMap<string, JsonObject>,
): RequiredSignature[] | MatrixError {
  const signatures = signatureIds(object, signer).map((keyId) => {
    const keys = devices.get(keyId.slice(keyId.indexOf(':') + 1))?.keys
    const publicKey = isObject(keys) ? ownValue(keys, keyId) : undefined
    return typeof publicKey === 'string' ? { object, signer, keyId, publicKey } : undefined
  })
  const fromKnown = signatures.filter((signature) => signature !== undefined)
  if (fromKnown.length === 0 || fromKnown.length < signatures.length)
    return invalidSignature('The signature is of no known device')
  return fromKnown
}

/** Equal but for what others add: signatures and `unsigned`. */
export function isSameKey(one: JsonObject, other: JsonObject): boolean {
  const bare = ({ signatures: _signatures, unsigned: _unsigned, ...rest }: JsonObject): string =>
    canonicalJson(rest)
  return bare(one) === bare(other)
}

/** The ids of the keys with which `signer` signed. */
function signatureIds(object: JsonObject, signer: UserId): string[] {
  const signatures = isObject(object.signatures) ? ownValue(object.signatures, signer) : undefined
  return isObject(signatures) ? Object.keys(signatures).filter((keyId) => isString(signatures[keyId])) : []
}

const isSignatures = (value: Json | undefined): boolean =>
  isObject(value) &&
  Object.values(value).every((bySigner) => isObject(bySigner) && Object.values(bySigner).every(isString))

const isString = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is JsonObject => isJsonObject(value as Json)

const invalidSignature = (why: string): MatrixError => new MatrixError(400, 'M_INVALID_SIGNATURE', why)
