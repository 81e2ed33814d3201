import type { OriginalsForgotten } from '#schema/journal/room.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** To be called before the text of an event is overwritten. What was redacted before has no original any more. */
export function keepOriginal({ db }: Store, num: number, redactedTs: number): void {
  db.query(`
    INSERT OR IGNORE INTO redacted_originals (event, room, redacted_ts, content_start, content_end, json)
    SELECT num, room, ?, content_start, content_end, json FROM events WHERE num = ? AND redacted_by IS NULL
  `).run(redactedTs, num)
}

export const projectOriginalsForgotten: Project<OriginalsForgotten> = ({ db, names }, { roomId, until }) => {
  db.query('DELETE FROM redacted_originals WHERE room = ? AND redacted_ts <= ?').run(names.numberOf(roomId), until)
}

export type OriginalText = { content_start: number; content_end: number; json: string }

/** The columns of `events` as they were before the redaction. */
export const findOriginalText = ({ db }: Store, num: number): OriginalText | undefined =>
  db.query<OriginalText, [number]>('SELECT content_start, content_end, json FROM redacted_originals WHERE event = ?').get(num) ?? undefined

/** Rooms with originals of events that were redacted at `until` or before. */
export const listRoomsWithOriginals = ({ db, names }: Store, until: number): RoomId[] =>
  db
    .query<{ room: number }, [number]>('SELECT DISTINCT room FROM redacted_originals WHERE redacted_ts <= ?')
    .all(until)
    .map(({ room }) => names.textOf(room) as RoomId)
