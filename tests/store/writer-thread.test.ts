import { expect, test } from 'bun:test'
import { prepareDatabase } from '#store/prepare-database.ts'
import type { StoreReport } from '#store/report.ts'
import { wireBatch } from '#store/write-batch.ts'
import { startWriter } from '#store/writer-thread.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

const prepared = () => {
  const path = newDatabasePath()
  const db = prepareDatabase({ path, report() {} })
  const positions = (): number[] =>
    db.query<{ position: number }, []>('SELECT position FROM journal ORDER BY position').all().map(({ position }) => position)
  return { path, positions, close: () => db.close() }
}

const outcome = (work: Promise<void>): Promise<string> => work.then(() => 'written', (failure: unknown) => String(failure))

test('what is written before the thread is up waits for it, and all is answered in order', async () => {
  const { path, positions, close } = prepared()
  const writer = startWriter(path, 'full', () => {})
  const room = chat()
  const answers: number[] = []
  const facts = [room.create, room.join, room.message('one'), room.message('two')]
  await Promise.all(facts.map((fact, index) => writer.write(wireBatch(rowsOf([fact], index + 1), [])).then(() => answers.push(index + 1))))
  expect(answers).toEqual([1, 2, 3, 4])
  expect(positions()).toEqual([1, 2, 3, 4])
  await writer.close()
  close()
})

test('a bug in a projector fails its batch and leaves the thread alive', async () => {
  const { path, positions, close } = prepared()
  const reports: StoreReport[] = []
  const writer = startWriter(path, 'full', (report) => void reports.push(report))
  const room = chat()
  const bad = { position: 2, actor: 'room/!x', cause: 'test', fact: { kind: 'unheardOf' } }
  expect(await outcome(writer.write(wireBatch([...rowsOf([room.create]), bad], [])))).toBe(
    'MatrixError: The change could not be written; nothing was kept (no projection for facts of kind unheardOf)',
  )
  expect(await outcome(writer.write(wireBatch(rowsOf([room.create]), [])))).toBe('written')
  expect(positions()).toEqual([1])
  expect(reports).toEqual([])
  await writer.close()
  close()
})

test('a batch of ten thousand rows goes through', async () => {
  const { path, positions, close } = prepared()
  const writer = startWriter(path, 'normal', () => {})
  const room = chat()
  const facts = [room.create, room.join, ...Array.from({ length: 9_998 }, (_, index) => room.message(`message ${index}`))]
  expect(await outcome(writer.write(wireBatch(rowsOf(facts), [])))).toBe('written')
  expect(positions()).toHaveLength(10_000)
  await writer.close()
  close()
}, 20_000)

test('a thread that dies fails what it was given, is reported, and the next batch has another', async () => {
  const { path, positions, close } = prepared()
  const reports: StoreReport[] = []
  let spawned = 0
  const writer = startWriter(path, 'full', (report) => void reports.push(report), () =>
    new Worker(import.meta.resolve(spawned++ === 0 ? './dying-writer.ts' : '#store/writer.ts')))
  await writer.opened
  const room = chat()
  const lost = [writer.write(wireBatch(rowsOf([room.create]), [])), writer.write(wireBatch(rowsOf([room.create]), []))]
  expect(await Promise.all(lost.map(outcome))).toEqual(Array(2).fill(expect.stringContaining('the writer thread has failed')))
  expect(reports).toEqual([{ kind: 'threadFailed', thread: 'writer', why: expect.stringContaining('out of memory, say') }])
  expect(await outcome(writer.write(wireBatch(rowsOf([room.create]), [])))).toBe('written')
  expect(positions()).toEqual([1])
  await writer.close()
  close()
})

test('a closed writer takes nothing more, and closing it again changes nothing', async () => {
  const { path, close } = prepared()
  const writer = startWriter(path, 'full', () => {})
  await Promise.all([writer.close(), writer.close()])
  expect(await outcome(writer.write(wireBatch([], [])))).toBe('Error: the database is closed')
  close()
})

test('a database that cannot be opened fails the writes, not the process', async () => {
  const writer = startWriter('/nowhere/at/all/warren.db', 'full', () => {})
  expect(await outcome(writer.opened)).toContain('SQLITE_CANTOPEN')
  expect(await outcome(writer.write(wireBatch([], [])))).toContain('SQLITE_CANTOPEN')
  await writer.close()
})
