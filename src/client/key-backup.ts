import type { BackupState } from '#actors/user/key-backup.ts'
import { isBetterKey } from '#core/key-backup.ts'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { type Page, page } from '#http/page.ts'
import { streamedJson } from '#http/streamed-json.ts'
import { unhurried } from '#http/unhurried.ts'
import * as schema from '#schema/client/key-backup.ts'
import { isRoomId, type RoomId, type UserId } from '#schema/identifiers.ts'
import type { BackedUpKey } from '#schema/journal/key-backup.ts'
import { invalidParam, limitExceeded, notFound, tooLarge } from '#schema/matrix-error.ts'
import {
  type BackupRow,
  countBackedUpKeys,
  findBackedUpKey,
  findBackup,
  findCurrentBackup,
  type KeyPage,
  pagesOfBackedUpKeys,
} from '#store/key-backup.ts'

/** One key, as JSON. */
export const BACKED_UP_KEY_LIMIT_BYTES = 65_536
/** What the account may authenticate a backup by, as JSON. */
export const AUTH_DATA_LIMIT_BYTES = 65_536
const SESSION_ID_LIMIT = 255
/** Keys that one request may bring; clients bring a hundred or two. */
export const KEYS_PER_REQUEST = 10_000
/** How often a change is tried anew when others change the same backup at the same time. */
const ATTEMPTS = 20

const VERSIONS = '/_matrix/client/v3/room_keys/version'
const KEYS = '/_matrix/client/v3/room_keys/keys'

export const keyBackupPage = (server: Homeserver): Page =>
  deleting(server, reading(server, putting(server, versions(server))))

const versions = (server: Homeserver): Page =>
  page()
    .post(
      VERSIONS,
      signedIn(server, schema.postRoomKeysVersion, async ({ body, requester: { userId }, cause }) => {
        const authData = printAuthData(body.auth_data)
        const { version } = await server
          .user(userId)
          .ask({ kind: 'postRoomKeysVersion', algorithm: body.algorithm, authData }, cause)
        return { version: String(version) }
      }),
    )
    .get(
      VERSIONS,
      signedIn(server, schema.getRoomKeysVersionCurrent, ({ requester: { userId } }) => {
        const backup = findCurrentBackup(server.store, userId)
        if (!backup) throw notFound('There is no backup')
        return describe(backup)
      }),
    )
    .get(
      `${VERSIONS}/:version`,
      signedIn(server, schema.getRoomKeysVersion, ({ params: { version }, requester: { userId } }) =>
        describe(backupOf(server, userId, version)),
      ),
    )
    .put(
      `${VERSIONS}/:version`,
      signedIn(server, schema.putRoomKeysVersion, async ({ params, body, requester: { userId }, cause }) => {
        if (body.version !== undefined && body.version !== params.version)
          throw invalidParam('The version in the body is not the one in the path')
        const [version, authData] = [numberOf(params.version), printAuthData(body.auth_data)]
        await server
          .user(userId)
          .ask({ kind: 'putRoomKeysVersion', version, algorithm: body.algorithm, authData }, cause)
        return {}
      }),
    )
    .delete(
      `${VERSIONS}/:version`,
      signedIn(server, schema.deleteRoomKeysVersion, async ({ params, requester: { userId }, cause }) => {
        await server.user(userId).ask({ kind: 'deleteRoomKeysVersion', version: numberOf(params.version) }, cause)
        return {}
      }),
    )

