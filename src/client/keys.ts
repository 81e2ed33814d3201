import type { JsonObject } from '#schema/pdu.ts'
import { parseSyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { type KeyUpload, readKeyUpload } from '#http/device-keys.ts'
import { rawJson, type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { unhurried, unhurriedAll } from '#http/unhurried.ts'
import * as schema from '#schema/client/keys.ts'
import { type DeviceId, deviceIdOf, isUserId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { invalidParam, tooLarge } from '#schema/matrix-error.ts'
import { findCrossSigningKeys } from '#store/cross-signing.ts'
import { type DeviceKeysRow, findFallbackKey, findOneTimeKey, listDeviceKeys } from '#store/device-keys.ts'
import { listDeviceListChanges } from '#store/device-lists.ts'
import { hasDevice } from '#store/devices.ts'
import { listSignaturesOn, type SignatureRow } from '#store/key-signatures.ts'
import { listRoomsOf } from '#store/memberships.ts'

/** Users whose keys one request may ask for: bots ask for everyone in a room at once. */
export const USERS_PER_QUERY = 10_000
/** Keys that one request may claim. */
export const DEVICES_PER_CLAIM = 10_000

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
        const { store } = server
        const rooms = listRoomsOf(store, userId, 'join')
        return listDeviceListChanges(store, { userId, since: since.position, until: until.position, rooms })
      }),
    )

type UploadBody = KeyUpload & Readonly<{ 'org.matrix.msc2732.fallback_keys'?: unknown }>

async function upload(server: Homeserver, { userId, deviceId }: Requester, body: UploadBody, cause: string) {
  if (deviceId === null) throw invalidParam('Only a device has keys')
  const fallbackKeys = body.fallback_keys ?? body['org.matrix.msc2732.fallback_keys']
  const command = await readKeyUpload(server, userId, deviceId, { ...body, fallback_keys: fallbackKeys })
  const { oneTimeKeyCounts } = await server.device(userId, deviceId).ask(command, cause)
  return { one_time_key_counts: oneTimeKeyCounts }
}

type ByUser<T> = Record<string, T>

/** What is published of each user; users and devices that there are not are left out. */
async function query(server: Homeserver, reader: UserId, wanted: ByUser<readonly string[]>) {
  const users = Object.keys(wanted)
  if (users.length > USERS_PER_QUERY) throw tooLarge(`At most ${USERS_PER_QUERY} users may be asked for at once`)
  const { store } = server
  const found = { device_keys: [] as string[], master_keys: [] as string[], self_signing_keys: [] as string[], user_signing_keys: [] as string[] }
  await unhurried(ourUsers(server, wanted), ([userId, deviceIds]) => {
    const signatures = Map.groupBy(listSignaturesOn(store, userId, reader), ({ target }) => target)
    const asked = new Set(deviceIds)
    const devices = listDeviceKeys(store, userId).filter(({ deviceId }) => asked.size === 0 || asked.has(deviceId))
    const described = Object.fromEntries(devices.map((device) => [device.deviceId, describeDevice(device, signatures)]))
    found.device_keys.push(printEntry(userId, described))
    const { master, self_signing: selfSigning, user_signing: userSigning } = findCrossSigningKeys(store, userId)
    if (master) found.master_keys.push(printEntry(userId, withSignatures(master.object, signatures.get(master.publicKey))))
    if (selfSigning) found.self_signing_keys.push(printEntry(userId, selfSigning.object))
    // Whom a user has verified is nobody else's business.
    if (userSigning && userId === reader) found.user_signing_keys.push(printEntry(userId, userSigning.object))
  })
  const sections = Object.entries(found).map(([name, entries]) => `"${name}":{${entries.join(',')}}`)
  return rawJson(`{${sections.join(',')},${printEntry('failures', failuresOf(server, users))}}`)
}

/** Printed user by user: all at once would hold up the others. */
const printEntry = (name: string, value: object): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`

const ourUsers = <T>({ serverName }: Homeserver, byUser: ByUser<T>): [UserId, T][] =>
  Object.entries(byUser).flatMap(([userId, value]): [UserId, T][] =>
    isUserId(userId) && serverNameOf(userId) === serverName ? [[userId, value]] : [],
  )

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
  const asked = ourUsers(server, wanted).flatMap(([userId, devices]) =>
    Object.entries(devices).map(([deviceId, algorithm]) => ({ userId, deviceId: deviceIdOf(deviceId), algorithm, cause })),
  )
  if (asked.length > DEVICES_PER_CLAIM) throw tooLarge(`At most ${DEVICES_PER_CLAIM} keys may be claimed at once`)
  const claimed = (await unhurriedAll(asked, (one) => claimOne(server, one))).filter((key) => key !== undefined)
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
  const { store } = server
  if (!hasDevice(store, userId, deviceId)) return undefined
  const claimed = await server.device(userId, deviceId).ask({ kind: 'claimKey', algorithm }, cause)
  if (!claimed) return undefined
  const { keyId, isFallback } = claimed
  const find = isFallback ? findFallbackKey : findOneTimeKey
  const json = find(store, userId, deviceId, algorithm, keyId)
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
