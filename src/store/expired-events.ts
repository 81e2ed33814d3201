import type { EventsExpired } from '#schema/journal/room.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { eventIdOfKey, eventKeyOf, type EventKey, redactedText } from './events.ts'
import type { Project } from './projectors.ts'
import { projectRelationRedacted } from './relations.ts'
import { PDU_COLUMNS, type PduRow } from './stored-pdu.ts'
import type { Store } from './store.ts'
import { projectUnreadRedaction } from './unread-counters.ts'

/** What expires counts as unread no more; called while it still has its content. */
export const projectUnreadExpired: Project<EventsExpired> = (store, { roomId, eventIds }, position, actorId) => {
  for (const eventId of eventIds)
    projectUnreadRedaction(store, { kind: 'eventRedacted', roomId, eventId, redactedBy: eventId }, position, actorId)
}

/** Moves the events to where nobody reads them. State never expires. */
export const projectEventsExpired: Project<EventsExpired> = (store, fact, position, actorId) => {
  for (const eventId of fact.eventIds) {
    const row = store.db
      .query<PduRow & { num: number }, [EventKey]>(`SELECT e.num, ${PDU_COLUMNS} FROM events e WHERE e.event_id = ? AND e.state_key IS NULL`)
      .get(eventKeyOf(eventId))
    if (!row) continue
    projectRelationRedacted(store, { kind: 'eventRedacted', roomId: fact.roomId, eventId, redactedBy: eventId }, position, actorId)
    move(store, row, fact.roomId, position)
  }
}

function move(store: Store, row: PduRow & { num: number }, roomId: RoomId, position: number): void {
  const { db } = store
  const { json, start, end } = redactedText(store, row, roomId)
  db.query(`
    INSERT INTO expired_events (num, room, event_id, type, sender, depth, ts, content_start, content_end, json, expired)
    SELECT num, room, event_id, type, sender, depth, ts, ?2, ?3, ?4, ?5 FROM events WHERE num = ?1
  `).run(row.num, start, end, json, position)
  db.query('DELETE FROM events WHERE num = ?').run(row.num)
  db.query('DELETE FROM redacted_originals WHERE event = ?').run(row.num)
  db.query('DELETE FROM self_destructs WHERE event = ?').run(row.num)
  db.query('DELETE FROM sticky_events WHERE event = ?').run(row.num)
  db.query('DELETE FROM relations WHERE parent = ?').run(row.num)
  db.query('DELETE FROM threads WHERE root = ?').run(row.num)
}

export type Expiring = Readonly<{ eventId: EventId; ts: number }>

/** Messages of a room that were sent after `since` and at `until` or before, the oldest first. */
export function listMessagesUntil(
  { db, names }: Store,
  { roomId, since, until, limit }: Readonly<{ roomId: RoomId; since: number; until: number; limit: number }>,
): Expiring[] {
  return db
    .query<{ event_id: EventKey; ts: number }, [number, number, number, number]>(
      'SELECT event_id, ts FROM events WHERE room = ? AND ts > ? AND ts <= ? AND state_key IS NULL ORDER BY ts LIMIT ?',
    )
    .all(names.find(roomId) ?? -1, since, until, limit)
    .map(({ event_id: key, ts }) => ({ eventId: eventIdOfKey(key), ts }))
}
