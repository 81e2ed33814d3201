import { expect, test } from 'bun:test'
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { isChecked } from '#store/damage.ts'
import { openWriting } from '#store/database.ts'
import { openStore } from '#store/open-store.ts'
import { prepareDatabase } from '#store/prepare-database.ts'
import { DatabaseRefused } from '#store/refusal.ts'
import type { StoreReport } from '#store/report.ts'
import { storeOn } from '#store/store.ts'
import { wireBatch, writeBatch } from '#store/write-batch.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

const PAGE_BYTES = 4_096
const MESSAGES = 400

/** A closed database of some pages. */
function inhabited(): string {
  const path = newDatabasePath()
  prepareDatabase({ path, report() {} }).close()
  const db = openWriting(path, 'normal')
  const room = chat()
  const messages = Array.from({ length: MESSAGES }, (_, index) => room.message(`message ${index}`))
  writeBatch(storeOn(db), wireBatch(rowsOf([room.create, room.join, ...messages]), []))
  db.close()
  return path
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

function rootOf(path: string, table: string): number {
  const db = openWriting(path, 'normal')
  const row = db.query<{ rootpage: number }, [string]>('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)
  db.close()
  return ((row?.rootpage ?? 0) - 1) * PAGE_BYTES
}

const RUBBISH = new Uint8Array(PAGE_BYTES).fill(0xa5)

test.each<[string, (path: string) => void, string]>([
  ['a broken header', (path) => overwrite(path, 0, RUBBISH.subarray(0, 100)), 'it does not begin like an SQLite database'],
  ['a file of something else', (path) => writeFileSync(path, 'short'), 'it does not begin like an SQLite database'],
  ['a file that was cut off', (path) => truncateSync(path, statSync(path).size - 2 * PAGE_BYTES), 'its end is missing (8192 bytes)'],
  ['a file that was cut off after its first page', (path) => truncateSync(path, PAGE_BYTES), 'its end is missing'],
  ['an empty file beside its log', (path) => (truncateSync(path, 0), writeFileSync(`${path}-wal`, RUBBISH)), 'it is empty, but its log'],
  ['a log whose database is gone', (path) => (rmSync(path), writeFileSync(`${path}-wal`, RUBBISH)), 'it is missing, but its log'],
  ['a header that lies about its pages', (path) => overwrite(path, 16, Uint8Array.of(3, 7)), ''],
  ['a table without its first page', (path) => overwrite(path, rootOf(path, 'events'), RUBBISH), 'malformed'],
  ['a list of tables that cannot be read', (path) => overwrite(path, 100, RUBBISH.subarray(0, 200)), 'malformed'],
])('%s is named at start and left as it is', (_, harm, what) => {
  const path = inhabited()
  harm(path)
  const before = existsSync(path) ? readFileSync(path) : undefined
  let refusal: unknown
  try {
    prepareDatabase({ path, report() {} }).close()
  } catch (failure) {
    refusal = failure
  }
  expect(refusal).toBeInstanceOf(DatabaseRefused)
  expect(String(refusal)).toContain(`${path} is damaged: `)
  expect(String(refusal)).toContain(what)
  expect(String(refusal)).toContain('It was left as it is.')
  expect(existsSync(path) ? readFileSync(path) : undefined).toEqual(before)
})

const checked = async (path: string): Promise<{ report: StoreReport; problems: readonly string[] }> => {
  const { promise, resolve } = Promise.withResolvers<StoreReport>()
  const opened = await openStore(path, 'normal', { report: resolve, checkAfterMs: 0 })
  const report = await promise
  const { problems } = opened.health()
  await opened.close()
  return { report, problems }
}

/** What a process that was killed leaves behind: a log that nobody has emptied. */
function leaveLog(path: string): void {
  const opened = openWriting(path, 'normal')
  opened.run(`INSERT OR REPLACE INTO meta (key, value) VALUES ('left', 'behind')`)
  const files = [path, `${path}-wal`].map((file) => [file, readFileSync(file)] as const)
  opened.close()
  for (const [file, bytes] of files) writeFileSync(file, bytes)
}

test('after a stop that was not clean the whole database is read, and found sound', async () => {
  const path = inhabited()
  leaveLog(path)
  expect(await checked(path)).toEqual({ report: { kind: 'checked', problems: [], ms: expect.any(Number) }, problems: [] })
})

test('after a stop that was not clean a damaged page deep inside is found and shown', async () => {
  const path = inhabited()
  leaveLog(path)
  overwrite(path, statSync(path).size - 20 * PAGE_BYTES, RUBBISH)
  const { report, problems } = await checked(path)
  expect(report.kind).toBe('checked')
  expect(problems.length).toBeGreaterThan(0)
  expect(report).toEqual({ kind: 'checked', problems, ms: expect.any(Number) })
})

test('after a clean stop it is found in a database that is not large', async () => {
  const path = inhabited()
  overwrite(path, statSync(path).size - 20 * PAGE_BYTES, RUBBISH)
  const { problems } = await checked(path)
  expect(problems.length).toBeGreaterThan(0)
})

test('a large one is read whole only after a stop that was not clean', () => {
  const path = inhabited()
  const size = statSync(path).size
  expect([isChecked(path, size), isChecked(path, size - 1)]).toEqual([true, false])
  leaveLog(path)
  expect(isChecked(path, size - 1)).toBe(true)
})
