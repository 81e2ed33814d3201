import { pack } from 'msgpackr'
import { Cell } from '#actors/kernel/cell.ts'
import { room as behaviour } from '#actors/room/room.ts'
import type { Room } from '#actors/room/memory.ts'
import { loadConfig, openSigningKeys } from '#config'
import { contentSpan } from '#core/content-span.ts'
import { selectAuthEvents } from '#core/event-auth/select.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { sealEvent } from '#core/seal-event.ts'
import { signingKeyFromSeed, type SigningKey } from '#core/signing.ts'
import { type StateLookup, stateKeyOf } from '#core/state-key.ts'
import type { EventId, RoomId, ServerName, UserId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import { openWriting } from '#store/database.ts'
import { type EventsAtHand, eventsAtHand } from '#store/events-at-hand.ts'
import { inlineWriter, sqliteJournal } from '#store/journal.ts'
import { lastPosition } from '#store/lineage.ts'
import { type Store, storeOn } from '#store/store.ts'
import { type RowToWrite, wireBatch, type WireSnapshot, writeBatch } from '#store/write-batch.ts'

/**
 * Makes rooms large while their server is stopped: true events, signed, hashed and chained, written by the server's own
 * projectors in large batches, which is several times as fast as sending them.
 */

const BATCH = 2_000
const SECOND_MS = 1_000

export type Growth = Readonly<{
  roomId: RoomId
  /** Who says everything. */
  sender: UserId
  messages: number
  /** Members of this server who join before anything is said. */
  members: number
}>

type Said = Readonly<{ type: string; sender: UserId; content: JsonObject; stateKey?: string }>

/** What is said: the numbered message of so many. */
export type TextOf = (roomId: RoomId, number: number, total: number) => string

/** Returns how many events were written. */
export function growRooms(configPath: string, growths: readonly Growth[], textOf: TextOf): number {
  const config = loadConfig(configPath)
  const [{ keyId, seed }] = openSigningKeys(config.signingKeyPath, config.database.path)
  const db = openWriting(config.database.path, 'normal')
  db.run('PRAGMA synchronous = OFF')
  try {
    const store = storeOn(db)
    const pen: Pen = { store, events: eventsAtHand(store), serverName: config.serverName, key: signingKeyFromSeed(keyId, seed), position: lastPosition(db) }
    const before = pen.position
    for (const growth of growths) grow(pen, growth, textOf)
    db.run('PRAGMA wal_checkpoint(TRUNCATE)')
    return pen.position - before
  } finally {
    db.close()
  }
}

type Pen = { readonly store: Store; readonly events: EventsAtHand; readonly serverName: ServerName; readonly key: SigningKey; position: number }

function grow(pen: Pen, { roomId, sender, messages, members }: Growth, textOf: TextOf): void {
  const room = standingRoom(pen, roomId)
  let ts = Date.now() - (messages + members) * SECOND_MS
  let rows: RowToWrite[] = []
  const flush = (snapshots: readonly WireSnapshot[] = []): void => {
    writeBatch(pen.store, wireBatch(rows, snapshots))
    pen.events.committed({ rows: rows.map((row) => ({ ...row, ts })), snapshots: [] })
    rows = []
  }
  const say = (said: Said): void => {
    const fact = sealed(pen, room, said, (ts += SECOND_MS))
    const position = ++pen.position
    behaviour.apply.eventAppended(room, fact, position, position)
    pen.events.decided(fact, position)
    rows.push({ position, actor: `room/${roomId}`, cause: 'bench', fact })
    if (rows.length === BATCH) flush()
  }
  for (let number = 0; number < members; number++) {
    const userId: UserId = `@member-${number}:${pen.serverName}`
    say({ type: 'm.room.member', sender: userId, stateKey: userId, content: { membership: 'join', displayname: `Member ${number}` } })
  }
  for (let number = 0; number < messages; number++)
    say({ type: 'm.room.message', sender, content: { msgtype: 'm.text', body: textOf(roomId, number, messages) } })
  flush([{ actor: `room/${roomId}`, version: behaviour.snapshot.version, position: pen.position, frozen: pack(behaviour.snapshot.freeze(room)) }])
}

/** The room as it was when its server stopped. */
function standingRoom({ store }: Pen, roomId: RoomId): Room {
  const cell = new Cell('room', roomId, `room/${roomId}`, behaviour)
  cell.replay(sqliteJournal(store, inlineWriter(store)), (error) => {
    throw error
  })
  return cell.memory as Room
}

function sealed({ events, serverName, key }: Pen, room: Room, { type, sender, content, stateKey }: Said, ts: number): EventAppended {
  const { rules, roomId } = room
  if (!rules) throw new Error(`${roomId} has no create event`)
  const base = { type, sender, content, ...(stateKey === undefined ? {} : { state_key: stateKey }) }
  const state: StateLookup = (wanted, wantedKey) => {
    const eventId = room.state.get(stateKeyOf(wanted, wantedKey))
    return eventId === undefined ? undefined : events.find(eventId)
  }
  const draft = {
    ...base,
    room_id: roomId,
    depth: room.depth + 1,
    origin_server_ts: ts,
    prev_events: [...room.extremities],
    auth_events: stateKey === undefined ? authOfMessages(room, base, state) : authOf(rules, base, state),
  }
  const { event, json } = sealEvent(rules, draft, serverName, key)
  const [contentStart, contentEnd] = contentSpan(event.pdu, json)
  return { kind: 'eventAppended', ...event, json, contentStart, contentEnd }
}

type Allowed = Pick<Pdu, 'type' | 'sender' | 'state_key' | 'content'>

const authOf = (rules: RoomVersionRules, base: Allowed, state: StateLookup): EventId[] =>
  selectAuthEvents(rules, base, state).map(({ eventId }) => eventId)

const knownAuth = new WeakMap<Room, EventId[]>()

/** What allows a message is the same for all that one user says in a room whose state is left alone. */
function authOfMessages(room: Room, base: Allowed, state: StateLookup): EventId[] {
  const known = knownAuth.get(room) ?? (room.rules ? authOf(room.rules, base, state) : [])
  knownAuth.set(room, known)
  return known
}
