import type { ClientEvent } from '#core/sync/client-event.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import type { Store } from './store.ts'

/** The whole current state. */
export function listCurrentState(store: Store, roomId: RoomId): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined) return []
  return store.db
    .query<ClientEventRow, [number]>(`SELECT ${CLIENT_EVENT} FROM room_state s JOIN events e ON e.num = s.event WHERE s.room = ?`)
    .all(room)
    .map((row) => clientEventOf(store, row))
}

const NEWEST_CHANGE = `
  SELECT c.event, max(c.position) FROM state_changes c
   WHERE c.room = ?1 AND c.position > ?2 AND c.position <= ?3 GROUP BY c.type, c.state_key`

/** State that changed after `since`, as it stands at `until`; keys that left the state in between are not told. */
export function listStateBetween(store: Store, { roomId, since, until }: { roomId: RoomId; since: number; until: number }): ClientEvent[] {
  const room = store.names.find(roomId)
  if (room === undefined || since >= until) return []
  return store.db
    .query<ClientEventRow, [number, number, number]>(`SELECT ${CLIENT_EVENT} FROM (${NEWEST_CHANGE}) n JOIN events e ON e.num = n.event`)
    .all(room, since, until)
    .map((row) => clientEventOf(store, row))
}

/** The whole state after everything up to `position`. */
export const listStateAt = (store: Store, roomId: RoomId, position: number): ClientEvent[] =>
  listStateBetween(store, { roomId, since: 0, until: position })

/** One place of the state after everything up to `position`. */
export function findStateAt(store: Store, roomId: RoomId, type: string, stateKey: string, position: number): ClientEvent | undefined {
  const { db, names } = store
  const [room, typeNum, keyNum] = [names.find(roomId), names.find(type), names.find(stateKey)]
  if (room === undefined || typeNum === undefined || keyNum === undefined) return undefined
  const row = db
    .query<ClientEventRow, [number, number, number, number]>(`
      SELECT ${CLIENT_EVENT} FROM events e WHERE e.num = (
        SELECT c.event FROM state_changes c
         WHERE c.room = ? AND c.type = ? AND c.state_key = ? AND c.position <= ? ORDER BY c.position DESC LIMIT 1)`)
    .get(room, typeNum, keyNum, position)
  return row ? clientEventOf(store, row) : undefined
}
