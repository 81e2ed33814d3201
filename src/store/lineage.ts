import type { Database } from 'bun:sqlite'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { openWriting } from './database.ts'

/**
 * Whether a database is the one that was served last from its place. After a backup was put back, or a folder was moved,
 * nobody knows what has been handed out since: then positions go on far behind all that clients may have seen, so that
 * their sync tokens mean something, and the devices are told to start over with their one-time keys. A snapshot of the
 * whole machine leaves no trace here; there a client's token from later than now is the first sign.
 */
export type Lineage = Readonly<{
  isRestored: boolean
  /** What follows from a restore is on disk: the next start finds nothing amiss. */
  confirm(): void
  /** Clients may have seen everything up to this position. */
  note(position: number): void
}>

/** More than any server writes between a backup and its restore. */
export const POSITIONS_SKIPPED = 1_000_000_000
const OWNER_ONLY = 0o600

/** Says how far clients may have seen; a backup that is put over the database does not bring it back. */
export const markPathOf = (path: string): string => `${path}.position`

/** Of a database in memory there is nothing to know. */
export const NO_LINEAGE: Lineage = { isRestored: false, confirm() {}, note() {} }

export function openLineage(db: Database, path: string): Lineage {
  const mark = readMark(path)
  const last = lastPosition(db)
  const isRestored = mark > last || metaOf(db, FILE) !== fileNameOf(path)
  if (isRestored) writing(path, (to) => setMeta(to, FLOOR, String(Math.max(mark, last) + POSITIONS_SKIPPED)))
  let noted = mark
  return {
    isRestored,
    confirm: () => writing(path, (to) => rememberFile(to, path)),
    note(position) {
      if (position !== noted && writeMark(path, position)) noted = position
    },
  }
}

/** Where the journal ends, or where it goes on after a restore. */
export function lastPosition(db: Database): number {
  const written = db.query<{ last: number | null }, []>('SELECT max(position) AS last FROM journal').get()?.last ?? 0
  return Math.max(written, Number(metaOf(db, FLOOR) ?? 0))
}

const FILE = 'file'
const FLOOR = 'position_floor'

const metaOf = (db: Database, key: string): string | undefined =>
  db.query<{ value: string }, [string]>('SELECT value FROM meta WHERE key = ?').get(key)?.value

const setMeta = (db: Database, key: string, value: string): void =>
  void db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', [key, value])

/** Called for a database in the making, and when a restore has been dealt with. */
export const rememberFile = (db: Database, path: string): void => setMeta(db, FILE, fileNameOf(path))

function writing(path: string, write: (db: Database) => void): void {
  const db = openWriting(path, 'full')
  try {
    write(db)
  } finally {
    db.close()
  }
}

/** What a file has that no copy of it has: its number and, where the file system knows it, when it was made. */
function fileNameOf(path: string): string {
  const { ino, birthtimeNs } = statSync(path, { bigint: true })
  return `${ino}:${birthtimeNs}`
}

function readMark(path: string): number {
  try {
    const text = readFileSync(markPathOf(path), 'utf8')
    return /^\d{1,15}\n$/.test(text) ? Number(text) : 0
  } catch {
    return 0
  }
}

/** It is only a hint, so nobody waits until it is on disk; but it is never half of one. */
function writeMark(path: string, position: number): boolean {
  const draft = `${markPathOf(path)}.new`
  try {
    writeFileSync(draft, `${position}\n`, { mode: OWNER_ONLY })
    renameSync(draft, markPathOf(path))
    return true
  } catch {
    // A full disk: the next note tries again.
    return false
  }
}
