import { expect, test } from 'bun:test'
import { migrate } from '#store/database.ts'
import { PlannedDatabase } from '#store/planned-database.ts'
import { readTogether, storeOn } from '#store/store.ts'

test('reading together gives what was read, and ends with a failure too', () => {
  const db = new PlannedDatabase(':memory:', { strict: true })
  migrate(db)
  const store = storeOn(db)
  expect(readTogether(store, () => 1)).toBe(1)
  expect(() => readTogether(store, () => {
    throw new Error('no')
  })).toThrow('no')
  expect(readTogether(store, () => 2)).toBe(2)
})
