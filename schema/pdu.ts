import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

export type Signatures = { readonly [server: string]: { readonly [keyId: string]: string } }
/** Room versions 1 and 2 refer to an event by its id and hash; later versions by its id alone. */
export type EventReference = EventId | readonly [EventId, { readonly sha256?: string }]

/**
 * A persistent data unit: an event as servers exchange it.
 * spec: server-server-api#pdus and rooms/v1 to rooms/v12 (event format)
 */
export type Pdu = {
  readonly type: string
  /** Absent only in the create event of room version 12 and later. */
  readonly room_id?: RoomId
  readonly sender: UserId
  /** Present exactly when this is a state event. */
  readonly state_key?: string
  readonly content: JsonObject
  readonly origin_server_ts: number
  readonly depth: number
  readonly prev_events: readonly EventReference[]
  readonly auth_events: readonly EventReference[]
  readonly hashes?: { readonly sha256?: string }
  readonly signatures?: Signatures
  readonly unsigned?: JsonObject
  /** Room versions 1 and 2 carry their own id. */
  readonly event_id?: EventId
  /** Redactions before room version 11 name their target here. */
  readonly redacts?: EventId
  readonly origin?: string
  /** For how long the event stands out in sync (MSC4354). */
  readonly msc4354_sticky?: { readonly duration_ms: number }
}

/** An event that has passed the format check, under the name that its room version gives it. */
export type RoomEvent = Readonly<{
  eventId: EventId
  roomId: RoomId
  pdu: Pdu
  /** Set when it failed the auth rules; such an event authorises nothing. */
  rejected?: boolean
}>

/** The ids in a list of references, whatever the room version's form. */
export const referencedIds = (references: readonly EventReference[]): EventId[] =>
  references.map((reference) => (typeof reference === 'string' ? reference : reference[0]))
