import type { Pdu } from '#schema/pdu.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { DelayedEventFact } from './delayed-event.ts'
import type { SelfDestructFact } from './self-destruct.ts'

/** What a room has decided, in the past tense. Rows of the journal: add kinds, never change one. */

/**
 * An event became part of the room. On disk the whole fact is its row in `events`; `pdu` is that row's JSON, parsed,
 * and does not travel to the writer.
 */
export type EventAppended = Readonly<{
  kind: 'eventAppended'
  roomId: RoomId
  eventId: EventId
  pdu: Pdu
  /** Canonical JSON of the PDU. */
  json: string
  /** Where `content` stands in `json`, in UTF-16 units: responses are spliced from it. */
  contentStart: number
  contentEnd: number
  /** The request that sent it from here, so that a repeated one finds it again. */
  transaction?: Readonly<{ userId: UserId; deviceId: string; txnId: string }>
}>

/** A redaction took effect on an event that is here. */
export type EventRedacted = Readonly<{ kind: 'eventRedacted'; roomId: RoomId; eventId: EventId; redactedBy: EventId }>

/** Messages were kept for long enough: what they said is gone, and nobody is shown them. */
export type EventsExpired = Readonly<{ kind: 'eventsExpired'; roomId: RoomId; eventIds: readonly EventId[] }>

/** What events said that were redacted at `until` or before is gone for good. */
export type OriginalsForgotten = Readonly<{ kind: 'originalsForgotten'; roomId: RoomId; until: number }>

export type ReceiptPosted = Readonly<{
  kind: 'receiptPosted'
  roomId: RoomId
  userId: UserId
  receiptType: ReceiptType
  eventId: EventId
  /** `main`, a thread root's id, or null for a receipt over all threads. */
  threadId: string | null
  ts: number
}>
export type ReceiptType = 'm.read' | 'm.read.private'

/** The room's entry in the public directory appeared or went. */
export type RoomPublished = Readonly<{ kind: 'roomPublished'; roomId: RoomId; isPublished: boolean }>

/** A user who is no longer in the room wants to see no more of it. */
export type RoomForgotten = Readonly<{ kind: 'roomForgotten'; roomId: RoomId; userId: UserId }>

export type RoomFact =
  | EventAppended
  | EventRedacted
  | EventsExpired
  | OriginalsForgotten
  | ReceiptPosted
  | RoomPublished
  | RoomForgotten
  | DelayedEventFact
  | SelfDestructFact
