import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from './store.ts'

export type MutualRooms = Readonly<{
  rooms: readonly RoomId[]
  /** Of all, not only of this page. */
  count: number
  /** Behind which room the next page begins; null: there is none. */
  next: number | null
}>

const MUTUAL = `
  FROM memberships own JOIN memberships other ON other.room = own.room AND other.user = ?2
 WHERE own.user = ?1 AND own.membership = 'join' AND other.membership = 'join'`

/** The rooms in which two users are joined, in a stable order; `after` is the `next` of the page before. */
export function listMutualRooms(
  { db, names }: Store,
  { one, other, after, limit }: Readonly<{ one: UserId; other: UserId; after: number; limit: number }>,
): MutualRooms {
  const [first, second] = [names.find(one), names.find(other)]
  if (first === undefined || second === undefined) return { rooms: [], count: 0, next: null }
  const rows = db
    .query<{ room: number }, [number, number, number, number]>(
      `SELECT own.room ${MUTUAL} AND own.room > ?3 ORDER BY own.room LIMIT ?4`,
    )
    .all(first, second, after, limit + 1)
    .map(({ room }) => room)
  const shown = rows.slice(0, limit)
  const counted = db.query<{ total: number }, [number, number]>(`SELECT count(*) AS total ${MUTUAL}`).get(first, second)
  return {
    rooms: shown.map((room) => names.textOf(room) as RoomId),
    count: counted?.total ?? 0,
    next: rows.length > limit ? (shown.at(-1) ?? null) : null,
  }
}
