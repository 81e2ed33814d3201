import { describe, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { copiesOf, copyPathOf } from '#store/copy-database.ts'
import { migrate, openWriting, SCHEMA_VERSION, schemaVersionOf } from '#store/database.ts'
import { migrations } from '#store/migrations.ts'
import { type Preparing, prepareDatabase } from '#store/prepare-database.ts'
import { DatabaseRefused } from '#store/refusal.ts'
import type { StoreReport } from '#store/report.ts'
import { storeOn } from '#store/store.ts'
import { wireBatch, writeBatch } from '#store/write-batch.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

const NEW_TABLE = 'CREATE TABLE novelty (num INTEGER PRIMARY KEY) STRICT'
const NOW = new Date('2026-01-02T03:04:05.678Z')

function prepare(preparing: Omit<Preparing, 'report'>): { reports: StoreReport[]; version: number; tables: string[] } {
  const reports: StoreReport[] = []
  const db = prepareDatabase({ ...preparing, report: (report) => void reports.push(report) })
  const tables = db.query<{ name: string }, []>(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all().map(({ name }) => name)
  const version = schemaVersionOf(db)
  db.close()
  return { reports, version, tables }
}

/** A database with one room in it. */
function inhabited(path: string, serverName = 'a.example'): void {
  prepare({ path, serverName })
  const db = openWriting(path, 'normal')
  const room = chat()
  writeBatch(storeOn(db), wireBatch(rowsOf([room.create, room.join]), []))
  db.close()
}

function refusalOf(preparing: Omit<Preparing, 'report'>): string {
  try {
    prepare(preparing)
  } catch (failure) {
    if (failure instanceof DatabaseRefused) return failure.message
    throw failure
  }
  return 'nothing was refused'
}

const filesBeside = (path: string): string[] => readdirSync(dirname(path)).sort()

describe('a new database', () => {
  test('has every table, a log beside it and its owner\'s name, and is for its owner\'s eyes only', () => {
    const path = newDatabasePath()
    const { version, tables, reports } = prepare({ path, serverName: 'a.example' })
    expect(version).toBe(SCHEMA_VERSION)
    expect(tables).toContain('journal')
    expect(reports).toEqual([])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const db = new Database(path, { readonly: true })
    expect(db.query('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(db.query('PRAGMA auto_vacuum').get()).toEqual({ auto_vacuum: 2 })
    expect(db.query('SELECT * FROM meta ORDER BY key').all()).toEqual([
      { key: 'file', value: expect.stringMatching(/^\d+:\d+$/) }, { key: 'server_name', value: 'a.example' },
    ])
    db.close()
  })

  test('is made anew when an earlier attempt was cut off', () => {
    const path = newDatabasePath()
    writeFileSync(`${path}.new`, 'half a database')
    writeFileSync(`${path}.new-journal`, 'and its journal')
    expect(prepare({ path }).version).toBe(SCHEMA_VERSION)
    expect(filesBeside(path).filter((file) => file.includes('.new'))).toEqual([])
  })

  test('takes the place of an empty file', () => {
    const path = newDatabasePath()
    writeFileSync(path, '')
    expect(prepare({ path }).version).toBe(SCHEMA_VERSION)
  })
})

describe('an older database', () => {
  test('is copied and then upgraded', () => {
    const path = newDatabasePath()
    inhabited(path)
    const { version, tables, reports } = prepare({ path, steps: [...migrations, NEW_TABLE], now: NOW })
    const copy = `${path}.v${SCHEMA_VERSION}.20260102T030405Z`
    expect(version).toBe(SCHEMA_VERSION + 1)
    expect(tables).toContain('novelty')
    expect(reports).toEqual([
      { kind: 'copied', path: copy, ms: expect.any(Number) },
      { kind: 'migrated', from: SCHEMA_VERSION, to: SCHEMA_VERSION + 1, ms: expect.any(Number) },
    ])
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    const { version: old, tables: before } = prepare({ path: copy })
    expect(old).toBe(SCHEMA_VERSION)
    expect(before).not.toContain('novelty')
  })

  test('is not copied when nothing has happened in it', () => {
    const path = newDatabasePath()
    prepare({ path })
    const { reports } = prepare({ path, steps: [...migrations, NEW_TABLE] })
    expect(reports.map(({ kind }) => kind)).toEqual(['migrated'])
    expect(copiesOf(path)).toEqual([])
  })

  test('keeps the newest two copies, by their time and not by their version', () => {
    const path = newDatabasePath()
    inhabited(path)
    const steps = [...migrations]
    const made = ['2026-01-01', '2026-01-03', '2026-01-02'].map((day) => {
      steps.push(NEW_TABLE.replace('novelty', `novelty${steps.length}`))
      const now = new Date(`${day}T00:00:00Z`)
      prepare({ path, steps, now })
      return copyPathOf(path, steps.length - 1, now)
    })
    expect(copiesOf(path)).toEqual([made[1], made[2]] as string[])
    expect(existsSync(made[0] ?? '')).toBe(false)
  })

  test('stays as it was when a migration fails, with its copy beside it', () => {
    const path = newDatabasePath()
    inhabited(path)
    const steps = [...migrations, NEW_TABLE, 'CREATE TABLE journal (broken INTEGER)']
    expect(refusalOf({ path, steps })).toMatch(/could not be upgraded .* Nothing was changed/)
    const { version, tables } = prepare({ path })
    expect(version).toBe(SCHEMA_VERSION)
    expect(tables).not.toContain('novelty')
    expect(copiesOf(path)).toHaveLength(1)
  })

  test('is not upgraded when it cannot be copied', () => {
    const path = newDatabasePath()
    inhabited(path)
    // Nothing can be written where a folder is.
    const copy = copyPathOf(path, SCHEMA_VERSION, NOW)
    writeFileSync(`${path}.keep`, '')
    Bun.spawnSync(['mkdir', '-p', `${copy}/in-the-way`])
    expect(refusalOf({ path, steps: [...migrations, NEW_TABLE], now: NOW })).toContain('Make room for a second file')
    expect(prepare({ path }).version).toBe(SCHEMA_VERSION)
    expect(filesBeside(path).filter((file) => file.endsWith('.part'))).toEqual([])
  })
})

describe('what is refused', () => {
  test('a database of a newer warren, with the copy that can take its place', () => {
    const path = newDatabasePath()
    inhabited(path)
    prepare({ path, steps: [...migrations, NEW_TABLE], now: NOW })
    const bytes = readFileSync(path)
    expect(refusalOf({ path })).toBe(
      `${path} was written by a newer warren: its schema version is ${SCHEMA_VERSION + 1}, and this one knows ${SCHEMA_VERSION}. `
        + `It was left as it is. Start the newer warren again, or put the copy from before the upgrade in its place: `
        + copyPathOf(path, SCHEMA_VERSION, NOW),
    )
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('a database of another server', () => {
    const path = newDatabasePath()
    inhabited(path, 'b.example')
    expect(refusalOf({ path, serverName: 'a.example' })).toBe(
      `${path} belongs to the server b.example, and this one is called a.example. A server cannot change its name: `
        + 'set server_name to b.example again, or choose another data_dir',
    )
    expect(refusalOf({ path, serverName: 'b.example' })).toBe('nothing was refused')
  })

  test('a database of another program', () => {
    const path = newDatabasePath()
    const db = new Database(path)
    db.run('CREATE TABLE events (mine TEXT)')
    db.close()
    const bytes = readFileSync(path)
    expect(refusalOf({ path })).toContain(`${basename(path)} is a database of another program. It was left as it is`)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })
})

test('a database without a name gets the first one that opens it', () => {
  const path = newDatabasePath()
  prepare({ path })
  prepare({ path, serverName: 'a.example' })
  expect(refusalOf({ path, serverName: 'b.example' })).toContain('belongs to the server a.example')
})

test('a migration that is there already is not run again', () => {
  const db = new Database(':memory:')
  migrate(db, [NEW_TABLE])
  expect(() => migrate(db, [NEW_TABLE])).not.toThrow()
  expect(schemaVersionOf(db)).toBe(1)
})
