import { stickyDuration } from '#core/sticky-events.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Sticky events of one room that are kept, and that one answer shows. */
export const STICKY_PER_ROOM = 1_000
export const STICKY_PER_ANSWER = 100

/** Called for events that say they are sticky. The expired and the oldest of too many go. */
export const projectSticky: Project<EventAppended> = ({ db, names }, { roomId, pdu }, position) => {
  const duration = stickyDuration(pdu.msc4354_sticky?.duration_ms)
  if (duration === undefined) return
  const room = names.numberOf(roomId)
  // Only the clock of this server says what has expired.
  const isOurs = db.query('SELECT 1 FROM users WHERE user = ?').get(names.numberOf(pdu.sender)) !== null
  if (isOurs) db.query('DELETE FROM sticky_events WHERE expires_ts <= ?').run(pdu.origin_server_ts)
  db.query('INSERT INTO sticky_events (event, room, expires_ts) VALUES (?, ?, ?)')
    .run(position, room, pdu.origin_server_ts + duration)
  db.query(`
    DELETE FROM sticky_events WHERE room = ?1 AND event <= (
      SELECT event FROM sticky_events WHERE room = ?1 ORDER BY event DESC LIMIT 1 OFFSET ${STICKY_PER_ROOM})
  `).run(room)
}

const STICKY = `
  SELECT ${CLIENT_EVENT} FROM sticky_events s JOIN events e ON e.num = s.event
   WHERE s.room = ? AND s.event > ? AND s.event <= ? AND s.expires_ts > ? AND e.redacted_by IS NULL
   ORDER BY s.event DESC LIMIT ${STICKY_PER_ANSWER}`

/** The newest sticky events after `since`, up to and including `until`, that last beyond `now`; oldest first. */
export function listStickyEvents(
  store: Store,
  { roomId, since, until, now }: Readonly<{ roomId: RoomId; since: number; until: number; now: number }>,
): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined) return []
  return store.db
    .query<ClientEventRow, [number, number, number, number]>(STICKY)
    .all(room, since, until, now)
    .reverse()
    .map((row) => clientEventOf(store, row))
}
