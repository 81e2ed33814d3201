import { Database } from 'bun:sqlite'
import type { Kinded } from '#actors/kernel/actor.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { contentSpan } from '#core/content-span.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import { migrate } from '#store/database.ts'
import { type Store, storeOn } from '#store/store.ts'
import { wireBatch, writeBatch } from '#store/write-batch.ts'

/** Facts as the writer gets them, without keys and signatures, for tests that need thousands of them. */

const EMPTY = ((): Uint8Array => {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  return db.serialize()
})()

export const emptyStore = (): Store => storeOn(Database.deserialize(EMPTY, { strict: true }))

export type Said = Readonly<{ roomId: RoomId; sender: UserId; type: string; content: JsonObject; stateKey?: string }>

export const eventIdAt = (position: number): EventId => `$${position}:a.example`

/** An event of room version 2, whose id says at which position it stands. */
export function appended({ roomId, sender, type, content, stateKey }: Said, position: number): EventAppended {
  const pdu: Pdu = {
    type,
    room_id: roomId,
    sender,
    content,
    depth: position,
    origin_server_ts: position,
    prev_events: [],
    auth_events: [],
    event_id: eventIdAt(position),
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
  }
  const json = canonicalJson(pdu)
  const [contentStart, contentEnd] = contentSpan(pdu, json)
  return { kind: 'eventAppended', roomId, eventId: eventIdAt(position), pdu, json, contentStart, contentEnd }
}

export const write = (store: Store, facts: readonly Kinded[], from: number): void =>
  writeBatch(store, wireBatch(facts.map((fact, index) => ({ position: from + index, actor: 'test/test', cause: 'test', fact })), []))

export const registered = (userId: UserId): Kinded & object =>
  ({ kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: 1 }) as Kinded
