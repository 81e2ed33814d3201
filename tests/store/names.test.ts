import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { migrate } from '#store/database.ts'
import { Names } from '#store/names.ts'

function names() {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  return { db, names: new Names(db) }
}

test('a name has one number for ever, in every process', () => {
  const { db, names: first } = names()
  const num = first.numberOf('@alice:a.example')
  expect(first.numberOf('@alice:a.example')).toBe(num)
  const second = new Names(db)
  expect(second.find('@alice:a.example')).toBe(num)
  expect(second.textOf(num)).toBe('@alice:a.example')
})

test('who has no number is not given one by asking', () => {
  const { db, names: book } = names()
  expect(book.find('@nobody:a.example')).toBeUndefined()
  expect(db.query('SELECT count(*) AS count FROM names').get()).toEqual({ count: 0 })
})

test('what a rolled back transaction has named is forgotten with it', () => {
  const { db, names: book } = names()
  db.run('BEGIN')
  const lost = book.numberOf('@mallory:b.example')
  db.run('ROLLBACK')
  book.forget()
  expect(book.find('@mallory:b.example')).toBeUndefined()
  expect(book.numberOf('@bob:a.example')).toBe(lost)
  expect(book.textOf(lost)).toBe('@bob:a.example')
})

test('a number that stands for nothing is a damaged database', () => {
  expect(() => names().names.textOf(7)).toThrow('the database mentions name 7, which does not exist')
})
