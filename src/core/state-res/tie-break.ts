import { byCodePoint } from '#core/canonical-json.ts'
import type { RoomEvent } from '#schema/pdu.ts'

/**
 * Where an ordering of state resolution leaves two events level: the earlier `origin_server_ts` first, then
 * the lesser event id. Ids of room version 2 may hold any character, so they are compared by code point.
 * spec: rooms/v2#definitions
 */
export const byTimeThenId = (one: RoomEvent, other: RoomEvent): number =>
  one.pdu.origin_server_ts - other.pdu.origin_server_ts || byCodePoint(one.eventId, other.eventId)
