import type { RoomEvent } from '#schema/pdu.ts'
import { roomVersionRules, type RoomVersionRules } from '#core/room-version.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { eventIdOfKey, type EventKey } from './events.ts'
import type { Project } from './projectors.ts'
import { PDU_COLUMNS, pduOf, type PduRow } from './stored-pdu.ts'
import type { Store } from './store.ts'

/** Tables `room_state` (now) and `state_changes` (every position); called for state events only. */
export const projectStateChange: Project<EventAppended> = ({ db, names }, { roomId, pdu }, position) => {
  const room = names.numberOf(roomId)
  const type = names.numberOf(pdu.type)
  const stateKey = names.numberOf(pdu.state_key ?? '')
  const replaced = db
    .query<{ event: number }, [number, number, number]>('SELECT event FROM room_state WHERE room = ? AND type = ? AND state_key = ?')
    .get(room, type, stateKey)
  db.query('INSERT OR REPLACE INTO room_state (room, type, state_key, event) VALUES (?, ?, ?, ?)').run(room, type, stateKey, position)
  db.query('INSERT INTO state_changes (room, type, state_key, position, event, replaces) VALUES (?1, ?2, ?3, ?4, ?4, ?5)').run(
    room,
    type,
    stateKey,
    position,
    replaced?.event ?? null,
  )
  if (pdu.type === 'm.room.create') projectCreate(db, room, pdu.content.room_version, position)
}

function projectCreate(db: Store['db'], room: number, version: unknown, position: number): void {
  db.query('INSERT INTO rooms (room, version, create_event) VALUES (?, ?, ?)').run(room, typeof version === 'string' ? version : '1', position)
}

/** The rules of a room that this server knows. */
export function findRoomVersion({ db, names }: Store, roomId: RoomId): RoomVersionRules | undefined {
  const room = names.find(roomId)
  if (room === undefined) return undefined
  const row = db.query<{ version: string }, [number]>('SELECT version FROM rooms WHERE room = ?').get(room)
  return row ? roomVersionRules(row.version) : undefined
}

type StateRow = PduRow & { event_id: EventKey }

const eventsOfRows = (store: Store, roomId: RoomId, rows: readonly StateRow[]): RoomEvent[] =>
  rows.map((row) => ({ eventId: eventIdOfKey(row.event_id), roomId, pdu: pduOf(store, row) }))

/** The event at one place of the current state. */
export function findStateEvent(store: Store, roomId: RoomId, type: string, stateKey: string): RoomEvent | undefined {
  const { db, names } = store
  const [room, typeNum, keyNum] = [names.find(roomId), names.find(type), names.find(stateKey)]
  if (room === undefined || typeNum === undefined || keyNum === undefined) return undefined
  const row = db
    .query<StateRow, [number, number, number]>(`
      SELECT e.event_id, ${PDU_COLUMNS} FROM room_state s JOIN events e ON e.num = s.event
       WHERE s.room = ? AND s.type = ? AND s.state_key = ?`)
    .get(room, typeNum, keyNum)
  return row ? eventsOfRows(store, roomId, [row])[0] : undefined
}

/** All current state of one type, such as every `m.space.child`. */
export function listStateOfType(store: Store, roomId: RoomId, type: string): RoomEvent[] {
  const { db, names } = store
  const [room, typeNum] = [names.find(roomId), names.find(type)]
  if (room === undefined || typeNum === undefined) return []
  const rows = db
    .query<StateRow, [number, number]>(`
      SELECT e.event_id, ${PDU_COLUMNS} FROM room_state s JOIN events e ON e.num = s.event WHERE s.room = ? AND s.type = ?`)
    .all(room, typeNum)
  return eventsOfRows(store, roomId, rows)
}

/** Rooms that have state of that type under the empty key. */
export const listRoomsWithState = ({ db, names }: Store, type: string): RoomId[] =>
  db
    .query<{ room: number }, [number, number]>(
      'SELECT r.room FROM rooms r WHERE EXISTS (SELECT 1 FROM room_state s WHERE s.room = r.room AND s.type = ? AND s.state_key = ?)',
    )
    .all(names.find(type) ?? -1, names.find('') ?? -1)
    .map(({ room }) => names.textOf(room) as RoomId)
