import type { Database } from 'bun:sqlite'
import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Copies that are kept of the times before an upgrade. */
export const COPIES_KEPT = 2
const OWNER_ONLY = 0o600

/** `warren.db.v3.20260102T030405Z`: the copy that was made at schema version 3, at that time. */
export const copyPathOf = (path: string, version: number, now: Date): string =>
  `${path}.v${version}.${now.toISOString().replace(/\.\d+|[-:]/g, '')}`

/**
 * Copies a database into one file beside it and keeps the newest copies only. Returns the copy's path, which bears that
 * name only when it is whole and on disk. Reads one moment of the database; writers go on. About 7 s a gigabyte.
 */
export function copyDatabase(db: Database, path: string, version: number, now: Date): string {
  const copy = copyPathOf(path, version, now)
  const draft = `${copy}.part`
  rmSync(draft, { force: true })
  try {
    db.run('VACUUM INTO ?', [draft])
    chmodSync(draft, OWNER_ONLY)
    syncToDisk(draft)
    renameSync(draft, copy)
  } catch (failure) {
    rmSync(draft, { force: true })
    throw failure
  }
  syncToDisk(dirname(path))
  for (const old of copiesOf(path).slice(COPIES_KEPT)) rmSync(old, { force: true })
  return copy
}

/** The copies of a database, newest first. */
export function copiesOf(path: string): string[] {
  const name = basename(path)
  const timeOf = (file: string): string => file.slice(file.lastIndexOf('.'))
  return readdirSync(dirname(path))
    .filter((file) => file.startsWith(name) && /^\.v\d+\.\d{8}T\d{6}Z$/.test(file.slice(name.length)))
    .sort((a, b) => timeOf(b).localeCompare(timeOf(a)))
    .map((file) => join(dirname(path), file))
}

/** A file's bytes, or a folder's names, are on disk when this returns. */
export function syncToDisk(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
