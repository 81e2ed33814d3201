import type { ClientEvent } from '#core/sync/client-event.ts'
import type { TimelineToken } from '#core/sync/token.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import type { Store } from './store.ts'

/** The newest events that arrived after `since`, up to and including `until`, oldest first; at most `limit`. */
export function listEventsBetween(
  store: Store,
  { roomId, since, until, limit }: { roomId: RoomId; since: number; until: number; limit: number },
): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined) return []
  return store.db
    .query<ClientEventRow, [number, number, number, number]>(`
      SELECT ${CLIENT_EVENT} FROM events e
       WHERE e.room = ? AND e.position > ? AND e.position <= ? ORDER BY e.position DESC LIMIT ?`)
    .all(room, since, until, limit)
    .reverse()
    .map((row) => clientEventOf(store, row))
}

/** The place right after everything that had arrived by `position`. */
export function placeAt({ db, names }: Store, roomId: RoomId, position: number): TimelineToken {
  const row = db
    .query<{ depth: number; num: number }, [number, number]>(
      'SELECT depth, num FROM events WHERE room = ? AND position <= ? ORDER BY position DESC LIMIT 1',
    )
    .get(names.find(roomId) ?? -1, position)
  return row ?? { depth: 0, num: 0 }
}

/** Events before (`b`, newest first) or after (`f`, oldest first) a place, in the order of the room's graph. */
export function listEventsFrom(
  store: Store,
  { roomId, from, to, dir, limit }: { roomId: RoomId; from: TimelineToken; to?: TimelineToken | undefined; dir: 'b' | 'f'; limit: number },
): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined) return []
  const [compare, order, stop] = dir === 'b' ? ['<=', 'DESC', '>'] : ['>', 'ASC', '<=']
  const last = to ?? (dir === 'b' ? { depth: -1, num: -1 } : { depth: Number.MAX_SAFE_INTEGER, num: Number.MAX_SAFE_INTEGER })
  return store.db
    .query<ClientEventRow, [number, number, number, number, number, number]>(`
      SELECT ${CLIENT_EVENT} FROM events e
       WHERE e.room = ? AND (e.depth, e.num) ${compare} (?, ?) AND (e.depth, e.num) ${stop} (?, ?) AND e.position IS NOT NULL
       ORDER BY e.depth ${order}, e.num ${order} LIMIT ?`)
    .all(room, from.depth, from.num, last.depth, last.num, limit)
    .map((row) => clientEventOf(store, row))
}
