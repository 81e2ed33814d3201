import { redactEvent, redactionTarget } from '#core/redaction.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import type { Pdu, RoomEvent } from '#schema/pdu.ts'
import { roomVersionRules } from '#core/room-version.ts'
import type { EventAppended, EventRedacted } from '#schema/journal/room.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { contentSpan } from '#core/content-span.ts'
import type { Project, Projection } from './projectors.ts'
import { findOriginalText, keepOriginal } from './redacted-originals.ts'
import { PDU_COLUMNS, pduOf, type PduRow, storedText } from './stored-pdu.ts'
import type { Store } from './store.ts'

// An id that is a hash is kept as its 32 bytes; no other id looks like one. Version 3 ids that happen to have
// no `+` or `/` read back as the same text.
const HASH_ID = /^\$[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
export type EventKey = Uint8Array | string

export const eventKeyOf = (eventId: string): EventKey =>
  HASH_ID.test(eventId) ? Uint8Array.fromBase64(eventId.slice(1), { alphabet: 'base64url' }) : eventId

export const eventIdOfKey = (key: EventKey): EventId =>
  (typeof key === 'string' ? key : `$${key.toBase64({ alphabet: 'base64url', omitPadding: true })}`) as EventId

type Row = PduRow & { event_id: EventKey }

const eventOfRow = (store: Store, row: Row): RoomEvent => ({
  eventId: eventIdOfKey(row.event_id),
  roomId: store.names.textOf(row.room) as RoomId,
  pdu: pduOf(store, row),
})

/** What has expired is in no table that clients are shown, but decisions still build on it. */
const EXPIRED_COLUMNS = 'e.event_id, e.room, e.type, NULL AS state_key, e.sender, e.depth, e.ts, e.json'

/** The event of that id, in its redacted form if it was redacted or has expired. */
export function findEvent(store: Store, eventId: EventId): RoomEvent | undefined {
  const key = eventKeyOf(eventId)
  const row =
    store.db.query<Row, [EventKey]>(`SELECT e.event_id, ${PDU_COLUMNS} FROM events e WHERE e.event_id = ?`).get(key) ??
    store.db.query<Row, [EventKey]>(`SELECT ${EXPIRED_COLUMNS} FROM expired_events e WHERE e.event_id = ?`).get(key)
  return row ? eventOfRow(store, row) : undefined
}

export const hasExpired = ({ db }: Store, key: EventKey): boolean =>
  db.query('SELECT 1 FROM expired_events WHERE event_id = ?').get(key) !== null

/** The journal position at which the event was first written; its number in every other table. */
export const findEventNum = ({ db }: Store, eventId: EventId): number | undefined =>
  db.query<{ num: number }, [EventKey]>('SELECT num FROM events WHERE event_id = ?').get(eventKeyOf(eventId))?.num

/** As much of a request's path as tells it from others of the same transaction id; `redacts` for a redaction. */
export type SentPath = Readonly<{ roomId: RoomId; type: string; redacts?: string }>

/** The event that a device has sent by this path under this transaction id. */
export function findSentEvent(store: Store, device: string, txnId: string, { roomId, type, redacts }: SentPath): EventId | undefined {
  const { db, names } = store
  const [num, room, typeNum] = [names.find(device), names.find(roomId), names.find(type)]
  if (num === undefined || room === undefined || typeNum === undefined) return undefined
  return db
    .query<Row, [number, string, number, number]>(`
      SELECT e.event_id, ${PDU_COLUMNS} FROM events e WHERE e.device = ? AND e.txn_id = ? AND e.room = ? AND e.type = ?`)
    .all(num, txnId, room, typeNum)
    .map((row) => eventOfRow(store, row))
    .find(({ pdu }) => redactionTarget(pdu) === redacts)?.eventId
}

/** Transaction ids belong to a device of a user. spec: client-server-api#transaction-identifiers */
export const deviceKeyOf = (userId: string, deviceId: string): string => `${userId} ${deviceId}`

const projectEventAppended: Project<EventAppended> = ({ db, names }, fact, position) => {
  const { pdu, json, transaction } = fact
  const stateKey = pdu.state_key === undefined ? null : names.numberOf(pdu.state_key)
  db.query(`
    INSERT INTO events (num, room, event_id, type, state_key, sender, depth, ts, position, content_start, content_end, device, txn_id, json)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?1, ?9, ?10, ?11, ?12, ?13)
  `).run(
    position,
    names.numberOf(fact.roomId),
    eventKeyOf(fact.eventId),
    names.numberOf(pdu.type),
    stateKey,
    names.numberOf(pdu.sender),
    pdu.depth,
    pdu.origin_server_ts,
    fact.contentStart,
    fact.contentEnd,
    transaction ? names.numberOf(deviceKeyOf(transaction.userId, transaction.deviceId)) : null,
    transaction?.txnId ?? null,
    json,
  )
}

type FullRow = Row & { content_start: number; content_end: number; device: number | null; txn_id: string | null }

const WHOLE = `SELECT e.event_id, ${PDU_COLUMNS}, e.content_start, e.content_end, e.device, e.txn_id FROM events e WHERE e.num = ?`
const WHOLE_EXPIRED = `
  SELECT ${EXPIRED_COLUMNS}, e.content_start, e.content_end, NULL AS device, NULL AS txn_id FROM expired_events e WHERE e.num = ?`

/** An event that was redacted later comes back whole, as long as its original is there. */
function hydrateEventAppended(store: Store, position: number): EventAppended {
  const stored =
    store.db.query<FullRow, [number]>(WHOLE).get(position) ?? store.db.query<FullRow, [number]>(WHOLE_EXPIRED).get(position)
  if (!stored) throw new Error(`the event at position ${position} is missing`)
  const row = { ...stored, ...findOriginalText(store, position) }
  const event = eventOfRow(store, row)
  const fact: EventAppended = {
    kind: 'eventAppended',
    ...event,
    json: canonicalJson(event.pdu),
    contentStart: row.content_start,
    contentEnd: row.content_end,
  }
  if (row.device === null || row.txn_id === null) return fact
  return { ...fact, transaction: transactionOf(store.names.textOf(row.device), row.txn_id) }
}

function transactionOf(device: string, txnId: string): NonNullable<EventAppended['transaction']> {
  const at = device.indexOf(' ')
  return { userId: device.slice(0, at) as `@${string}:${string}`, deviceId: device.slice(at + 1), txnId }
}

/** What the writer needs of the PDU to fill the columns; the content of message events does not cross twice. */
function dehydrateEventAppended({ pdu, ...fact }: EventAppended): EventAppended {
  const { type, sender, state_key, depth, origin_server_ts, msc4354_sticky } = pdu
  const state = state_key === undefined ? {} : { state_key, content: pdu.content }
  const slim = { type, sender, depth, origin_server_ts, ...state, ...(msc4354_sticky === undefined ? {} : { msc4354_sticky }) }
  const json = storedText(pdu, fact.json, fact.contentEnd, fact.roomId)
  return { ...fact, json, pdu: slim as unknown as Pdu }
}

export const eventAppendedRow: Projection<EventAppended> = {
  project: projectEventAppended,
  hydrate: hydrateEventAppended,
  dehydrate: dehydrateEventAppended,
}

/** The stored text becomes the redacted one, so that whoever reads it reads no more; what it was is put aside. */
export const projectEventRedacted: Project<EventRedacted> = (store, { roomId, eventId, redactedBy }) => {
  const { db } = store
  const row = db.query<PduRow & { num: number }, [EventKey]>(`SELECT e.num, ${PDU_COLUMNS} FROM events e WHERE e.event_id = ?`).get(eventKeyOf(eventId))
  if (!row && hasExpired(store, eventKeyOf(eventId))) return
  if (!row) throw new Error(`cannot redact ${eventId}: its row is missing`)
  const redaction = db.query<{ num: number; ts: number }, [EventKey]>('SELECT num, ts FROM events WHERE event_id = ?').get(eventKeyOf(redactedBy))
  keepOriginal(store, row.num, redaction?.ts ?? 0)
  const { json, start, end } = redactedText(store, row, roomId)
  db.query('UPDATE events SET json = ?, content_start = ?, content_end = ?, redacted_by = ? WHERE num = ?')
    .run(json, start, end, redaction?.num ?? null, row.num)
}

/** What `events` keeps of a redacted event. */
export function redactedText(store: Store, row: PduRow, roomId: RoomId): { json: string; start: number; end: number } {
  const version = store.db.query<{ version: string }, [number]>('SELECT version FROM rooms WHERE room = ?').get(row.room)?.version
  const rules = version === undefined ? undefined : roomVersionRules(version)
  if (!rules) throw new Error(`cannot redact an event of ${roomId}: the version of the room is missing`)
  const redacted = redactEvent(rules, pduOf(store, row))
  const json = canonicalJson(redacted)
  const [start, end] = contentSpan(redacted, json)
  return { json: storedText(redacted, json, end, roomId), start, end }
}
