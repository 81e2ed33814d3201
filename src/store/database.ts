import type { Database } from 'bun:sqlite'
import { migrations } from './migrations.ts'
import { PlannedDatabase } from './planned-database.ts'

/** SQLite pages kept in memory per connection, in KiB; the system keeps the file's pages too, and can do without them. */
export const CACHE_KIB = 4_096
/** How long a connection waits for another one's lock before it gives up. */
const BUSY_TIMEOUT_MS = 5_000
/** Marks our databases in their header: `Warr`. */
export const APPLICATION_ID = 0x5761_7272

export type Synchronous = 'full' | 'normal'

/**
 * The one connection that writes. Commits do not checkpoint: another thread does, because a committing connection
 * that checkpoints stalls for tens of milliseconds (D13). What is deleted is overwritten where that costs no page more.
 */
export const openWriting = (path: string, synchronous: Synchronous): Database =>
  openWith(path, { create: true, strict: true }, [
    'auto_vacuum = INCREMENTAL',
    'journal_mode = WAL',
    `synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`,
    'wal_autocheckpoint = 0',
    'secure_delete = FAST',
  ])

/** A connection that only reads; it never blocks the writer nor waits for it. */
export const openReading = (path: string): Database => openWith(path, { readonly: true, strict: true }, [])

type Options = Readonly<{ strict: true } & ({ readonly: true } | { create: true })>

function openWith(path: string, options: Options, pragmas: readonly string[]): Database {
  const db = new PlannedDatabase(path, options)
  const forAll = [`cache_size = -${CACHE_KIB}`, 'temp_store = MEMORY']
  try {
    for (const pragma of [`busy_timeout = ${BUSY_TIMEOUT_MS}`, ...pragmas, ...forAll]) db.run(`PRAGMA ${pragma}`)
    return db
  } catch (failure) {
    db.close()
    throw failure
  }
}

export const schemaVersionOf = (db: Database): number =>
  db.query<{ user_version: number }, []>('PRAGMA user_version').get()?.user_version ?? 0

/** The schema version that this program writes. */
export const SCHEMA_VERSION = migrations.length

/** Brings the tables up to date in one transaction; forward only. */
export function migrate(db: Database, steps: readonly string[] = migrations): void {
  const from = schemaVersionOf(db)
  if (from >= steps.length) return
  db.transaction(() => {
    for (const sql of steps.slice(from)) db.run(sql)
    db.run(`PRAGMA user_version = ${steps.length}`)
    db.run(`PRAGMA application_id = ${APPLICATION_ID}`)
  }).immediate()
}
