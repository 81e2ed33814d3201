import { Database } from 'bun:sqlite'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { median } from './statistics.ts'

/** `/proc` counts processor time in hundredths of a second on every Linux that Bun runs on. */
const TICK_MS = 10
const APPEND_BYTES = 4096

/** Processor time of all threads of a process since it started, in milliseconds (steps of 10). */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Resident memory of a process in megabytes (10^6 bytes), the pages of its binary included. */
export function residentMegabytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) * 1024 / 1_000_000
}

/** As long as nothing happens between two deliveries that are measured. */
export const REST_MS = 5

/**
 * Median time in milliseconds to append 4 KB to a file beside the data and `fdatasync` it, one after the other or with
 * a rest between them: a disk, and whatever stands before it, may be slower to answer when nobody has just asked.
 */
export function measureSync(parent = tmpdir(), { rounds = 300, restMs = 0 }: Readonly<{ rounds?: number; restMs?: number }> = {}): number {
  const directory = mkdtempSync(join(parent, 'warren-disk-'))
  const file = openSync(join(directory, 'append'), 'a')
  const page = Buffer.alloc(APPEND_BYTES, 7)
  const times = Array.from({ length: rounds }, () => {
    if (restMs > 0) Bun.sleepSync(restMs)
    const began = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  rmSync(directory, { recursive: true })
  return median(times)
}

/** Bytes of all files below a data directory, after moving what waits in SQLite's write-ahead logs into its databases. */
export function bytesOnDisk(directory: string): number {
  for (const database of databasesBelow(directory)) checkpoint(database)
  return filesBelow(directory).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}

/** How the databases below a data directory keep their journal, for the line that states durability. */
export function journalModes(directory: string): string {
  const modes = databasesBelow(directory).map((file) => firstBytes(file, 20)[18] === 2 ? 'wal' : 'rollback journal')
  return modes.length === 0 ? 'no SQLite database' : `SQLite, ${[...new Set(modes)].join(' and ')}`
}

function checkpoint(path: string): void {
  const database = new Database(path)
  database.run('PRAGMA busy_timeout = 2000')
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

function databasesBelow(directory: string): string[] {
  return filesBelow(directory).filter((file) => firstBytes(file, 15).toString('latin1') === 'SQLite format 3')
}

function firstBytes(path: string, count: number): Buffer {
  const bytes = Buffer.alloc(count)
  const file = openSync(path, 'r')
  readSync(file, bytes, 0, count, 0)
  closeSync(file)
  return bytes
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** `2 × AMD EPYC, 24 GB, Bun 1.4.5, load 0.31`: a load of others makes every figure worse, so it stands beside them. */
export function describeMachine(): string {
  const processors = cpus()
  const memory = Math.round(totalmem() / 1e9)
  const load = (loadavg()[0] ?? 0).toFixed(2)
  return `${processors.length} × ${processors[0]?.model ?? 'processor'}, ${memory} GB, Bun ${Bun.version}, load ${load}`
}
