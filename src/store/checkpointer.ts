import { Database } from 'bun:sqlite'
import { quickCheck, tablesOf } from './damage.ts'
import type { StoreReport } from './report.ts'

/**
 * The checkpointer thread: moves committed pages from the write-ahead log into the database so that no commit has to.
 * A page that is written often is moved once, so it waits for a good heap of them or for a quiet moment.
 */
export type ToCheckpointer =
  | Readonly<{ kind: 'open'; path: string }>
  /** Reads the whole database. */
  | Readonly<{ kind: 'check' }>
  | Readonly<{ kind: 'close' }>
export type FromCheckpointer = Readonly<
  | { kind: 'closed' }
  /** Nothing has been written for long, and everything is moved. */
  | { kind: 'idle' }
  | { kind: 'report'; report: StoreReport }
>

const EVERY_MS = 100
/** Pages that wait in the log before they are moved while commits go on: 8 MB. */
const MOVE_AT_PAGES = 2_000
/** Pages after which the log begins anew, for which writers wait a moment: 32 MB. */
const RESTART_AT_PAGES = 8_000
/** Rounds without a commit after which everything is moved and the log given back to the disk. */
const QUIET_ROUNDS = 10
/** Rounds with an empty log after which the thread is of no use: half a minute. */
const IDLE_ROUNDS = 300
/** Rounds to sit out after one that failed: somebody reads, or the disk is full. */
const FAILED_ROUNDS = 10
const BUSY_TIMEOUT_MS = 1_000

type Log = { busy: number; log: number; checkpointed: number }

let path: string | undefined
let db: Database | undefined
let timer: ReturnType<typeof setInterval> | undefined
const seen = { log: 0, quietRounds: 0, waitRounds: 0 }
let isChecking = false

function connection(): Database {
  if (path === undefined) throw new Error('the checkpointer was not told what to open')
  if (db) return db
  db = new Database(path, { strict: true })
  db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  return db
}

const checkpoint = (mode: 'NOOP' | 'PASSIVE' | 'RESTART' | 'TRUNCATE'): Log =>
  connection().query<Log, []>(`PRAGMA wal_checkpoint(${mode})`).get() ?? { busy: 0, log: 0, checkpointed: 0 }

function modeFor({ log, checkpointed }: Log): 'PASSIVE' | 'RESTART' | 'TRUNCATE' | undefined {
  if (log === 0) return undefined
  if (seen.quietRounds >= QUIET_ROUNDS) return 'TRUNCATE'
  if (log >= RESTART_AT_PAGES) return 'RESTART'
  return log - checkpointed >= MOVE_AT_PAGES ? 'PASSIVE' : undefined
}

function round(): void {
  if (seen.waitRounds-- > 0) return
  try {
    const state = checkpoint('NOOP')
    seen.quietRounds = state.log === seen.log ? seen.quietRounds + 1 : 0
    seen.log = state.log
    if (state.log === 0 && seen.quietRounds === IDLE_ROUNDS && !isChecking) return say({ kind: 'idle' })
    const mode = modeFor(state)
    if (!mode) return
    const after = checkpoint(mode)
    seen.log = after.log
    if (after.busy) seen.waitRounds = FAILED_ROUNDS
  } catch {
    // The log keeps everything until a later round succeeds.
    seen.waitRounds = FAILED_ROUNDS
  }
}

/** Reads the whole database, table by table with checkpoints in between. */
async function check(): Promise<void> {
  isChecking = true
  const started = performance.now()
  const problems: string[] = []
  try {
    for (const table of tablesOf(connection())) {
      await Bun.sleep(0)
      if (path === undefined) return
      problems.push(...quickCheck(connection(), table))
      round()
    }
  } catch (failure) {
    problems.push(String(failure))
  }
  isChecking = false
  say({ kind: 'report', report: { kind: 'checked', problems, ms: performance.now() - started } })
}

const say = (message: FromCheckpointer): void => postMessage(message)

declare const self: Worker
self.onmessage = ({ data }: MessageEvent<ToCheckpointer>) => {
  if (data.kind === 'open') {
    path = data.path
    timer = setInterval(round, EVERY_MS)
    return
  }
  if (data.kind === 'check') return void check()
  clearInterval(timer)
  db?.close()
  db = path = undefined
  say({ kind: 'closed' })
}
