import type { RoomId, UserId } from '#schema/identifiers.ts'
import type {
  BackedUpKey,
  BackupCreated,
  BackupDeleted,
  BackupUpdated,
  RoomKeysCounted,
  RoomKeysDeleted,
  RoomKeysStored,
} from '#schema/journal/key-backup.ts'
import type { Hydrate, Project } from './projectors.ts'
import type { Store } from './store.ts'

export const projectBackupCreated: Project<BackupCreated> = (
  { db, names },
  { userId, version, algorithm, authData },
) => {
  db.query('INSERT INTO key_backups (user, version, algorithm, auth_data) VALUES (?, ?, ?, ?)').run(
    names.numberOf(userId),
    version,
    algorithm,
    authData,
  )
}

export const projectBackupUpdated: Project<BackupUpdated> = ({ db, names }, { userId, version, authData }) => {
  db.query('UPDATE key_backups SET auth_data = ? WHERE user = ? AND version = ?').run(
    authData,
    names.numberOf(userId),
    version,
  )
}

export const projectBackupDeleted: Project<BackupDeleted> = ({ db, names }, { userId, version }) => {
  const user = names.numberOf(userId)
  db.query('DELETE FROM key_backups WHERE user = ? AND version = ?').run(user, version)
  db.query('DELETE FROM backed_up_keys WHERE user = ? AND version = ?').run(user, version)
}

