import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { migrate } from '#store/database.ts'
import { type Store, storeOn } from '#store/store.ts'
import { storedText } from '#store/stored-pdu.ts'
import { wireBatch, writeBatch } from '#store/write-batch.ts'
import { chat, rowsOf } from './fixture.ts'

function emptyStore(): Store {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  return storeOn(db)
}

const positions = ({ db }: Store): number[] =>
  db.query<{ position: number }, []>('SELECT position FROM journal ORDER BY position').all().map(({ position }) => position)
const countOf = ({ db }: Store, table: string): number =>
  db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${table}`).get()?.count ?? 0

test('event texts cross beside the rows, whatever they hold', () => {
  const store = emptyStore()
  const room = chat()
  const bodies = ['plain', 'Grüße, "quoted" \\ and 🐇', '', '\u0000\u2028']
  const facts = [room.create, room.join, ...bodies.map((body) => room.message(body))]
  const batch = wireBatch(rowsOf(facts), [])
  const texts = facts.map(({ pdu, json, contentEnd, roomId }) => storedText(pdu, json, contentEnd, roomId))
  expect(batch.texts).toBe(texts.join(''))
  expect(batch.rows).not.toContain('content":{"body')
  writeBatch(store, batch)
  const stored = store.db.query<{ json: string }, []>('SELECT json FROM events ORDER BY num').all()
  expect(stored.map(({ json }) => json)).toEqual(texts)
})

test('a fact whose json is not text stays as it is', () => {
  const store = emptyStore()
  const fact = { kind: 'accountDataSet', userId: '@alice:a.example', roomId: null, type: 'json', content: { json: { json: 1 } } }
  writeBatch(store, wireBatch([{ position: 1, actor: 'user/@alice:a.example', cause: 'test', fact }], []))
  expect(store.db.query('SELECT type, content FROM account_data').all()).toEqual([{ type: 'json', content: '{"json":{"json":1}}' }])
})

test.each([
  ['a fact that nobody projects', { kind: 'unheardOf' }],
  ['a projector that throws', { kind: 'eventRedacted', roomId: '!nowhere', eventId: '$nothing', redactedBy: '$nobody' }],
])('%s undoes the whole batch, and the next one is written', (_, fact) => {
  const store = emptyStore()
  const room = chat()
  writeBatch(store, wireBatch(rowsOf([room.create]), []))
  const bad = { position: 3, actor: 'room/!nowhere', cause: 'test', fact }
  expect(() => writeBatch(store, wireBatch([...rowsOf([room.join], 2), bad], []))).toThrow()
  expect(positions(store)).toEqual([1])
  expect(countOf(store, 'events')).toBe(1)
  expect(store.names.find('!nowhere')).toBeUndefined()
  writeBatch(store, wireBatch(rowsOf([room.join], 2), []))
  expect(positions(store)).toEqual([1, 2])
})

test('a position that is taken is refused, so that nothing is written twice', () => {
  const store = emptyStore()
  const room = chat()
  writeBatch(store, wireBatch(rowsOf([room.create]), []))
  expect(() => writeBatch(store, wireBatch(rowsOf([room.join]), []))).toThrow('UNIQUE constraint failed')
  expect(countOf(store, 'events')).toBe(1)
})

test('a snapshot is written with the rows beside it, and replaces the one before', () => {
  const store = emptyStore()
  const room = chat()
  const snapshot = (position: number) => ({ actor: 'room/!den', version: 1, position, frozen: Uint8Array.of(position) })
  writeBatch(store, wireBatch(rowsOf([room.create]), [snapshot(1)]))
  writeBatch(store, wireBatch(rowsOf([room.join], 2), [snapshot(2)]))
  expect(store.db.query('SELECT version, position, frozen FROM snapshots').all()).toEqual([
    { version: 1, position: 2, frozen: Uint8Array.of(2) },
  ])
})
