import type { EventId, UserId } from '#schema/identifiers.ts'

/**
 * An event as clients are shown it, mostly as text: `body` is the JSON object up to and without `unsigned` and the
 * closing brace, spliced from the stored PDU, so that answering parses nothing (D28).
 */
export type ClientEvent = Readonly<{
  num: number
  eventId: EventId
  type: string
  stateKey: string | null
  sender: UserId
  ts: number
  depth: number
  body: string
  /** The event in front of it at the same place of the state. */
  replaces: number | null
  redactedBy: number | null
  /** Who sent it from here: `user device`, and the transaction id. */
  device: string | null
  txnId: string | null
  /** For how long it stands out, from `ts` on (MSC4354). */
  stickyMs?: number | undefined
}>

/** What is added for one reader at one moment; all values are JSON text but for `age`. */
export type Unsigned = Readonly<{
  now: number
  membership?: string | undefined
  /** `user device` of the reader: only that device is told its transaction id. */
  device?: string | undefined
  prevContent?: string | undefined
  replacesState?: EventId | undefined
  redactedBecause?: string | undefined
  redactedBy?: EventId | undefined
  relations?: string | undefined
}>

/** The body of a client event from the parts that the store keeps. spec: client-server-api#room-event-format */
export function clientEventBody(parts: Readonly<{
  content: string
  eventId: EventId
  ts: number
  sender: string
  stateKey: string | null
  type: string
  redacts?: string | undefined
  stickyMs?: number | undefined
}>): string {
  const { content, eventId, ts, sender, stateKey, type, redacts, stickyMs } = parts
  const state = stateKey === null ? '' : `,"state_key":${JSON.stringify(stateKey)}`
  const target = redacts === undefined ? '' : `,"redacts":${JSON.stringify(redacts)}`
  const sticky = stickyMs === undefined ? '' : `,"msc4354_sticky":{"duration_ms":${stickyMs}}`
  return `{"content":${content},"event_id":${JSON.stringify(eventId)}${sticky},"origin_server_ts":${ts}${target},"sender":${JSON.stringify(sender)}${state},"type":${JSON.stringify(type)}`
}

/** The finished event. In a sync the room is known, elsewhere `roomId` is given. */
export function printClientEvent(event: ClientEvent, unsigned: Unsigned, roomId?: string): string {
  const room = roomId === undefined ? '' : `,"room_id":${JSON.stringify(roomId)}`
  return `${event.body}${room},"unsigned":{${unsignedMembers(event, unsigned)}}}`
}

/** However far in the future a sender's clock is, no event sticks for longer than it says. */
export const stickyLeft = (stickyMs: number, ts: number, now: number): number => Math.max(0, Math.min(stickyMs, ts + stickyMs - now))

/** What stands in front of a delay id where else a transaction id stands. */
export const DELAY_MARK = '\n'

/** An event that was sent later tells which it was (MSC4140). */
function transactionMember(txnId: string): string {
  if (!txnId.startsWith(DELAY_MARK)) return `,"transaction_id":${JSON.stringify(txnId)}`
  const delayId = JSON.stringify(txnId.slice(DELAY_MARK.length))
  return `,"org.matrix.msc4140.delay_id":${delayId}`
}

function unsignedMembers(event: ClientEvent, unsigned: Unsigned): string {
  const { now, membership, device, prevContent, replacesState, redactedBecause, redactedBy, relations } = unsigned
  let text = `"age":${Math.max(0, now - event.ts)}`
  if (membership !== undefined) text += `,"membership":${JSON.stringify(membership)}`
  if (event.txnId !== null && event.device !== null && event.device === device) text += transactionMember(event.txnId)
  if (prevContent !== undefined) text += `,"prev_content":${prevContent}`
  if (replacesState !== undefined) text += `,"replaces_state":${JSON.stringify(replacesState)}`
  if (redactedBecause !== undefined) text += `,"redacted_because":${redactedBecause}`
  // Not in the specification; older clients of the reference server look for it.
  if (redactedBy !== undefined) text += `,"redacted_by":${JSON.stringify(redactedBy)}`
  if (event.stickyMs !== undefined) text += `,"msc4354_sticky_duration_ttl_ms":${stickyLeft(event.stickyMs, event.ts, now)}`
  if (relations !== undefined) text += `,"m.relations":${relations}`
  return text
}
