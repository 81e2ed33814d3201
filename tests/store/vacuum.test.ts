import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { openWriting } from '#store/database.ts'
import { KEPT_FREE_PAGES, VACUUM_SLICE_PAGES, vacuumSlice } from '#store/vacuum.ts'
import { newDatabasePath } from './fixture.ts'

const PAGES = KEPT_FREE_PAGES + 3 * VACUUM_SLICE_PAGES

function withFreePages(count: number) {
  const path = newDatabasePath()
  const db = openWriting(path, 'normal')
  db.run('CREATE TABLE filler (bytes BLOB)')
  const insert = db.query('INSERT INTO filler VALUES (zeroblob(4000))')
  db.transaction(() => {
    for (let index = 0; index < count + 2; index++) insert.run()
  }).immediate()
  db.run('DELETE FROM filler')
  const free = (): number => db.query<{ freelist_count: number }, []>('PRAGMA freelist_count').get()?.freelist_count ?? 0
  return { path, db, free }
}

test('free pages go back to the disk a slice at a time, down to what is kept for what comes next', () => {
  const { path, db, free } = withFreePages(PAGES)
  const before = free()
  expect(vacuumSlice(db)).toBe(true)
  expect(free()).toBe(before - VACUUM_SLICE_PAGES)
  while (vacuumSlice(db));
  expect(free()).toBe(KEPT_FREE_PAGES)
  db.run('PRAGMA wal_checkpoint(TRUNCATE)')
  expect(statSync(path).size).toBeLessThan((KEPT_FREE_PAGES + 50) * 4_096)
  db.close()
})

test('a few free pages stay', () => {
  const { db, free } = withFreePages(100)
  const before = free()
  expect(vacuumSlice(db)).toBe(false)
  expect(free()).toBe(before)
  db.close()
})
