import type { Database } from 'bun:sqlite'
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseRefused } from './refusal.ts'
import { isDamage } from './sqlite-errors.ts'

const HEADER_BYTES = 100
const MAGIC = 'SQLite format 3\0'
/** Problems that one look lists at most. */
const PROBLEMS_SHOWN = 20

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** A database of up to so many bytes is read whole after every start: seconds on an SD card, and cards lose pages. */
const ALWAYS_CHECKED_BYTES = 256 * 1024 ** 2

/** A log that nobody has emptied: the last process did not close the database. */
export const hasLog = (path: string): boolean => sizeOf(`${path}-wal`) > 0

/** Whether all of a database has to be read: the last process did not close it, or it is so small that nothing is lost. */
export const isChecked = (path: string, limitBytes = ALWAYS_CHECKED_BYTES): boolean => hasLog(path) || sizeOf(path) <= limitBytes

const damaged = (path: string, what: string): DatabaseRefused =>
  new DatabaseRefused(
    `${path} is damaged: ${what}. It was left as it is. Put a copy of it in its place, together with no ${path}-wal, `
      + `or save what can be read: sqlite3 ${path} .recover`,
  )

/**
 * Looks at the outside of a database file: is it there, whole, and SQLite's? Throws DatabaseRefused. An empty file
 * beside a log would be taken for a new database, and SQLite would throw the log away.
 */
export function checkFile(path: string): void {
  const bytes = sizeOf(path)
  if (bytes === 0) {
    if (!hasLog(path)) return
    throw damaged(path, `it is ${existsSync(path) ? 'empty' : 'missing'}, but its log ${path}-wal is here`)
  }
  const header = firstBytes(path)
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw damaged(path, 'it does not begin like an SQLite database')
  const missing = missingBytes(header, bytes)
  if (missing > 0 && !hasLog(path)) throw damaged(path, `its end is missing (${missing} bytes)`)
}

function firstBytes(path: string): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  const file = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, HEADER_BYTES, 0))
  } finally {
    closeSync(file)
  }
}

/** https://www.sqlite.org/fileformat.html#in_header_database_size */
function missingBytes(header: Buffer, bytes: number): number {
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  const isCountValid = header.readUInt32BE(24) === header.readUInt32BE(92)
  return isCountValid ? Math.max(0, header.readUInt32BE(28) * pageSize - bytes) : 0
}

const TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0`

export const tablesOf = (db: Database): string[] =>
  db.query<{ name: string }, []>(TABLES).all().map(({ name }) => name)

/** Touches the root of every table, through which every query goes. SQLite throws where it is damaged. */
export function checkStructure(db: Database): void {
  for (const table of tablesOf(db)) {
    const look = db.prepare(`SELECT * FROM "${table}" LIMIT 1`)
    look.get()
    look.finalize()
  }
}

/** Says of SQLite's complaint about a damaged page which file it is and what to do; other failures stay as they are. */
export const namingDamage = (failure: unknown, path: string): unknown =>
  isDamage(failure) ? damaged(path, String(failure)) : failure

/** Reads every page of a table and its indexes. What is wrong, in words; empty when it is sound. */
export function quickCheck(db: Database, table: string): string[] {
  const rows = db.query<{ quick_check: string }, []>(`PRAGMA quick_check("${table}")`).all()
  return rows.map(({ quick_check }) => quick_check).filter((row) => row !== 'ok').slice(0, PROBLEMS_SHOWN)
}
