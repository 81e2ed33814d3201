import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import type { EventAppended } from '#schema/journal/room.ts'
import type { EventId } from '#schema/identifiers.ts'
import { migrate } from '#store/database.ts'
import { listChildIds, listRelationsTo } from '#store/relations.ts'
import { storeOn } from '#store/store.ts'
import { findThread } from '#store/threads.ts'
import { wireBatch, writeBatch } from '#store/write-batch.ts'
import { alice, chat, rowsOf } from './fixture.ts'

/** A database to which facts are written in the order in which they are given, whatever their order in the room. */
function den() {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  const store = storeOn(db)
  let position = 1
  const room = chat()
  const write = (...facts: EventAppended[]): void => {
    writeBatch(store, wireBatch(rowsOf(facts, position), []))
    position += facts.length
  }
  const redact = (eventId: EventId): void => {
    const redaction = room.redaction(eventId)
    write(redaction)
    const fact = { kind: 'eventRedacted', roomId: room.roomId, eventId, redactedBy: redaction.eventId } as const
    writeBatch(store, wireBatch([{ position: position++, actor: `room/${room.roomId}`, cause: 'test', fact }], []))
  }
  const childrenOf = (eventId: EventId): EventId[] =>
    listChildIds(store, { roomId: room.roomId, eventId, relTypes: 'any', after: 0, limit: 10 }).map((child) => child.eventId)
  write(room.create, room.join)
  return { store, room, write, redact, childrenOf, count: (table: string) => db.query(`SELECT count(*) AS total FROM ${table}`).get() }
}

const relates = (relType: string, eventId: EventId) => ({ 'm.relates_to': { rel_type: relType, event_id: eventId } })

describe('children that come before their parent', () => {
  test('are found under it once it is there, and in its thread', () => {
    const { store, room, write, childrenOf, count } = den()
    const root = room.message('root')
    const replies = [room.message('one', undefined, relates('m.thread', root.eventId)), room.message('two', undefined, relates('m.thread', root.eventId))]
    write(...replies)
    expect([count('relations'), count('orphans')]).toEqual([{ total: 0 }, { total: 2 }])
    write(root)
    expect([count('relations'), count('orphans')]).toEqual([{ total: 2 }, { total: 0 }])
    expect(childrenOf(root.eventId)).toEqual(replies.map(({ eventId }) => eventId))
    expect(findThread(store, 5)).toEqual({ count: 2, latest: 4 })
  })

  test('are no children if they were redacted in the meantime', () => {
    const { room, write, redact, childrenOf } = den()
    const root = room.message('root')
    const reply = room.message('one', undefined, relates('m.reference', root.eventId))
    write(reply)
    redact(reply.eventId)
    write(root)
    expect(childrenOf(root.eventId)).toEqual([])
  })
})

test('a relation that does not fit its schema is none', () => {
  const { room, write, count } = den()
  const root = room.message('root')
  write(root, ...[null, [], { rel_type: 'm.thread' }, { rel_type: 1, event_id: root.eventId }, { rel_type: 'm.thread', event_id: 'root' }]
    .map((relation) => room.message('odd', undefined, { 'm.relates_to': relation })))
  write(room.message('in the text: "m.relates_to":{"rel_type":"m.thread"}'))
  expect([count('relations'), count('orphans')]).toEqual([{ total: 0 }, { total: 0 }])
})

test('of an annotation what it says is kept, of everything who relates and how', () => {
  const { store, room, write } = den()
  const root = room.message('root')
  const annotation = room.message('x', undefined, { 'm.relates_to': { rel_type: 'm.annotation', event_id: root.eventId, key: '👍' } })
  write(root, annotation, room.message('y', undefined, relates('m.reference', root.eventId)), room.message('z', undefined, relates('m.reference', root.eventId)))
  expect(listRelationsTo(store, 3)).toEqual([{ sender: alice, relType: 'm.annotation' }, { sender: alice, relType: 'm.reference' }])
  expect(store.db.query('SELECT child, key FROM relations WHERE key IS NOT NULL').all()).toEqual([{ child: 4, key: '👍' }])
})

test('a thread that loses its latest event has the one before, and none without any', () => {
  const { store, room, write, redact } = den()
  const root = room.message('root')
  const replies = [1, 2].map((number) => room.message(`${number}`, undefined, relates('m.thread', root.eventId)))
  write(root, ...replies)
  expect(findThread(store, 3)).toEqual({ count: 2, latest: 5 })
  redact(replies[1]?.eventId ?? '$')
  expect(findThread(store, 3)).toEqual({ count: 1, latest: 4 })
  redact(replies[0]?.eventId ?? '$')
  expect(findThread(store, 3)).toBeUndefined()
})

test('a page of what relates to an event reads an index and sorts nothing', () => {
  const { store, room, write } = den()
  const root = room.message('root')
  write(root, room.message('one', undefined, relates('m.thread', root.eventId)))
  const plan = store.db
    .query('EXPLAIN QUERY PLAN SELECT child, depth FROM relations INDEXED BY relations_by_parent WHERE parent = ? AND (depth, relations.child) <= (?, ?) ORDER BY depth DESC, relations.child DESC LIMIT 5')
    .all(3, 99, 99) as { detail: string }[]
  expect(plan.map(({ detail }) => detail).join('\n')).not.toMatch(/TEMP B-TREE/)
})
