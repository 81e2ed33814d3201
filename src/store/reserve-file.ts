import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { diskFull } from './sqlite-errors.ts'

/** Enough to move the write-ahead log into the database when the disk is full; less on a small disk. */
export const RESERVE_BYTES = 32 * 1024 ** 2
export const RESERVE_SHARE = 1 / 64
const CHUNK_BYTES = 256 * 1024
const OWNER_ONLY = 0o600

/**
 * A file that holds nothing but room, beside a database. It goes when the disk is full, because then even deleting
 * and checkpointing need a few pages more, and comes back when there is twice its size again.
 */
export type ReserveFile = Readonly<{
  spend(): void
  /** Makes the file unless it is there. Throws the 507 of a full disk when there is no room for it. */
  restore(): void
}>

export const reservePathOf = (database: string): string => `${database}.reserve`

export function reserveFile(database: string): ReserveFile {
  const path = reservePathOf(database)
  const { bsize, blocks } = statfsSync(dirname(database))
  const bytes = Math.min(RESERVE_BYTES, Math.ceil((bsize * blocks * RESERVE_SHARE) / CHUNK_BYTES) * CHUNK_BYTES)
  return {
    spend: () => rmSync(path, { force: true }),
    restore() {
      if (statSync(path, { throwIfNoEntry: false })?.size === bytes) return
      if (freeBytes(dirname(database)) < bytes * 2) throw diskFull()
      fill(path, bytes)
    },
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Written out in full with what no file system can pack: a file with holes reserves nothing. */
function fill(path: string, bytes: number): void {
  const chunk = randomBytes(CHUNK_BYTES)
  const file = openSync(path, 'w', OWNER_ONLY)
  try {
    for (let at = 0; at < bytes; at += CHUNK_BYTES) writeSync(file, chunk)
  } catch {
    rmSync(path, { force: true })
    throw diskFull()
  } finally {
    closeSync(file)
  }
}
