import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type House, house } from '#harness/house.ts'
import { plannedStore, readTogether, sheltered } from '#store/planned-store.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

test.each([
  ['a bare parameter gets a plus', 'SELECT 1 WHERE a = ? AND b = ?2', 'SELECT 1 WHERE a = +? AND b = +?2'],
  ['one that has it keeps the one', 'LIMIT +? OFFSET +?1', 'LIMIT +? OFFSET +?1'],
  ['text in quotes stays as it is', "SELECT '?' || ?, 'it''s ?'", "SELECT '?' || +?, 'it''s ?'"],
])('%s', (_says, sql, wanted) => {
  expect(sheltered(sql)).toBe(wanted)
})

describe('a planned store', () => {
  test('is the same for the same store, and answers as it does', () => {
    const planned = plannedStore(here.server.store)
    expect(plannedStore(here.server.store)).toBe(planned)
    const ask = 'SELECT ? AS text, ?2 AS number, NULL AS missing'
    const wanted = { text: 'x', number: 7, missing: null }
    expect(planned.db.query(ask).get('x', 7)).toEqual(wanted)
    expect(planned.db.query(ask).get('x', 7)).toEqual(wanted)
  })

  test('finds by text, number and bytes what the store finds', () => {
    const { db } = plannedStore(here.server.store)
    expect(db.query<{ same: number }, [Uint8Array]>("SELECT x'00ff' = ? AS same").get(new Uint8Array([0, 255]))?.same).toBe(1)
    expect(db.query<{ name: string }, [string]>('SELECT name FROM names WHERE name = ?').get(here.alice.userId)?.name).toBe(here.alice.userId)
  })
})

describe('reading together', () => {
  test('gives what was read, and ends with a failure too', () => {
    const planned = plannedStore(here.server.store)
    expect(readTogether(planned, () => 1)).toBe(1)
    expect(() => readTogether(planned, () => {
      throw new Error('no')
    })).toThrow('no')
    expect(readTogether(planned, () => 2)).toBe(2)
  })
})
