import type { EventId, RoomId } from '#schema/identifiers.ts'
import type { MessageSelfDestructed, SelfDestructSet } from '#schema/journal/self-destruct.ts'
import { type EventKey, eventIdOfKey, eventKeyOf, redactedText } from './events.ts'
import type { Project } from './projectors.ts'
import { projectRelationRedacted } from './relations.ts'
import { PDU_COLUMNS, type PduRow } from './stored-pdu.ts'
import type { Store } from './store.ts'

/** Table `self_destructs`: messages that will end (MSC2228). */

/** Stands in `redacted_by` where no redaction made the event what it is but time; no event has this number. */
const BY_TIME = 0

export const projectSelfDestructSet: Project<SelfDestructSet> = ({ db, names }, { roomId, eventId, expiresTs }) => {
  db.query('INSERT OR REPLACE INTO self_destructs (event, room, expires_ts) SELECT num, ?, ? FROM events WHERE event_id = ?')
    .run(names.numberOf(roomId), expiresTs, eventKeyOf(eventId))
}

/** As if it were redacted, unless it is; and what it said before it was redacted is not kept for moderators any more. */
export const projectSelfDestructed: Project<MessageSelfDestructed> = (store, fact, position, actorId) => {
  const { db } = store
  const row = db
    .query<PduRow & { num: number; redacted_by: number | null }, [EventKey]>(
      `SELECT e.num, e.redacted_by, ${PDU_COLUMNS} FROM events e WHERE e.event_id = ?`)
    .get(eventKeyOf(fact.eventId))
  if (!row) return
  if (row.redacted_by === null) {
    const { json, start, end } = redactedText(store, row, fact.roomId)
    db.query('UPDATE events SET json = ?, content_start = ?, content_end = ?, redacted_by = ? WHERE num = ?').run(json, start, end, BY_TIME, row.num)
    projectRelationRedacted(store, fact, position, actorId)
  }
  db.query('DELETE FROM redacted_originals WHERE event = ?').run(row.num)
  db.query('DELETE FROM self_destructs WHERE event = ?').run(row.num)
}

/** Messages whose time has come, the most overdue first. */
export const listDueSelfDestructs = ({ db, names }: Store, now: number, limit: number): { roomId: RoomId; eventId: EventId }[] =>
  db
    .query<{ room: number; event_id: EventKey }, [number, number]>(`
      SELECT x.room, e.event_id FROM self_destructs x JOIN events e ON e.num = x.event
       WHERE x.expires_ts <= ? ORDER BY x.expires_ts LIMIT ?`)
    .all(now, limit)
    .map(({ room, event_id: key }) => ({ roomId: names.textOf(room) as RoomId, eventId: eventIdOfKey(key) }))

export const willSelfDestruct = ({ db }: Store, num: number): boolean =>
  db.query('SELECT 1 FROM self_destructs WHERE event = ?').get(num) !== null
