import type { EventId, RoomId } from '#schema/identifiers.ts'
import { badJson } from '#schema/matrix-error.ts'
import { encodeBase64, encodeBase64Url } from './base64.ts'
import { sha256 } from './digest.ts'
import type { Pdu } from '#schema/pdu.ts'
import type { RoomVersionRules } from './room-version.ts'
import { eventSigningText } from './signing.ts'

/**
 * SHA-256 of the redacted event without signatures and unsigned data: 32 bytes.
 * spec: server-server-api#calculating-the-reference-hash-for-an-event
 */
export const referenceHash = (rules: RoomVersionRules, pdu: Pdu): Uint8Array =>
  sha256(eventSigningText(rules, pdu))

/**
 * The id of an event: its reference hash, or in room versions 1 and 2 the id that it carries.
 * Throws `M_BAD_JSON` where such an id is missing.
 * spec: rooms/v1#event-ids, rooms/v3#event-ids and rooms/v4#event-ids
 */
export function eventIdOf(rules: RoomVersionRules, pdu: Pdu): EventId {
  if (rules.eventIdFormat !== 'domain') return eventIdOfHash(rules, referenceHash(rules, pdu))
  if (pdu.event_id === undefined) throw badJson('In this room version an event carries its id')
  return pdu.event_id
}

/** The id that a reference hash makes in room version 3 and later. */
export const eventIdOfHash = (rules: RoomVersionRules, hash: Uint8Array): EventId =>
  `$${rules.eventIdFormat === 'base64' ? encodeBase64(hash) : encodeBase64Url(hash)}`

/** The id of the room that a create event makes. spec: appendices#room-ids */
export const roomIdOfCreate = (eventId: EventId): RoomId => `!${eventId.slice(1)}`

/** The room of an event: the one it names or the one it makes. Throws `M_BAD_JSON` if it does neither. */
export function roomIdOf(rules: RoomVersionRules, pdu: Pdu, eventId: EventId): RoomId {
  const isOwnRoom = pdu.type === 'm.room.create' && rules.roomIdFormat === 'create-event-hash'
  if (isOwnRoom) return roomIdOfCreate(eventId)
  if (pdu.room_id === undefined) throw badJson('An event names its room in room_id')
  return pdu.room_id
}
