import { Database } from 'bun:sqlite'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Another process holds the data folder. */
export class DataFolderBusy extends Error {
  override readonly name = 'DataFolderBusy'
  constructor(readonly dataDir: string) {
    super(`${dataDir} is in use by a warren that runs`)
  }
}

const OWNER_ONLY = 0o700
/** `warren status` takes the lock for a moment to see whether it is free; a server that starts then waits that long. */
export const LOCK_WAIT_MS = 2_000

/**
 * Takes the data folder (made when missing, for its owner alone) for this process until `release`, or until the
 * process ends in whatever way: the lock is the operating system's, on a small SQLite file. Throws DataFolderBusy.
 */
export function lockDataFolder(dataDir: string, waitMs: number = LOCK_WAIT_MS): { release(): void } {
  mkdirSync(dataDir, { recursive: true, mode: OWNER_ONLY })
  const database = new Database(join(dataDir, 'warren.lock'), { create: true })
  try {
    database.run(`PRAGMA busy_timeout = ${waitMs}`)
    database.run('PRAGMA locking_mode = EXCLUSIVE')
    database.run('BEGIN EXCLUSIVE')
  } catch (failure) {
    database.close()
    if ((failure as { code?: string }).code === 'SQLITE_BUSY') throw new DataFolderBusy(dataDir)
    throw failure
  }
  return { release: () => database.close() }
}
