import { expect, test } from 'bun:test'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { sqliteJournal } from '#store/journal.ts'
import { openStore } from '#store/open-store.ts'
import { DatabaseRefused } from '#store/refusal.ts'
import { until } from '#harness/until.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

/** Where the log begins anew. */
const LOG_BYTES = 8_000 * 4_096
const rows = (facts: Parameters<typeof rowsOf>[0], from: number) => rowsOf(facts, from).map((row) => ({ ...row, ts: 0 }))
const walBytes = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0

test('a store is read at once, written as soon as its thread is up, and whole after it was closed', async () => {
  const path = newDatabasePath()
  const first = await openStore(path, 'full', { serverName: 'a.example' })
  expect(first.reader.db.query('SELECT count(*) AS count FROM journal').get()).toEqual({ count: 0 })
  const journal = sqliteJournal(first.reader, first.writer)
  const room = chat()
  await journal.append({ rows: rows([room.create, room.join], 1), snapshots: [] })
  expect(first.health()).toEqual({ isDiskFull: false, problems: [] })
  await first.close()
  expect([existsSync(`${path}-wal`), existsSync(`${path}-shm`)]).toEqual([false, false])

  const second = await openStore(path, 'normal', { serverName: 'a.example' })
  expect(sqliteJournal(second.reader, second.writer).position).toBe(2)
  await second.close()
})

test('a store that was closed before its threads were up is closed all the same', async () => {
  const path = newDatabasePath()
  const opened = await openStore(path, 'full')
  await opened.close()
  expect(existsSync(`${path}-wal`)).toBe(false)
})

test('what cannot be opened is refused before any thread is started', async () => {
  const path = newDatabasePath()
  writeFileSync(path, 'Dear diary')
  await expect(openStore(path, 'full')).rejects.toBeInstanceOf(DatabaseRefused)
})

test('when nothing is written any more the log is emptied into the database', async () => {
  const path = newDatabasePath()
  const opened = await openStore(path, 'normal')
  const journal = sqliteJournal(opened.reader, opened.writer)
  const room = chat()
  await journal.append({ rows: rows([room.create, room.join, ...Array.from({ length: 200 }, () => room.message('x'))], 1), snapshots: [] })
  expect(walBytes(path)).toBeGreaterThan(0)
  await until('the empty log', () => walBytes(path) === 0)
  await opened.close()
})

test('while much is written the log begins anew instead of growing', async () => {
  const path = newDatabasePath()
  const opened = await openStore(path, 'normal')
  const journal = sqliteJournal(opened.reader, opened.writer)
  const room = chat()
  await journal.append({ rows: rows([room.create, room.join], 1), snapshots: [] })
  const text = 'x'.repeat(60_000)
  let written = 0
  while (written < LOG_BYTES * 2) {
    await journal.append({ rows: rows(Array.from({ length: 20 }, () => room.message(text)), journal.position + 1), snapshots: [] })
    written += 20 * text.length
    await Bun.sleep(2)
  }
  expect(walBytes(path)).toBeLessThan(LOG_BYTES * 2)
  await opened.close()
})
