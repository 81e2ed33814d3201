import { parseDeviceKeys, parseUploadedKeys, type UploadedKey } from '#core/cross-signing.ts'
import { materialOf, verifyDeviceKeys, verifyOneTimeKeys } from '#core/device-keys.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { Homeserver } from '#homeserver'
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import type { PublishedKey } from '#schema/journal/device-keys.ts'
import { invalidParam, MatrixError, tooLarge } from '#schema/matrix-error.ts'
import { findCrossSigningKeys } from '#store/cross-signing.ts'
import { findDeviceIdentity } from '#store/device-keys.ts'
import { unhurried } from './unhurried.ts'

/** The identity keys of one device, as JSON. */
export const DEVICE_KEYS_LIMIT_BYTES = 65_536
/** One one-time or fallback key, as JSON. */
export const KEY_LIMIT_BYTES = 8_192
/** Algorithm and key id of one key. */
const KEY_NAME_LIMIT = 255

export type KeyUpload = Readonly<{ device_keys?: unknown; one_time_keys?: unknown; fallback_keys?: unknown }>

/**
 * Checks everything about uploaded keys that needs no memory: shapes (`M_BAD_JSON`, `M_INVALID_PARAM`), sizes
 * (`M_TOO_LARGE`), curve points and signatures (`M_INVALID_PARAM`). Gives the command for the device.
 * spec: client-server-api#post_matrixclientv3keysupload
 */
export async function readKeyUpload(server: Homeserver, userId: UserId, deviceId: DeviceId, body: KeyUpload) {
  const deviceKeys =
    body.device_keys === undefined || body.device_keys === null
      ? null
      : readDeviceKeys(server, body.device_keys, userId, deviceId)
  const oneTimeKeys = orThrow(parseUploadedKeys(body.one_time_keys ?? undefined, 'one_time_keys'))
  const fallbackKeys = orThrow(parseUploadedKeys(body.fallback_keys ?? undefined, 'fallback_keys'))
  const identity = deviceKeys ? deviceKeys.ed25519 : findDeviceIdentity(server.store, userId, deviceId)
  let signedBy: string | null = null
  await unhurried([...oneTimeKeys, ...fallbackKeys], (key) => {
    signedBy = orThrow(verifyOneTimeKeys([key], identity, { userId, deviceId })).signedBy ?? signedBy
  })
  return {
    kind: 'uploadKeys',
    deviceKeys,
    oneTimeKeys: oneTimeKeys.map(publish),
    fallbackKeys: fallbackKeys.map(publish),
    signedBy,
  } as const
}

function readDeviceKeys(server: Homeserver, value: unknown, userId: UserId, deviceId: DeviceId) {
  // The two share one set of names: the signatures on one of them would count for the other.
  if (Object.values(findCrossSigningKeys(server.store, userId)).some(({ publicKey }) => publicKey === deviceId))
    throw invalidParam('This device is named like one of your cross-signing keys')
  const parsed = orThrow(parseDeviceKeys(value, userId, deviceId))
  const { ed25519 } = orThrow(verifyDeviceKeys(parsed))
  const { unsigned: _unsigned, ...object } = parsed.object
  const json = JSON.stringify(object)
  if (Buffer.byteLength(json) > DEVICE_KEYS_LIMIT_BYTES)
    throw tooLarge(`device_keys may have at most ${DEVICE_KEYS_LIMIT_BYTES} bytes`)
  return { json, ed25519, digest: sha256Base64(canonicalJson(object)) }
}

function publish({ algorithm, keyId, key }: UploadedKey): PublishedKey {
  const json = JSON.stringify(key)
  if (algorithm.length + keyId.length > KEY_NAME_LIMIT)
    throw invalidParam(`The name of a key may have at most ${KEY_NAME_LIMIT} characters`)
  if (Buffer.byteLength(json) > KEY_LIMIT_BYTES) throw tooLarge(`A key may have at most ${KEY_LIMIT_BYTES} bytes`)
  return { algorithm, keyId, json, digest: sha256Base64(materialOf(key)) }
}

/** A refusal that was given as a value becomes one that is thrown. */
export function orThrow<T>(value: T | MatrixError): T {
  if (value instanceof MatrixError) throw value
  return value
}
