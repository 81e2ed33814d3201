import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentSpan } from '#core/content-span.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'
import { type Draft, sealEvent } from '#core/seal-event.ts'
import { WORLD } from '#harness/given.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import type { RowToWrite } from '#store/write-batch.ts'

const folders: string[] = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder of its own, which goes with the process. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warren-store-'))
  folders.push(folder)
  return folder
}

export const newDatabasePath = (): string => join(newFolder(), 'warren.db')

export const alice: UserId = '@alice:a.example'

function version12(): RoomVersionRules {
  const rules = roomVersionRules('12')
  if (!rules) throw new Error('room version 12 is unknown')
  return rules
}

type Said = Readonly<{ type: string; content: JsonObject; stateKey?: string; txnId?: string }>

/** A room of version 12 whose events are signed and named as the server does it; each call adds one. */
export function chat(createdTs = 1_700_000_000_000) {
  const rules = version12()
  let roomId: RoomId | undefined
  let last: EventId | undefined
  let depth = 0
  const auth: EventId[] = []
  const say = ({ type, content, stateKey, txnId }: Said): EventAppended => {
    const draft: Draft = {
      type,
      sender: alice,
      content,
      depth: ++depth,
      origin_server_ts: createdTs + depth,
      prev_events: last ? [last] : [],
      auth_events: [...auth],
      ...(roomId ? { room_id: roomId } : {}),
      ...(stateKey === undefined ? {} : { state_key: stateKey }),
    }
    const { event, json } = sealEvent(rules, draft, WORLD.serverName, WORLD.signingKey)
    const [contentStart, contentEnd] = contentSpan(event.pdu, json)
    last = event.eventId
    roomId ??= event.roomId
    if (type === 'm.room.member' || type === 'm.room.power_levels') auth.push(event.eventId)
    const transaction = txnId === undefined ? {} : { transaction: { userId: alice, deviceId: 'PHONE', txnId } }
    return { kind: 'eventAppended', ...event, json, contentStart, contentEnd, ...transaction }
  }
  const create = say({ type: 'm.room.create', content: { room_version: '12' }, stateKey: '' })
  return {
    roomId: create.roomId,
    create,
    join: say({ type: 'm.room.member', content: { membership: 'join', displayname: 'Alice' }, stateKey: alice }),
    message: (body: string, txnId?: string, more: Readonly<Record<string, Json>> = {}) =>
      say({ type: 'm.room.message', content: { msgtype: 'm.text', body, ...more }, ...(txnId === undefined ? {} : { txnId }) }),
    state: (type: string, content: JsonObject, stateKey = '') => say({ type, content, stateKey }),
    redaction: (redacts: EventId) => say({ type: 'm.room.redaction', content: { redacts } }),
  }
}

/** Facts as rows of the journal, one position after the other. */
export const rowsOf = (facts: readonly EventAppended[], from = 1): RowToWrite[] =>
  facts.map((fact, index) => ({ position: from + index, actor: `room/${fact.roomId}`, cause: 'test', fact }))
