import {
  type CrossSigningKey,
  type CrossSigningUpload,
  type KnownKeys,
  parseCrossSigningUpload,
  parseSignatureUpload,
  refuseKeyNamedLikeDevice,
  requiredSignatures,
  type SignedUpload,
} from '#core/cross-signing.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { isSignedBy, signatureBy } from '#core/device-keys.ts'
import { sha256Base64 } from '#core/digest.ts'
import { isJsonObject } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { checkPublicKey } from '#core/signing.ts'
import type { Homeserver } from '#homeserver'
import { orThrow } from '#http/device-keys.ts'
import { type SignedInCall, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { proveIdentity } from '#http/uia.ts'
import { unhurried } from '#http/unhurried.ts'
import { uploadCrossSigningKeys, uploadCrossSigningSignatures } from '#schema/client/cross-signing.ts'
import { isUserId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import type { KeySignature, NewCrossSigningKey } from '#schema/journal/cross-signing.ts'
import { invalidParam, MatrixError, tooLarge } from '#schema/matrix-error.ts'
import { type CrossSigningKeys, findCrossSigningKeys, type UsageName } from '#store/cross-signing.ts'
import { listDeviceKeys } from '#store/device-keys.ts'
import { listDeviceIds } from '#store/devices.ts'
import { listSignaturesOn } from '#store/key-signatures.ts'

/** One cross-signing key, as JSON. */
export const CROSS_SIGNING_KEY_LIMIT_BYTES = 65_536
/** Signed keys that one request may bring. */
export const SIGNED_KEYS_LIMIT = 1_000

export const crossSigningPage = (server: Homeserver) => {
  const keys = signedIn(server, uploadCrossSigningKeys, (call) => uploadKeys(server, call))
  const signatures = signedIn(server, uploadCrossSigningSignatures, (call) => uploadSignatures(server, call))
  return (
    page()
      .post('/_matrix/client/v3/keys/device_signing/upload', keys)
      .post('/_matrix/client/v3/keys/signatures/upload', signatures)
      // The names from before v1.1 are still called.
      .post('/_matrix/client/unstable/keys/device_signing/upload', keys)
      .post('/_matrix/client/unstable/keys/signatures/upload', signatures)
  )
}

type KeysCall = SignedInCall<typeof uploadCrossSigningKeys>

/** The account itself says whether the upload changes keys that are there, so that two at once cannot both be the first. */
async function uploadKeys(server: Homeserver, call: KeysCall): Promise<object> {
  const {
    requester: { userId },
    body,
    cause,
  } = call
  const upload = readUpload(server, userId, body)
  const keys = {
    ...(upload.master ? { master: describe(upload.master) } : {}),
    ...(upload.selfSigning ? { selfSigning: describe(upload.selfSigning) } : {}),
    ...(upload.userSigning ? { userSigning: describe(upload.userSigning) } : {}),
  }
  const command = {
    kind: 'uploadCrossSigningKeys',
    keys,
    signedBy: upload.mustVerify[0]?.publicKey ?? null,
  } as const
  const { needsProof } = await server.user(userId).ask({ ...command, isProven: false }, cause)
  if (!needsProof) return {}
  await proveIdentity(server, call)
  await server.user(userId).ask({ ...command, isProven: true }, cause)
  return {}
}

function readUpload(server: Homeserver, userId: UserId, body: KeysCall['body']): CrossSigningUpload {
  const known = findCrossSigningKeys(server.store, userId).master
  const current = known && { keyId: `ed25519:${known.publicKey}`, publicKey: known.publicKey }
  const upload = orThrow(parseCrossSigningUpload(body, userId, current))
  for (const key of [upload.master, upload.selfSigning, upload.userSigning]) if (key) checkKey(key)
  if (!upload.mustVerify.every(isSignedBy))
    throw new MatrixError(400, 'M_INVALID_SIGNATURE', 'A key is not signed by the master key')
  const taken = refuseKeyNamedLikeDevice(upload, new Set(listDeviceIds(server.store, userId)))
  if (taken) throw taken
  return upload.master ? { ...upload, master: withKnownSignatures(server, userId, upload.master) } : upload
}

function checkKey({ keyId, publicKey, object }: CrossSigningKey): void {
  const verdict = checkPublicKey(publicKey)
  if (!verdict.ok) throw invalidParam(`${keyId}: ${verdict.why}`)
  if (Buffer.byteLength(JSON.stringify(object)) > CROSS_SIGNING_KEY_LIMIT_BYTES)
    throw tooLarge(`A key may have at most ${CROSS_SIGNING_KEY_LIMIT_BYTES} bytes`)
}

/** Of the signatures on a master key only those stay that a device of the user has really made. */
function withKnownSignatures(server: Homeserver, userId: UserId, master: CrossSigningKey): CrossSigningKey {
  const { signatures: _signatures, ...bare } = master.object
  const kept = listDeviceKeys(server.store, userId).flatMap(({ deviceId, keys }) => {
    const keyId = `ed25519:${deviceId}`
    const publicKey = isJsonObject(keys.keys) ? keys.keys[keyId] : undefined
    const signature = signatureBy(master.object, userId, keyId)
    const isGood =
      typeof publicKey === 'string' && isSignedBy({ object: master.object, signer: userId, keyId, publicKey })
    return isGood && signature !== undefined ? [[keyId, signature] as const] : []
  })
  return {
    ...master,
    object: kept.length > 0 ? { ...bare, signatures: { [userId]: Object.fromEntries(kept) } } : bare,
  }
}

const describe = ({ publicKey, object }: CrossSigningKey): NewCrossSigningKey => ({
  publicKey,
  json: JSON.stringify(object),
  digest: sha256Base64(canonicalJson(object)),
})

type Failure = Readonly<{ userId: string; keyName: string; error: MatrixError }>
type Verified = KeySignature & { by: 'device' | 'selfSigning' | 'userSigning' }

/** What cannot be verified is not kept and listed under `failures`; the rest is. */
async function uploadSignatures(
  server: Homeserver,
  { body, requester: { userId }, cause }: SignedInCall<typeof uploadCrossSigningSignatures>,
): Promise<{ failures: object }> {
  const uploads = orThrow(parseSignatureUpload(body))
  if (uploads.length > SIGNED_KEYS_LIMIT)
    throw invalidParam(`At most ${SIGNED_KEYS_LIMIT} keys may be signed at once`)
  const known = knownKeys(server, userId, uploads)
  const kept = keptSignatures(server, userId, uploads)
  const failures: Failure[] = []
  const fresh: Verified[] = []
  await unhurried(uploads, (upload) => {
    const verified = verify(upload, userId, known)
    if (verified instanceof MatrixError)
      failures.push({ userId: upload.userId, keyName: upload.keyName, error: verified })
    else fresh.push(...verified.filter((signature) => !kept.has(placeOf(signature))))
  })
  if (fresh.length > 0)
    await server.user(userId).ask({ kind: 'uploadCrossSigningSignatures', signatures: fresh }, cause)
  return { failures: printFailures(failures) }
}

/** The names in it are the client's own, so nothing but `fromEntries` may put them into an object. */
const printFailures = (failures: readonly Failure[]): object =>
  Object.fromEntries(
    [...Map.groupBy(failures, ({ userId }) => userId)].map(([userId, ofUser]) => [
      userId,
      Object.fromEntries(ofUser.map(({ keyName, error }) => [keyName, error])),
    ]),
  )

function verify(upload: SignedUpload, userId: UserId, known: KnownKeys): Verified[] | MatrixError {
  const required = requiredSignatures(upload, userId, known)
  if (required instanceof MatrixError) return required
  if (!required.every(isSignedBy)) return new MatrixError(400, 'M_INVALID_SIGNATURE', 'The signature does not fit')
  return required.flatMap(({ object, keyId }) => {
    const signature = signatureBy(object, userId, keyId)
    const by =
      keyId === known.selfSigning?.keyId
        ? 'selfSigning'
        : keyId === known.userSigning?.keyId
          ? 'userSigning'
          : 'device'
    return signature === undefined
      ? []
      : [{ targetUser: upload.userId, target: upload.keyName, keyId, signature, by }]
  })
}

function knownKeys(server: Homeserver, userId: UserId, uploads: readonly SignedUpload[]): KnownKeys {
  const { store } = server
  const own = findCrossSigningKeys(store, userId)
  const users = new Set([userId, ...uploads.map((upload) => upload.userId)])
  const masters = [...users].flatMap((user) => {
    const isOurs = isUserId(user) && serverNameOf(user) === server.serverName
    const master = isOurs ? keyOf(findCrossSigningKeys(store, user), 'master') : undefined
    return master ? [[user, master] as const] : []
  })
  return {
    selfSigning: keyOf(own, 'self_signing'),
    userSigning: keyOf(own, 'user_signing'),
    devices: new Map(
      listDeviceKeys(store, userId).map(({ deviceId, keys }): [string, JsonObject] => [deviceId, keys]),
    ),
    masters: new Map(masters),
  }
}

function keyOf(keys: CrossSigningKeys, usage: UsageName): CrossSigningKey | undefined {
  const key = keys[usage]
  return key && { ...key, keyId: `ed25519:${key.publicKey}` }
}

/** Which of the requester's signatures on the keys of these users are there already. */
function keptSignatures(server: Homeserver, userId: UserId, uploads: readonly SignedUpload[]): ReadonlySet<string> {
  const { store } = server
  const users = new Set(uploads.map((upload) => upload.userId).filter(isUserId))
  const places = [...users].flatMap((targetUser) =>
    listSignaturesOn(store, targetUser, userId)
      .filter(({ signer }) => signer === userId)
      .map((row) => placeOf({ targetUser, ...row })),
  )
  return new Set(places)
}

const placeOf = ({ targetUser, target, keyId, signature }: KeySignature): string =>
  JSON.stringify([targetUser, target, keyId, signature])