const putting = (server: Homeserver, pages: Page): Page =>
  pages
    .put(
      KEYS,
      signedIn(server, schema.putRoomKeys, ({ query, body, requester: { userId }, cause }) =>
        put(server, { userId, version: query.version, rooms: body.rooms, cause }),
      ),
    )
    .put(
      `${KEYS}/:roomId`,
      signedIn(
        server,
        schema.putRoomKeysByRoomId,
        ({ params: { roomId }, query, body, requester: { userId }, cause }) =>
          put(server, { userId, version: query.version, rooms: { [roomId]: body }, cause }),
      ),
    )
    .put(
      `${KEYS}/:roomId/:sessionId`,
      signedIn(server, schema.putRoomKeyBySessionId, ({ params, query, body, requester, cause }) => {
        const rooms = { [params.roomId]: { sessions: { [params.sessionId]: body } } }
        return put(server, { userId: requester.userId, version: query.version, rooms, cause })
      }),
    )

const reading = (server: Homeserver, pages: Page): Page =>
  pages
    .get(
      KEYS,
      signedIn(server, schema.roomKeys, ({ query, requester: { userId } }) => {
        const { version } = backupOf(server, userId, query.version)
        return streamedJson(printRooms(pagesOfBackedUpKeys(server.store, userId, version, null)))
      }),
    )
    .get(
      `${KEYS}/:roomId`,
      signedIn(server, schema.roomKeysByRoomId, ({ params: { roomId }, query, requester: { userId } }) => {
        const { version } = backupOf(server, userId, query.version)
        return streamedJson(printRoom(pagesOfBackedUpKeys(server.store, userId, version, roomId)))
      }),
    )
    .get(
      `${KEYS}/:roomId/:sessionId`,
      signedIn(server, schema.roomKeyBySessionId, ({ params, query, requester: { userId } }) => {
        const { version } = backupOf(server, userId, query.version)
        const key = findBackedUpKey(server.store, userId, version, params.roomId, params.sessionId)
        if (!key) throw notFound('There is no such key in this backup')
        return JSON.parse(key.json)
      }),
    )

const deleting = (server: Homeserver, pages: Page): Page =>
  pages
    .delete(
      KEYS,
      signedIn(server, schema.roomKeys, ({ query, requester: { userId }, cause }) =>
        remove(server, { userId, version: query.version, roomId: null, sessionId: null, cause }),
      ),
    )
    .delete(
      `${KEYS}/:roomId`,
      signedIn(server, schema.roomKeysByRoomId, ({ params: { roomId }, query, requester: { userId }, cause }) =>
        remove(server, { userId, version: query.version, roomId, sessionId: null, cause }),
      ),
    )
    .delete(
      `${KEYS}/:roomId/:sessionId`,
      signedIn(server, schema.roomKeyBySessionId, ({ params, query, requester: { userId }, cause }) =>
        remove(server, { userId, version: query.version, ...params, cause }),
      ),
    )

/** Versions are numbers; to clients they are opaque, and what is no number is no version. */
const numberOf = (version: string): number => (/^\d{1,15}$/.test(version) ? Number(version) : 0)

function backupOf(server: Homeserver, userId: UserId, version: string): BackupRow {
  const backup = findBackup(server.store, userId, numberOf(version))
  if (!backup) throw notFound('There is no such backup')
  return backup
}

const describe = ({ version, algorithm, authData, etag, count }: BackupRow) => ({
  version: String(version),
  algorithm,
  auth_data: JSON.parse(authData) as unknown,
  etag: String(etag),
  count,
})

function printAuthData(authData: unknown): string {
  const text = JSON.stringify(authData)
  if (Buffer.byteLength(text) > AUTH_DATA_LIMIT_BYTES)
    throw tooLarge(`auth_data may have at most ${AUTH_DATA_LIMIT_BYTES} bytes`)
  return text
}

/** `{"rooms":{"!a":{"sessions":{"s1":…}}}}`; the keys come in the order of rooms. */
function* printRooms(pages: Iterable<KeyPage>): Generator<string> {
  yield '{"rooms":{'
  let room: RoomId | undefined
  for (const keys of pages) {
    let piece = ''
    for (const { roomId, sessionId, json } of keys) {
      if (roomId === room) piece += ','
      else piece += `${room === undefined ? '' : '}},'}${JSON.stringify(roomId)}:{"sessions":{`
      room = roomId
      piece += `${JSON.stringify(sessionId)}:${json}`
    }
    yield piece
  }
  yield room === undefined ? '}}' : '}}}}'
}

