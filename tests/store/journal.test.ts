import { expect, test } from 'bun:test'
import type { Kinded } from '#actors/kernel/actor.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { sqliteJournal } from '#store/journal.ts'
import { openStore } from '#store/open-store.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

const receipt = (roomId: string, eventId: string): Kinded =>
  ({ kind: 'receiptPosted', roomId, userId: '@bob:a.example', receiptType: 'm.read', eventId, threadId: null, ts: 1 }) as Kinded

async function memoryJournal() {
  const opened = await openStore(':memory:', 'full')
  return { ...opened, journal: sqliteJournal(opened.reader, opened.writer) }
}

const row = (position: number, actor: string, fact: Kinded) => ({ position, actor, cause: 'test', ts: 0, fact })

test('an actor\'s facts come back whole and in order, wherever they lie', async () => {
  const { journal } = await memoryJournal()
  const [den, attic] = [chat(1), chat(2)]
  const hi = den.message('hi', 't1')
  const facts = [den.create, attic.create, den.join, hi, receipt(den.roomId, hi.eventId), den.message('there'), attic.join]
  await journal.append({ rows: facts.map((fact, index) => row(index + 1, `room/${'roomId' in fact ? fact.roomId : ''}`, fact)), snapshots: [] })
  expect([...journal.factsOf(`room/${den.roomId}`, 0)]).toEqual(
    [1, 3, 4, 5, 6].map((position) => ({ position, fact: facts[position - 1] as Kinded })),
  )
  expect([...journal.factsOf(`room/${den.roomId}`, 4)].map(({ position }) => position)).toEqual([5, 6])
  expect([...journal.factsOf(`room/${attic.roomId}`, 0)].map(({ position }) => position)).toEqual([2, 7])
})

test('an actor whose id is another\'s room has no part in its facts', async () => {
  const { journal } = await memoryJournal()
  const den = chat()
  await journal.append({
    rows: [...rowsOf([den.create]).map((it) => ({ ...it, ts: 0 })), row(2, `alias/${den.roomId}`, { kind: 'roomForgotten', roomId: den.roomId, userId: '@bob:a.example' } as Kinded)],
    snapshots: [],
  })
  expect([...journal.factsOf(`alias/${den.roomId}`, 0)].map(({ position }) => position)).toEqual([2])
})

test('nobody has no facts and no snapshot', async () => {
  const { journal } = await memoryJournal()
  expect([...journal.factsOf('room/!nowhere', 0)]).toEqual([])
  expect(journal.snapshotOf('room/!nowhere')).toBeUndefined()
  expect(journal.position).toBe(0)
})

test('a snapshot comes back as it was frozen', async () => {
  const { journal } = await memoryJournal()
  const frozen = { state: [['a', 'b']], depth: 3, version: null }
  await journal.append({ rows: [], snapshots: [{ actor: 'room/!den', version: 2, position: 7, frozen }] })
  expect(journal.snapshotOf('room/!den')).toEqual({ actor: 'room/!den', version: 2, position: 7, frozen })
})

test('the position moves with what is on disk, and not with what was refused', async () => {
  const { journal } = await memoryJournal()
  const den = chat()
  await journal.append({ rows: [row(1, `room/${den.roomId}`, den.create)], snapshots: [] })
  const refused = journal.append({ rows: [row(2, 'room/!den', { kind: 'unheardOf' })], snapshots: [] })
  await expect(refused).rejects.toEqual(expect.any(MatrixError))
  expect(journal.position).toBe(1)
  await journal.append({ rows: [row(2, `room/${den.roomId}`, den.join)], snapshots: [] })
  expect(journal.position).toBe(2)
})

test('a batch that was kept although its writer died is counted', async () => {
  const { reader, writer } = await openStore(':memory:', 'full')
  const den = chat()
  const dying = { ...writer, write: async (batch: Parameters<typeof writer.write>[0]) => {
    await writer.write(batch)
    throw new Error('the thread is gone')
  } }
  const journal = sqliteJournal(reader, dying)
  await expect(journal.append({ rows: [row(1, `room/${den.roomId}`, den.create)], snapshots: [] })).rejects.toEqual(expect.any(MatrixError))
  expect(journal.position).toBe(1)
})

test('facts are found by indexes alone', async () => {
  const { reader, close } = await openStore(newDatabasePath(), 'full')
  const plan = reader.db.query<{ detail: string }, []>(`
    EXPLAIN QUERY PLAN SELECT position FROM journal WHERE actor = 1 AND position > 2 AND fact IS NOT NULL
  `).all().map(({ detail }) => detail)
  expect(plan).toEqual(['SEARCH journal USING INDEX journal_by_actor (actor=? AND rowid>?)'])
  await close()
})
