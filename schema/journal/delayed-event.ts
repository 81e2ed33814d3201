import type { JsonObject } from '#schema/pdu.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'

/** Events that a room will send later (MSC4140). Rows of the journal: add kinds, never change one. */

export type DelayedEventScheduled = Readonly<{
  kind: 'delayedEventScheduled'
  roomId: RoomId
  delayId: string
  userId: UserId
  /** Null where no device stands behind the request. */
  deviceId: string | null
  type: string
  /** Null unless it will be a state event. */
  stateKey: string | null
  content: JsonObject
  delayMs: number
  /** Milliseconds for which the event will stand out in sync; null: it will not. */
  stickyMs: number | null
  /** The transaction id of the request, if it had one. */
  txnId: string | null
  /** When the delay began. */
  ts: number
}>

/** The delay began anew. */
export type DelayedEventRestarted = Readonly<{ kind: 'delayedEventRestarted'; roomId: RoomId; delayId: string; ts: number }>

/** It was sent, called off, or the room's rules refused it. */
export type DelayedEventEnded = Readonly<{
  kind: 'delayedEventEnded'
  roomId: RoomId
  delayId: string
  outcome: 'sent' | 'cancelled' | 'refused'
}>

export type DelayedEventFact = DelayedEventScheduled | DelayedEventRestarted | DelayedEventEnded
