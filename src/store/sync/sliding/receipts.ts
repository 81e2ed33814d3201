import type { RoomId } from '#schema/identifiers.ts'
import { printReceipts, type ReceiptRow } from '#store/sync/ephemeral.ts'
import type { SlidingReading } from './reading.ts'

/** Receipts that a room is first shown with, the newest, beside the reader's own. */
const FIRST_RECEIPTS = 500

const COLUMNS = 'n.name, r.type, r.thread, e.event_id, r.ts'
const JOINED = 'receipts r JOIN names n ON n.num = r.user JOIN events e ON e.num = r.event'
const MAY_SEE = "(r.type <> 'm.read.private' OR r.user = ?2)"

/**
 * What was read in a room after `since`, as JSON text; undefined: nothing. Where older events are shown than before, also who
 * has read up to them. Private receipts are their owner's alone.
 */
export function readReceipts(reading: SlidingReading, roomId: RoomId, since: number): string | undefined {
  const { store: { db, names }, userId, until, expanded } = reading
  const rows = db
    .query<ReceiptRow, [number, number, number, number]>(`
      SELECT ${COLUMNS} FROM ${JOINED} WHERE r.room = ?1 AND r.position > ?3 AND r.position <= ?4 AND ${MAY_SEE}`)
    .all(names.find(roomId) ?? -1, names.find(userId) ?? -1, since, until)
  return print(reading, expanded.has(roomId) ? [...firstReceipts(reading, roomId, 0), ...rows] : rows)
}

// A receipt comes after its event, so those on the newest events are among the newest receipts.
const ON_NEWEST = `
  SELECT ${COLUMNS} FROM ${JOINED}
   WHERE r.room = ?1 AND r.position > ?3 AND r.position <= ?4 AND r.event >= ?3 AND r.user <> ?2 AND ${MAY_SEE}
   ORDER BY r.position DESC LIMIT ${FIRST_RECEIPTS}`
const FIRST = `SELECT ${COLUMNS} FROM ${JOINED} WHERE r.room = ?1 AND r.user = ?2 UNION ALL SELECT * FROM (${ON_NEWEST})`
const NEWEST = 'SELECT position FROM events WHERE room = ? AND position <= ? ORDER BY position DESC LIMIT 1 OFFSET ?'

/** The reader's own receipts, and those on the events that are shown: in an answer without any on the newest `limit`. */
export const readFirstReceipts = (reading: SlidingReading, roomId: RoomId, limit: number): string | undefined =>
  print(reading, firstReceipts(reading, roomId, limit))

function firstReceipts({ store: { db, names }, userId, until, shownFrom }: SlidingReading, roomId: RoomId, limit: number): ReceiptRow[] {
  const [room, user] = [names.find(roomId) ?? -1, names.find(userId) ?? -1]
  const newest = (): number => db.query<{ position: number }, [number, number, number]>(NEWEST).get(room, until, limit - 1)?.position ?? 0
  const first = shownFrom.get(roomId) ?? (limit === 0 ? until : newest())
  return db.query<ReceiptRow, [number, number, number, number]>(FIRST).all(room, user, first, until)
}

function print({ ignored }: SlidingReading, rows: readonly ReceiptRow[]): string | undefined {
  const shown = rows.filter(({ name }) => !ignored.has(name))
  return shown.length === 0 ? undefined : printReceipts(shown)
}
