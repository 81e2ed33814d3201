import type { RoomId } from '#schema/identifiers.ts'
import type { Store } from './store.ts'

type Row = { json: string; content_start: number; content_end: number }

const CONTENT_NOW = `
  SELECT e.json, e.content_start, e.content_end FROM room_state s JOIN events e ON e.num = s.event
   WHERE s.room = ? AND s.type = ? AND s.state_key = ?`

const CONTENT_THEN = `
  SELECT e.json, e.content_start, e.content_end FROM events e WHERE e.num = (
    SELECT c.event FROM state_changes c
     WHERE c.room = ? AND c.type = ? AND c.state_key = ? AND c.position <= ? ORDER BY c.position DESC LIMIT 1)`

/** The content at one place of the state, as JSON text, after everything up to `until`; `Infinity` for now. */
export function findStateContent({ db, names }: Store, roomId: RoomId, [type, stateKey]: readonly [string, string], until: number): string | undefined {
  const [room, typeNum, keyNum] = [names.find(roomId), names.find(type), names.find(stateKey)]
  if (room === undefined || typeNum === undefined || keyNum === undefined) return undefined
  const row = until === Infinity
    ? db.query<Row, [number, number, number]>(CONTENT_NOW).get(room, typeNum, keyNum)
    : db.query<Row, [number, number, number, number]>(CONTENT_THEN).get(room, typeNum, keyNum, until)
  return row?.json.slice(row.content_start, row.content_end)
}
