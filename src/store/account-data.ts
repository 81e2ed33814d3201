import type { JsonObject } from '#schema/pdu.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { AccountDataDeleted, AccountDataSet } from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** `json` is the content as it stands in the table: null for what was deleted, which a sync shows as `{}`. */
export type AccountDataRow = Readonly<{ roomId: RoomId | null; type: string; json: string | null; position: number }>

// SQLite will not have NULL in a primary key; names are numbered from 1.
const NO_ROOM = 0
const DELETED = 'null'

type Written = [type: string, json: string, position: number]

const write = ({ db, names }: Store, userId: UserId, roomId: RoomId | null, row: Written): void =>
  void db
    .query('INSERT OR REPLACE INTO account_data (user, room, type, content, position) VALUES (?, ?, ?, ?, ?)')
    .run(names.numberOf(userId), roomId === null ? NO_ROOM : names.numberOf(roomId), ...row)

export const projectAccountDataSet: Project<AccountDataSet> = (store, { userId, roomId, type, content }, position) =>
  write(store, userId, roomId, [type, JSON.stringify(content), position])

export const projectAccountDataDeleted: Project<AccountDataDeleted> = (store, { userId, roomId, type }, position) =>
  write(store, userId, roomId, [type, DELETED, position])

/** The content of one type as JSON; undefined when there is none. `roomId` null: the account's own. */
export function findAccountDataJson(store: Store, userId: UserId, roomId: RoomId | null, type: string): string | undefined {
  const { db, names } = store
  const [user, room] = [names.find(userId), roomId === null ? NO_ROOM : names.find(roomId)]
  if (user === undefined || room === undefined) return undefined
  const json = db
    .query<{ content: string }, [number, number, string]>(
      'SELECT content FROM account_data WHERE user = ? AND room = ? AND type = ?',
    )
    .get(user, room, type)?.content
  return json === DELETED ? undefined : json
}

export function findAccountData(store: Store, userId: UserId, roomId: RoomId | null, type: string): JsonObject | undefined {
  const json = findAccountDataJson(store, userId, roomId, type)
  return json === undefined ? undefined : (JSON.parse(json) as JsonObject)
}

type Row = { room: number; type: string; content: string; position: number }

const readRow = ({ names }: Store, { room, type, content, position }: Row): AccountDataRow => ({
  roomId: room === NO_ROOM ? null : (names.textOf(room) as RoomId),
  type,
  json: content === DELETED ? null : content,
  position,
})

/** What changed after `since`, up to and including `until`, in all rooms and the account itself, oldest first. */
export function listAccountDataBetween(store: Store, userId: UserId, since: number, until: number): AccountDataRow[] {
  const user = store.names.find(userId)
  if (user === undefined) return []
  return store.db
    .query<Row, [number, number, number]>(`
      SELECT room, type, content, position FROM account_data
       WHERE user = ? AND position > ? AND position <= ? ORDER BY position
    `)
    .all(user, since, until)
    .map((row) => readRow(store, row))
}

/** All there is of one room, or of the account itself (`roomId` null), without what was deleted. */
export const listAccountDataOf = (store: Store, userId: UserId, roomId: RoomId | null): AccountDataRow[] =>
  listAllAccountDataOf(store, userId, roomId).filter(({ json }) => json !== null)

/** The same, and what was deleted. */
export function listAllAccountDataOf(store: Store, userId: UserId, roomId: RoomId | null): AccountDataRow[] {
  const [user, room] = [store.names.find(userId), roomId === null ? NO_ROOM : store.names.find(roomId)]
  if (user === undefined || room === undefined) return []
  return store.db
    .query<Row, [number, number]>('SELECT room, type, content, position FROM account_data WHERE user = ? AND room = ? ORDER BY position')
    .all(user, room)
    .map((row) => readRow(store, row))
}