function* printRoom(pages: Iterable<KeyPage>): Generator<string> {
  yield '{"sessions":{'
  let isFirst = true
  for (const keys of pages) {
    const piece = keys.map(({ sessionId, json }) => `${JSON.stringify(sessionId)}:${json}`).join(',')
    yield isFirst ? piece : `,${piece}`
    isFirst = false
  }
  yield '}}'
}

type Session = Readonly<{
  first_message_index: number
  forwarded_count: number
  is_verified: boolean
  session_data: unknown
}>
type Rooms = Readonly<Record<string, Readonly<{ sessions: Readonly<Record<string, Session>> }>>>
type Putting = Readonly<{ userId: UserId; version: string; rooms: Rooms; cause: string }>

/** Stores those keys that are better than what is there. */
function put(server: Homeserver, { userId, version: named, rooms, cause }: Putting): Promise<object> {
  const version = numberOf(named)
  const offered = Object.entries(rooms).flatMap(([roomId, { sessions }]) =>
    Object.entries(sessions).map(([sessionId, session]) => readKey(roomId, sessionId, session)),
  )
  if (offered.length > KEYS_PER_REQUEST) throw tooLarge(`At most ${KEYS_PER_REQUEST} keys may be stored at once`)
  const { store } = server
  return untilDecided(async () => {
    // Read before the keys: if they change meanwhile, so does it.
    const etag = findBackup(store, userId, version)?.etag ?? 0
    const keys: BackedUpKey[] = []
    let added = 0
    await unhurried(offered, (key) => {
      const known = findBackedUpKey(store, userId, version, key.roomId, key.sessionId)
      if (!isBetterKey(key, known)) return
      keys.push(key)
      if (!known) added++
    })
    return server.user(userId).ask({ kind: 'putRoomKeys', version, etag, keys, added }, cause)
  })
}

function readKey(roomId: string, sessionId: string, session: Session): BackedUpKey {
  if (!isRoomId(roomId)) throw invalidParam('Keys are stored by the ids of their rooms')
  if (sessionId === '' || sessionId.length > SESSION_ID_LIMIT)
    throw invalidParam(`The id of a session has 1 to ${SESSION_ID_LIMIT} characters`)
  const json = JSON.stringify(session)
  if (Buffer.byteLength(json) > BACKED_UP_KEY_LIMIT_BYTES)
    throw tooLarge(`A key may have at most ${BACKED_UP_KEY_LIMIT_BYTES} bytes`)
  return {
    roomId,
    sessionId,
    isVerified: session.is_verified,
    firstMessageIndex: session.first_message_index,
    forwardedCount: session.forwarded_count,
    json,
  }
}

type Removing = Readonly<{
  userId: UserId
  version: string
  roomId: RoomId | null
  sessionId: string | null
  cause: string
}>

function remove(
  server: Homeserver,
  { userId, version: named, roomId, sessionId, cause }: Removing,
): Promise<object> {
  const version = numberOf(named)
  return untilDecided(() => {
    const removed = countBackedUpKeys(server.store, userId, version, roomId, sessionId)
    const etag = findBackup(server.store, userId, version)?.etag ?? 0
    return server.user(userId).ask({ kind: 'deleteRoomKeys', version, etag, roomId, sessionId, removed }, cause)
  })
}

/** Looks and asks again as long as the backup has moved on in between. */
async function untilDecided(attempt: () => Promise<BackupState | null>): Promise<object> {
  for (let count = 0; count < ATTEMPTS; count++) {
    const state = await attempt()
    if (state) return { etag: String(state.etag), count: state.count }
  }
  throw limitExceeded('Too many devices write to this backup at once; try again', 1_000)
}
