import type { ClientEvent } from '#core/sync/client-event.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import type { Store } from './store.ts'

/** The events at or after a time (`f`, the earliest first) or at or before it (`b`, the latest first), by the clock of their servers. */
export function listEventsByTime(
  store: Store,
  { roomId, ts, dir, limit, offset }: Readonly<{ roomId: RoomId; ts: number; dir: 'b' | 'f'; limit: number; offset: number }>,
): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined) return []
  const [compare, order] = dir === 'f' ? ['>=', 'ASC'] : ['<=', 'DESC']
  return store.db
    .query<ClientEventRow, [number, number, number, number]>(`
      SELECT ${CLIENT_EVENT} FROM events e WHERE e.room = ? AND e.ts ${compare} ? AND e.position IS NOT NULL
       ORDER BY e.ts ${order}, e.num ${order} LIMIT ? OFFSET ?`)
    .all(room, ts, limit, offset)
    .map((row) => clientEventOf(store, row))
}

/** The oldest events that arrived after `since`, up to and including `until`, oldest first. */
export function listEventsAfter(
  store: Store,
  { roomId, since, until, limit }: Readonly<{ roomId: RoomId; since: number; until: number; limit: number }>,
): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined) return []
  return store.db
    .query<ClientEventRow, [number, number, number, number]>(`
      SELECT ${CLIENT_EVENT} FROM events e WHERE e.room = ? AND e.position > ? AND e.position <= ? ORDER BY e.position LIMIT ?`)
    .all(room, since, until, limit)
    .map((row) => clientEventOf(store, row))
}
