import { byCodePoint, canonicalJson } from '#core/canonical-json.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { Store } from './store.ts'

/** Members of a PDU that have columns of their own; the stored text leaves them out, a fifth of a message. */
const IN_COLUMNS: ReadonlySet<string> = new Set(['depth', 'origin_server_ts', 'room_id', 'sender', 'state_key', 'type'])

/** The columns that `pduOf` reads, of `events e`. */
export const PDU_COLUMNS = 'e.room, e.type, e.state_key, e.sender, e.depth, e.ts, e.json'
export type PduRow = Readonly<{ room: number; type: number; state_key: number | null; sender: number; depth: number; ts: number; json: string }>

/**
 * What `events.json` keeps of a PDU: its canonical text without the members that are columns. All of them stand behind
 * `content`, so that `content` stands where it stood. The few events without a `room_id` are kept whole.
 */
export function storedText(pdu: Pdu, json: string, contentEnd: number, roomId: RoomId): string {
  if (pdu.room_id !== roomId) return json
  const values: JsonObject = pdu
  const behind = Object.entries(values).filter(([key]) => byCodePoint(key, 'content') > 0 && !IN_COLUMNS.has(key))
  const tail = canonicalJson(Object.fromEntries(behind))
  return `${json.slice(0, contentEnd)}${behind.length > 0 ? ',' : ''}${tail.slice(1)}`
}

/** The PDU of a row, whole again. */
export function pduOf({ names }: Store, row: PduRow): Pdu {
  const stored = JSON.parse(row.json) as Pdu
  if (stored.type !== undefined) return stored
  return {
    ...stored,
    depth: row.depth,
    origin_server_ts: row.ts,
    room_id: names.textOf(row.room) as RoomId,
    sender: names.textOf(row.sender) as Pdu['sender'],
    type: names.textOf(row.type),
    ...(row.state_key === null ? {} : { state_key: names.textOf(row.state_key) }),
  }
}
