import { type ClientEvent, clientEventBody, printClientEvent, type Unsigned } from '#core/sync/client-event.ts'
import { stickyDuration } from '#core/sticky-events.ts'
import { getByPath } from '#core/dot-path.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { eventIdOfKey, eventKeyOf, type EventKey } from './events.ts'
import { findOriginalText } from './redacted-originals.ts'
import type { Store } from './store.ts'

/** The columns that `clientEventOf` reads; `replaces` comes from the state change that the event made, if any. */
export const CLIENT_EVENT = `
  e.num, e.event_id, e.type, e.state_key, e.sender, e.ts, e.depth, e.content_start, e.content_end, e.redacted_by, e.device, e.txn_id, e.json,
  CASE WHEN e.state_key IS NULL THEN NULL ELSE (
    SELECT c.replaces FROM state_changes c WHERE c.room = e.room AND c.type = e.type AND c.state_key = e.state_key AND c.position = e.num
  ) END AS replaces`

export type ClientEventRow = {
  num: number
  event_id: EventKey
  type: number
  state_key: number | null
  sender: number
  ts: number
  depth: number
  content_start: number
  content_end: number
  redacted_by: number | null
  device: number | null
  txn_id: string | null
  json: string
  replaces: number | null
}

export function clientEventOf({ names }: Store, row: ClientEventRow): ClientEvent {
  const eventId = eventIdOfKey(row.event_id)
  const type = names.textOf(row.type)
  const sender = names.textOf(row.sender) as UserId
  const stateKey = row.state_key === null ? null : names.textOf(row.state_key)
  const content = row.json.slice(row.content_start, row.content_end)
  const stickyMs = stickyIn(row.json, row.content_end)
  const redaction = type === 'm.room.redaction' ? redactionParts(row.json, content) : { content }
  return {
    num: row.num,
    eventId,
    type,
    stateKey,
    sender,
    ts: row.ts,
    depth: row.depth,
    body: clientEventBody({ eventId, ts: row.ts, sender, stateKey, type, stickyMs, ...redaction }),
    replaces: row.replaces,
    redactedBy: row.redacted_by,
    device: row.device === null ? null : names.textOf(row.device),
    txnId: row.txn_id,
    ...(stickyMs === undefined ? {} : { stickyMs }),
  }
}

const STICKY = '"msc4354_sticky":{"duration_ms":'

/** In canonical JSON the key stands behind the content, and its only member has but one form. */
function stickyIn(json: string, contentEnd: number): number | undefined {
  const at = json.indexOf(STICKY, contentEnd)
  return at < 0 ? undefined : stickyDuration(Number.parseInt(json.slice(at + STICKY.length, at + STICKY.length + 8), 10))
}

/** Clients find the target of a redaction in both places, whatever the room version. spec: rooms/v11#redactions */
function redactionParts(json: string, content: string): { content: string; redacts?: string } {
  const pdu: unknown = JSON.parse(json)
  const target = getByPath(pdu as never, 'redacts') ?? getByPath(pdu as never, 'content.redacts')
  if (typeof target !== 'string') return { content }
  return { content: JSON.stringify({ ...JSON.parse(content), redacts: target }), redacts: target }
}

/** Current content of an event that others refer to, as JSON text. */
function contentOf({ db }: Store, num: number): { content: string; eventId: EventId } | undefined {
  const row = db
    .query<{ event_id: EventKey; content_start: number; content_end: number; json: string }, [number]>(
      'SELECT event_id, content_start, content_end, json FROM events WHERE num = ?',
    )
    .get(num)
  return row ? { content: row.json.slice(row.content_start, row.content_end), eventId: eventIdOfKey(row.event_id) } : undefined
}

/** Prints an event for one reader, with what `unsigned` can say about it. */
export function printFor(store: Store, event: ClientEvent, unsigned: Unsigned, roomId?: RoomId): string {
  if (event.replaces === null && event.redactedBy === null) return printClientEvent(event, unsigned, roomId)
  const previous = event.replaces === null ? undefined : contentOf(store, event.replaces)
  const redaction = event.redactedBy === null ? undefined : findClientEventByNum(store, event.redactedBy)
  return printClientEvent(event, {
    ...unsigned,
    ...(previous ? { prevContent: previous.content, replacesState: previous.eventId } : {}),
    ...(redaction ? { redactedBecause: printClientEvent(redaction, { now: unsigned.now }, roomId), redactedBy: redaction.eventId } : {}),
  }, roomId)
}

export function findClientEventByNum(store: Store, num: number): ClientEvent | undefined {
  const row = store.db.query<ClientEventRow, [number]>(`SELECT ${CLIENT_EVENT} FROM events e WHERE e.num = ?`).get(num)
  return row ? clientEventOf(store, row) : undefined
}

/** The event of that id in that room. */
export function findClientEvent(store: Store, roomId: RoomId, eventId: EventId): ClientEvent | undefined {
  const room = store.names.find(roomId)
  if (room === undefined) return undefined
  const row = store.db
    .query<ClientEventRow, [EventKey, number]>(`SELECT ${CLIENT_EVENT} FROM events e WHERE e.event_id = ? AND e.room = ?`)
    .get(eventKeyOf(eventId), room)
  return row ? clientEventOf(store, row) : undefined
}

/** A redacted event as it was before; undefined when that is gone. */
export function findUnredactedEvent(store: Store, num: number): ClientEvent | undefined {
  const original = findOriginalText(store, num)
  if (!original) return undefined
  const row = store.db.query<ClientEventRow, [number]>(`SELECT ${CLIENT_EVENT} FROM events e WHERE e.num = ?`).get(num)
  return row ? clientEventOf(store, { ...row, ...original }) : undefined
}
