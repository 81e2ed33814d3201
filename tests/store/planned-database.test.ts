import { describe, expect, test } from 'bun:test'
import { PlannedDatabase, sheltered } from '#store/planned-database.ts'

test.each([
  ['a bare parameter gets a plus', 'SELECT 1 WHERE a = ? AND b = ?2', 'SELECT 1 WHERE a = +? AND b = +?2'],
  ['one that has it keeps the one', 'LIMIT +? OFFSET +?1', 'LIMIT +? OFFSET +?1'],
  ['text in quotes stays as it is', "SELECT '?' || ?, 'it''s ?'", "SELECT '?' || +?, 'it''s ?'"],
])('%s', (_says, sql, wanted) => {
  expect(sheltered(sql)).toBe(wanted)
})

describe('a planned database', () => {
  test('prepares a statement once, however many others are asked in between', () => {
    const db = new PlannedDatabase(':memory:', { strict: true })
    const first = db.query('SELECT 1')
    for (let number = 2; number < 200; number++) db.query(`SELECT ${number}`).get()
    expect(db.query('SELECT 1')).toBe(first)
  })

  test('answers as any other: by text, number, bytes and null, in order and by number', () => {
    const db = new PlannedDatabase(':memory:', { strict: true })
    db.run('CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER, bytes BLOB) STRICT')
    db.query('INSERT INTO things VALUES (?2, ?1, ?3)').run(7, 'x', new Uint8Array([0, 255]))
    const all = { name: 'x', size: 7, bytes: new Uint8Array([0, 255]) }
    expect(db.query('SELECT * FROM things WHERE name = ? AND size = ? AND bytes = ? AND ? IS NULL').get('x', 7, all.bytes, null)).toEqual(all)
    expect(db.query('SELECT * FROM things WHERE name IN (SELECT value FROM json_each(?)) LIMIT ?').all('["x"]', 1)).toEqual([all])
  })
})
