import type { RoomId } from '#schema/identifiers.ts'
import type { Store } from './store.ts'

export type RoomCount = Readonly<{ roomId: RoomId; version: string; joined: number; isPublished: boolean }>

type Row = { name: RoomId; version: string; joined: number; is_published: number }

const readRow = ({ name, version, joined, is_published }: Row): RoomCount => ({
  roomId: name,
  version,
  joined,
  isPublished: is_published === 1,
})

/** Rooms in the order of their ids, `search` being part of the id, and how many there are in all. */
export function listRooms({ db }: Store, { from, limit, search }: { from: number; limit: number; search: string | null }) {
  const matching = 'FROM rooms r JOIN names n ON n.num = r.room WHERE (?1 IS NULL OR instr(lower(n.name), lower(?1)) > 0)'
  const rooms = db
    .query<Row, [string | null, number, number]>(`SELECT n.name, r.version, r.joined, r.is_published ${matching} ORDER BY n.name LIMIT ?2 OFFSET ?3`)
    .all(search, limit, from)
    .map(readRow)
  const total = db.query<{ total: number }, [string | null]>(`SELECT count(*) AS total ${matching}`).get(search)?.total ?? 0
  return { rooms, total }
}

export function findRoom({ db, names }: Store, roomId: RoomId): RoomCount | undefined {
  const row = db
    .query<Row, [number]>('SELECT n.name, r.version, r.joined, r.is_published FROM rooms r JOIN names n ON n.num = r.room WHERE r.room = ?')
    .get(names.find(roomId) ?? -1)
  return row ? readRow(row) : undefined
}

export const listRoomIds = ({ db, names }: Store): RoomId[] =>
  db.query<{ room: number }, []>('SELECT room FROM rooms').all().map(({ room }) => names.textOf(room) as RoomId)

/** Members of this server who are joined. */
export const countJoinedOf = ({ db, names }: Store, roomId: RoomId, serverName: string): number =>
  db
    .query<{ total: number }, [number, string]>(`
      SELECT count(*) AS total FROM memberships m JOIN names n ON n.num = m.user
       WHERE m.room = ?1 AND m.membership = 'join' AND substr(n.name, instr(n.name, ':') + 1) = ?2`)
    .get(names.find(roomId) ?? -1, serverName)?.total ?? 0

export const countState = ({ db, names }: Store, roomId: RoomId): number =>
  db.query<{ total: number }, [number]>('SELECT count(*) AS total FROM room_state WHERE room = ?').get(names.find(roomId) ?? -1)?.total ?? 0

export const countRooms = ({ db }: Store): number =>
  db.query<{ total: number }, []>('SELECT count(*) AS total FROM rooms').get()?.total ?? 0

/** Bytes of the database without its write-ahead log. */
export function databaseBytes({ db }: Store): number {
  const pages = db.query<{ page_count: number }, []>('PRAGMA page_count').get()?.page_count ?? 0
  const size = db.query<{ page_size: number }, []>('PRAGMA page_size').get()?.page_size ?? 0
  return pages * size
}
