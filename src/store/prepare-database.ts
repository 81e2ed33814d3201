import { Database } from 'bun:sqlite'
import { chmodSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { copiesOf, copyDatabase, syncToDisk } from './copy-database.ts'
import { APPLICATION_ID, migrate, openReading, openWriting, schemaVersionOf } from './database.ts'
import { checkFile, checkStructure, namingDamage } from './damage.ts'
import { rememberFile } from './lineage.ts'
import { migrations } from './migrations.ts'
import { DatabaseRefused } from './refusal.ts'
import type { StoreReport } from './report.ts'
import { reserveFile } from './reserve-file.ts'
import { isDiskFull } from './sqlite-errors.ts'

export type Preparing = Readonly<{
  path: string
  /** The name that all identifiers in the database are made with; absent: whatever it says. */
  serverName?: string | undefined
  report: (report: StoreReport) => void
  now?: Date
  steps?: readonly string[]
}>

const OWNER_ONLY = 0o600
/** Until it is whole nobody misses a database that is lost. */
const IN_THE_MAKING = ['auto_vacuum = INCREMENTAL', 'journal_mode = OFF', 'synchronous = OFF']

/**
 * Makes a database ready to be served and returns a connection that reads it: a new one is made, an older one is
 * copied and brought up to date. Throws DatabaseRefused, with nothing changed, for one that is damaged, newer than this
 * program, of another program or of another server.
 */
export function prepareDatabase(preparing: Preparing): Database {
  const { path, steps = migrations } = preparing
  checkFile(path)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) createDatabase(path, steps, preparing.serverName)
  const db = openChecked(preparing)
  if (schemaVersionOf(db) === steps.length && isOwned(db, preparing.serverName)) return db
  db.close()
  upgrade(preparing, steps)
  return openReading(path)
}

/** Made under another name and given its own when it is whole, so that no start ever finds half of one. */
function createDatabase(path: string, steps: readonly string[], serverName: string | undefined): void {
  const draft = `${path}.new`
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(draft + suffix, { force: true })
  const db = new Database(draft, { create: true, strict: true })
  try {
    chmodSync(draft, OWNER_ONLY)
    for (const pragma of IN_THE_MAKING) db.run(`PRAGMA ${pragma}`)
    migrate(db, steps)
    if (serverName !== undefined) own(db, serverName)
    // A file that is renamed is still the same.
    rememberFile(db, draft)
    db.run('PRAGMA journal_mode = WAL')
  } finally {
    db.close()
  }
  syncToDisk(draft)
  renameSync(draft, path)
  syncToDisk(dirname(path))
}

function openChecked({ path, steps = migrations, serverName }: Preparing): Database {
  let db: Database | undefined
  try {
    db = openGivingRoom(path)
    checkMaker(db, path)
    checkVersion(db, path, steps.length)
    checkOwner(db, path, serverName)
    checkStructure(db)
    return db
  } catch (failure) {
    db?.close()
    throw namingDamage(failure, path)
  }
}

/** Even reading needs a little room, for the memory that connections share; on a full disk the reserve gives it. */
function openGivingRoom(path: string): Database {
  try {
    return openReading(path)
  } catch (failure) {
    if (!isDiskFull(failure)) throw failure
    reserveFile(path).spend()
    return openReading(path)
  }
}

function checkMaker(db: Database, path: string): void {
  const maker = db.query<{ application_id: number }, []>('PRAGMA application_id').get()?.application_id
  if (maker === APPLICATION_ID) return
  throw new DatabaseRefused(
    `${path} is a database of another program. It was left as it is; give this server a file of its own`,
  )
}

function checkVersion(db: Database, path: string, known: number): void {
  const version = schemaVersionOf(db)
  if (version <= known) return
  const copy = copiesOf(path)[0]
  throw new DatabaseRefused(
    `${path} was written by a newer warren: its schema version is ${version}, and this one knows ${known}. `
      + 'It was left as it is. Start the newer warren again'
      + (copy === undefined ? '' : `, or put the copy from before the upgrade in its place: ${copy}`),
  )
}

const ownerOf = (db: Database): string | undefined =>
  db.query<{ value: string }, []>(`SELECT value FROM meta WHERE key = 'server_name'`).get()?.value

const isOwned = (db: Database, serverName: string | undefined): boolean =>
  serverName === undefined || ownerOf(db) === serverName

const own = (db: Database, serverName: string): void =>
  void db.run(`INSERT OR REPLACE INTO meta (key, value) VALUES ('server_name', ?)`, [serverName])

function checkOwner(db: Database, path: string, serverName: string | undefined): void {
  const owner = ownerOf(db)
  if (serverName === undefined || owner === undefined || owner === serverName) return
  throw new DatabaseRefused(
    `${path} belongs to the server ${owner}, and this one is called ${serverName}. A server cannot change its name: `
      + `set server_name to ${owner} again, or choose another data_dir`,
  )
}

function upgrade({ path, report, serverName, now = new Date() }: Preparing, steps: readonly string[]): void {
  const db = openWriting(path, 'full')
  try {
    const from = schemaVersionOf(db)
    if (from < steps.length) upgradeFrom(db, from)
    if (serverName !== undefined) own(db, serverName)
  } finally {
    db.close()
  }

  function upgradeFrom(db: Database, from: number): void {
    const started = performance.now()
    if (hasFacts(db)) {
      const copy = copyOrRefuse(db, path, from, now)
      report({ kind: 'copied', path: copy, ms: performance.now() - started })
    }
    migrateOrRefuse(db, path, from, steps)
    report({ kind: 'migrated', from, to: steps.length, ms: performance.now() - started })
  }
}

const hasFacts = (db: Database): boolean => db.query('SELECT 1 FROM journal LIMIT 1').get() !== null

function copyOrRefuse(db: Database, path: string, version: number, now: Date): string {
  try {
    return copyDatabase(db, path, version, now)
  } catch (failure) {
    throw new DatabaseRefused(
      `${path} has to be upgraded, and the copy that is made before could not be: ${String(failure)}. `
        + `Nothing was changed. Make room for a second file of ${statSync(path).size} bytes and start again`,
    )
  }
}

function migrateOrRefuse(db: Database, path: string, from: number, steps: readonly string[]): void {
  try {
    migrate(db, steps)
  } catch (failure) {
    throw new DatabaseRefused(
      `${path} could not be upgraded from schema version ${from} to ${steps.length}: ${String(failure)}. `
        + 'Nothing was changed; the warren that wrote it can still be started',
    )
  }
}
