import type { JsonObject } from '#core/pdu.ts'
import { parseSyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { type KeyUpload, readKeyUpload } from '#http/device-keys.ts'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import * as schema from '#schema/client/keys.ts'
import { type DeviceId, deviceIdOf, isUserId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { findCrossSigningKeys } from '#store/cross-signing.ts'
import { type DeviceKeysRow, findFallbackKey, findOneTimeKey, listDeviceKeys } from '#store/device-keys.ts'
import { listDeviceListChanges } from '#store/device-lists.ts'
import { findDevice } from '#store/devices.ts'
import { listSignaturesOn, type SignatureRow } from '#store/key-signatures.ts'
import { listRoomsOf } from '#store/memberships.ts'

export const keysPage = (server: Homeserver) =>
  page()
    .post(
      '/_matrix/client/v3/keys/upload',
      signedIn(server, schema.uploadKeys, ({ body, requester, cause }) => upload(server, requester, body, cause)),
    )
    .post(
      '/_matrix/client/v3/keys/upload/:deviceId',
      signedIn(server, schema.uploadKeysOfDevice, ({ params: { deviceId }, body, requester, cause }) => {
        if (deviceId !== requester.deviceId) throw invalidParam('Keys are uploaded by the device that they are of')
        return upload(server, requester, body, cause)
      }),
    )
    .post(
      '/_matrix/client/v3/keys/query',
      signedIn(server, schema.queryKeys, ({ body, requester: { userId } }) =>
        query(server, userId, body.device_keys),
      ),
    )
    .post(
      '/_matrix/client/v3/keys/claim',
      signedIn(server, schema.claimKeys, ({ body, cause }) => claim(server, body.one_time_keys, cause)),
    )
    .get(
      '/_matrix/client/v3/keys/changes',
      signedIn(server, schema.getKeysChanges, ({ query: { from, to }, requester: { userId } }) => {
        const [since, until] = [parseSyncToken(from), parseSyncToken(to)]
        if (!since || !until) throw invalidParam(`${since ? 'to' : 'from'} is not a token of this server`)
        const rooms = listRoomsOf(server.store, userId, 'join')
        return listDeviceListChanges(server.store, { userId, since: since.position, until: until.position, rooms })
      }),
    )

type UploadBody = KeyUpload & Readonly<{ 'org.matrix.msc2732.fallback_keys'?: unknown }>

async function upload(server: Homeserver, { userId, deviceId }: Requester, body: UploadBody, cause: string) {
  if (deviceId === null) throw invalidParam('Only a device has keys')
  const fallbackKeys = body.fallback_keys ?? body['org.matrix.msc2732.fallback_keys']
  const command = readKeyUpload(server, userId, deviceId, { ...body, fallback_keys: fallbackKeys })
  const { oneTimeKeyCounts } = await server.device(userId, deviceId).ask(command, cause)
  return { one_time_key_counts: oneTimeKeyCounts }
}

type ByUser<T> = Record<string, T>

/** What is published of each user; users and devices that there are not are left out. */
function query(server: Homeserver, reader: UserId, wanted: ByUser<readonly string[]>) {
  const answer = {
    device_keys: {} as ByUser<ByUser<JsonObject>>,
    master_keys: {} as ByUser<JsonObject>,
    self_signing_keys: {} as ByUser<JsonObject>,
    user_signing_keys: {} as ByUser<JsonObject>,
    failures: failuresOf(server, Object.keys(wanted)),
  }
  for (const [userId, deviceIds] of Object.entries(wanted)) {
    if (!isUserId(userId) || serverNameOf(userId) !== server.serverName) continue
    const signatures = Map.groupBy(listSignaturesOn(server.store, userId, reader), ({ target }) => target)
    const devices = listDeviceKeys(server.store, userId).filter(
      ({ deviceId }) => deviceIds.length === 0 || deviceIds.includes(deviceId),
    )
    answer.device_keys[userId] = Object.fromEntries(
      devices.map((device) => [device.deviceId, describeDevice(device, signatures)]),
    )
    const {
      master,
      self_signing: selfSigning,
      user_signing: userSigning,
    } = findCrossSigningKeys(server.store, userId)
    if (master) answer.master_keys[userId] = withSignatures(master.object, signatures.get(master.publicKey))
    if (selfSigning) answer.self_signing_keys[userId] = selfSigning.object
    // Whom a user has verified is nobody else's business.
    if (userSigning && userId === reader) answer.user_signing_keys[userId] = userSigning.object
  }
  return answer
}

function describeDevice(
  { deviceId, keys, displayName }: DeviceKeysRow,
  signatures: ReadonlyMap<string, SignatureRow[]>,
): JsonObject {
  return {
    ...withSignatures(keys, signatures.get(deviceId)),
    unsigned: displayName === null ? {} : { device_display_name: displayName },
  }
}

/** The signatures that came with the key, and those that came later. */
function withSignatures(object: JsonObject, rows: readonly SignatureRow[] = []): JsonObject {
  if (rows.length === 0) return object
  const signatures: Record<string, Record<string, string>> = {
    ...(object.signatures as Record<string, Record<string, string>>),
  }
  for (const { signer, keyId, signature } of rows)
    signatures[signer] = { ...signatures[signer], [keyId]: signature }
  return { ...object, signatures }
}

type Claimed = Readonly<{ userId: UserId; deviceId: DeviceId; name: string; key: unknown }>

/** One key for each device that has one left. */
async function claim(server: Homeserver, wanted: ByUser<ByUser<string>>, cause: string) {
  const asks = Object.entries(wanted).flatMap(([userId, devices]) =>
    isUserId(userId) && serverNameOf(userId) === server.serverName
      ? Object.entries(devices).map(([deviceId, algorithm]) =>
          claimOne(server, { userId, deviceId: deviceIdOf(deviceId), algorithm, cause }),
        )
      : [],
  )
  const claimed = (await Promise.all(asks)).filter((key) => key !== undefined)
  const keys = [...Map.groupBy(claimed, ({ userId }) => userId)].map(
    ([userId, ofUser]) =>
      [userId, Object.fromEntries(ofUser.map(({ deviceId, name, key }) => [deviceId, { [name]: key }]))] as const,
  )
  return { one_time_keys: Object.fromEntries(keys), failures: failuresOf(server, Object.keys(wanted)) }
}

type Wanted = Readonly<{ userId: UserId; deviceId: DeviceId; algorithm: string; cause: string }>

async function claimOne(
  server: Homeserver,
  { userId, deviceId, algorithm, cause }: Wanted,
): Promise<Claimed | undefined> {
  if (!findDevice(server.store, userId, deviceId)) return undefined
  const claimed = await server.device(userId, deviceId).ask({ kind: 'claimKey', algorithm }, cause)
  if (!claimed) return undefined
  const { keyId, isFallback } = claimed
  const find = isFallback ? findFallbackKey : findOneTimeKey
  const json = find(server.store, userId, deviceId, algorithm, keyId)
  // Only a device that was removed at this moment has lost it.
  return json === undefined ? undefined : { userId, deviceId, name: `${algorithm}:${keyId}`, key: JSON.parse(json) }
}

/** Servers whose users' keys cannot be asked for. spec: client-server-api#post_matrixclientv3keysquery */
function failuresOf(server: Homeserver, userIds: readonly string[]): ByUser<JsonObject> {
  const others = new Set(
    userIds
      .filter(isUserId)
      .map(serverNameOf)
      .filter((name) => name !== server.serverName),
  )
  return Object.fromEntries(
    [...others].map((name) => [name, { status: 503, message: 'This server does not talk to others' }]),
  )
}
