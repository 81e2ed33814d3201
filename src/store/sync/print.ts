import type { JsonObject } from '#schema/pdu.ts'
import { redactEvent } from '#core/redaction.ts'
import type { ClientEvent, Unsigned } from '#core/sync/client-event.ts'
import { selectFields } from '#core/sync/filter.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { printFor } from '#store/client-events.ts'
import { erasureFor } from '#store/erasure.ts'
import { findRoomVersion } from '#store/room-state.ts'
import type { Sight } from '#store/sight.ts'
import { PDU_COLUMNS, pduOf, type PduRow } from '#store/stored-pdu.ts'
import type { Store } from '#store/store.ts'
import { type Reading, unsignedFor } from './reading.ts'

export type Print = (event: ClientEvent, relations?: string) => string

/**
 * How the events of a room are printed for one reader: in the format and with the fields that the filter asks for.
 * Whoever was in the room all along has no `sight` of their own; to others the events of erased users are redacted.
 */
export function printerFor(reading: Reading, roomId: RoomId, sight: Sight | undefined): Print {
  const { store, filter } = reading
  const erase = sight ? erasureFor(store, roomId, sight) : undefined
  const unsignedOf = (event: ClientEvent): Unsigned => unsignedFor(reading, sight?.membershipAt(event.num) ?? 'join')
  const shownAs = (event: ClientEvent): ClientEvent => erase?.(event) ?? event
  if (filter.eventFormat === 'federation') return (event) => printPdu(store, roomId, event, shownAs(event) !== event)
  const print: Print = (event, relations) => printFor(store, shownAs(event), { ...unsignedOf(event), relations })
  if (!filter.eventFields?.length) return print
  return (event, relations) => JSON.stringify(selectFields(JSON.parse(print(event, relations)) as JsonObject, filter.eventFields))
}

/** The event as servers tell it to each other, and the ids that it need not hold itself. */
function printPdu(store: Store, roomId: RoomId, { num, eventId }: ClientEvent, isRedacted: boolean): string {
  const row = store.db.query<PduRow, [number]>(`SELECT ${PDU_COLUMNS} FROM events e WHERE e.num = ?`).get(num)
  const rules = findRoomVersion(store, roomId)
  if (!row || !rules) throw new Error(`event ${eventId} or its room is missing`)
  const pdu = pduOf(store, row)
  return JSON.stringify({ ...(isRedacted ? redactEvent(rules, pdu) : pdu), event_id: eventId, room_id: roomId })
}