const project: Project<RoomKeysStored> = ({ db, names }, { userId, version, keys }, position) => {
  const user = names.numberOf(userId)
  const insert = db.query(`
    INSERT OR REPLACE INTO backed_up_keys
      (user, version, room, session_id, is_verified, first_message_index, forwarded_count, json, position)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  for (const { roomId, sessionId, isVerified, firstMessageIndex, forwardedCount, json } of keys)
    insert.run(
      user,
      version,
      names.numberOf(roomId),
      sessionId,
      Number(isVerified),
      firstMessageIndex,
      forwardedCount,
      json,
      position,
    )
}

type KeyRow = {
  version: number
  room: number
  session_id: string
  is_verified: number
  first_message_index: number
  forwarded_count: number
  json: string
}

const COLUMNS = 'version, room, session_id, is_verified, first_message_index, forwarded_count, json'

const readKey = ({ names }: Store, row: KeyRow): BackedUpKey => ({
  roomId: names.textOf(row.room) as RoomId,
  sessionId: row.session_id,
  isVerified: row.is_verified === 1,
  firstMessageIndex: row.first_message_index,
  forwardedCount: row.forwarded_count,
  json: row.json,
})

/** What later facts have written over or deleted is not missed: they come after it. */
const hydrate: Hydrate<RoomKeysStored> = (store, position, actorId) => {
  const rows = store.db
    .query<KeyRow, [number]>(`SELECT ${COLUMNS} FROM backed_up_keys WHERE position = ?`)
    .all(position)
  return {
    kind: 'roomKeysStored',
    userId: actorId as UserId,
    version: rows[0]?.version ?? 0,
    keys: rows.map((row) => readKey(store, row)),
  }
}

export const roomKeysStoredRow = { project, hydrate }

export const projectRoomKeysDeleted: Project<RoomKeysDeleted> = (
  { db, names },
  { userId, version, roomId, sessionId },
) => {
  const where = [
    'user = ?',
    'version = ?',
    ...(roomId === null ? [] : ['room = ?']),
    ...(sessionId === null ? [] : ['session_id = ?']),
  ]
  const values = [
    names.numberOf(userId),
    version,
    ...(roomId === null ? [] : [names.numberOf(roomId)]),
    ...(sessionId === null ? [] : [sessionId]),
  ]
  db.query(`DELETE FROM backed_up_keys WHERE ${where.join(' AND ')}`).run(...values)
}

export const projectRoomKeysCounted: Project<RoomKeysCounted> = (
  { db, names },
  { userId, version, etag, count },
) => {
  db.query('UPDATE key_backups SET etag = ?, count = ? WHERE user = ? AND version = ?').run(
    etag,
    count,
    names.numberOf(userId),
    version,
  )
}

/** All backups of an account that is no more. */
export function deleteBackupsOf({ db, names }: Store, userId: UserId): void {
  for (const table of ['key_backups', 'backed_up_keys'])
    db.query(`DELETE FROM ${table} WHERE user = ?`).run(names.numberOf(userId))
}

/** `authData` is JSON. */
export type BackupRow = Readonly<{
  version: number
  algorithm: string
  authData: string
  etag: number
  count: number
}>

const BACKUP = 'SELECT version, algorithm, auth_data AS authData, etag, count FROM key_backups WHERE user = ?'

export const findBackup = ({ db, names }: Store, userId: UserId, version: number): BackupRow | undefined =>
  db.query<BackupRow, [number, number]>(`${BACKUP} AND version = ?`).get(names.find(userId) ?? -1, version) ??
  undefined

/** The newest that was not deleted. */
export const findCurrentBackup = ({ db, names }: Store, userId: UserId): BackupRow | undefined =>
  db.query<BackupRow, [number]>(`${BACKUP} ORDER BY version DESC LIMIT 1`).get(names.find(userId) ?? -1) ??
  undefined

export function findBackedUpKey(
  store: Store,
  userId: UserId,
  version: number,
  roomId: RoomId,
  sessionId: string,
): BackedUpKey | undefined {
  const [user, room] = [store.names.find(userId), store.names.find(roomId)]
  if (user === undefined || room === undefined) return undefined
  const row = store.db
    .query<KeyRow, [number, number, number, string]>(
      `SELECT ${COLUMNS} FROM backed_up_keys WHERE user = ? AND version = ? AND room = ? AND session_id = ?`,
    )
    .get(user, version, room, sessionId)
  return row ? readKey(store, row) : undefined
}

/** Rows that are read at once: between two pages others have their turn. */
const ROWS_PER_PAGE = 500

export type KeyPage = readonly Readonly<{ roomId: RoomId; sessionId: string; json: string }>[]

/** The keys of one room, or of all (`roomId` null), in the order of rooms, page by page. */
export function* pagesOfBackedUpKeys(store: Store, userId: UserId, version: number, roomId: RoomId | null): Generator<KeyPage> {
  const { db, names } = store
  const user = names.find(userId)
  const only = roomId === null ? null : (names.find(roomId) ?? -1)
  if (user === undefined || only === -1) return
  let [room, sessionId] = [only ?? 0, '']
  for (;;) {
    const rows = db
      .query<{ room: number; session_id: string; json: string }, [number, number, number, string, number]>(
        `
        SELECT room, session_id, json FROM backed_up_keys
         WHERE user = ? AND version = ? AND ${only === null ? '(room, session_id) > (?, ?)' : 'room = ? AND session_id > ?'}
         ORDER BY room, session_id LIMIT ?`,
      )
      .all(user, version, room, sessionId, ROWS_PER_PAGE)
    const last = rows.at(-1)
    if (!last) return
    ;[room, sessionId] = [last.room, last.session_id]
    yield rows.map((row) => ({ roomId: names.textOf(row.room) as RoomId, sessionId: row.session_id, json: row.json }))
    if (rows.length < ROWS_PER_PAGE) return
  }
}

/** How many keys there are under these names. */
export function countBackedUpKeys(
  { db, names }: Store,
  userId: UserId,
  version: number,
  roomId: RoomId | null,
  sessionId: string | null,
): number {
  const [user, room] = [names.find(userId) ?? -1, roomId === null ? null : (names.find(roomId) ?? -1)]
  return (
    db
      .query<{ total: number }, [number, number, number | null, string | null]>(
        `
      SELECT count(*) AS total FROM backed_up_keys
       WHERE user = ?1 AND version = ?2 AND (?3 IS NULL OR room = ?3) AND (?4 IS NULL OR session_id = ?4)`,
      )
      .get(user, version, room, sessionId)?.total ?? 0
  )
}
