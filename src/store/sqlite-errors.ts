import { MatrixError } from '#schema/matrix-error.ts'

const DISK_FULL = 'The disk is full: nothing was kept. Free some space; the server goes on by itself'
const READ_ONLY = 'The database cannot be written: nothing was kept. Check the permissions of the data directory'
const DAMAGED = 'The database is damaged in this place: nothing was kept. The server log tells the admin more'

/** SQLite's name of what went wrong, such as `SQLITE_FULL`; empty for errors of other makers. */
export const sqliteCodeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_') ? String(error.code) : ''

/** The disk, or this user's share of it, has no room; the log's shared memory needs some too. */
export const isDiskFull = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR_WRITE|IOERR_SHMSIZE|IOERR_TRUNCATE)/.test(sqliteCodeOf(error))

/** A page is not what it must be. */
export const isDamage = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCodeOf(error))

export const diskFull = (): MatrixError => new MatrixError(507, 'M_UNKNOWN', DISK_FULL)

/** What a client is told when SQLite refuses to write. */
export function asMatrixError(error: unknown): MatrixError {
  if (error instanceof MatrixError) return error
  if (isDiskFull(error)) return diskFull()
  const code = sqliteCodeOf(error)
  if (code.startsWith('SQLITE_READONLY')) return new MatrixError(507, 'M_UNKNOWN', READ_ONLY)
  if (isDamage(error)) return new MatrixError(500, 'M_UNKNOWN', DAMAGED)
  const why = error instanceof Error ? error.message : String(error)
  return new MatrixError(500, 'M_UNKNOWN', `The change could not be written; nothing was kept (${code || why})`)
}
