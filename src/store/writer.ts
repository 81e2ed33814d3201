import { openWriting, type Synchronous } from './database.ts'
import type { StoreReport } from './report.ts'
import { type ReserveFile, reserveFile } from './reserve-file.ts'
import { asMatrixError, diskFull, isDamage, isDiskFull } from './sqlite-errors.ts'
import { type Store, storeOn } from './store.ts'
import { vacuumSlice } from './vacuum.ts'
import { type WireBatch, writeBatch } from './write-batch.ts'

/**
 * The writer thread: the only connection that writes, so that a slow disk never stops the event loop. It is told
 * what to open, then takes batches one after the other and says of each how it ended.
 */
export type ToWriter =
  | Readonly<{ kind: 'open'; path: string; synchronous: Synchronous }>
  | Readonly<{ kind: 'write'; batch: WireBatch }>
  | Readonly<{ kind: 'close' }>
export type FromWriter =
  | Readonly<{ kind: 'done' }>
  | Readonly<{ kind: 'failed'; status: number; errcode: string; error: string }>
  | Readonly<{ kind: 'report'; report: StoreReport }>

/** Without a batch for that long the writer tidies up, a little at a time. */
const IDLE_MS = 1_000
/** A full disk is looked at again no sooner than this. */
const RETRY_FULL_MS = 500

type Opened = Readonly<{ store: Store; reserve: ReserveFile }>

let place: Extract<ToWriter, { kind: 'open' }> | undefined
let opened: Opened | undefined
let lastWrite = 0
/** When the disk was last found full, in `performance.now()`; undefined while there is room. */
let fullSince: number | undefined
let idle: ReturnType<typeof setInterval> | undefined

const say = (message: FromWriter): void => postMessage(message)
const report = (it: StoreReport): void => say({ kind: 'report', report: it })

function connection(): Opened {
  if (!place) throw new Error('the writer was not told what to open')
  return (opened ??= { store: storeOn(openWriting(place.path, place.synchronous)), reserve: reserveFile(place.path) })
}

function write(batch: WireBatch): void {
  const { store, reserve } = connection()
  lastWrite = performance.now()
  if (fullSince !== undefined) lookForRoom(reserve, fullSince)
  try {
    writeBatch(store, batch)
  } catch (error) {
    if (isDiskFull(error)) giveRoom(reserve)
    if (isDamage(error)) report({ kind: 'damaged', problems: [String(error)] })
    throw error
  }
}

/** What the reserve frees is for checkpoints and an orderly stop; clients' writes wait until it is back. */
function giveRoom(reserve: ReserveFile): void {
  if (fullSince === undefined) report({ kind: 'diskFull' })
  fullSince = performance.now()
  reserve.spend()
}

/** Throws the refusal of a full disk unless there is room again. */
function lookForRoom(reserve: ReserveFile, since: number): void {
  if (performance.now() - since < RETRY_FULL_MS) throw diskFull()
  fullSince = performance.now()
  reserve.restore()
  fullSince = undefined
  report({ kind: 'diskFreed' })
}

function tidy(): void {
  if (!opened || performance.now() - lastWrite < IDLE_MS) return
  const { reserve, store } = opened
  try {
    if (fullSince === undefined) reserve.restore()
    else lookForRoom(reserve, fullSince)
    vacuumSlice(store.db)
  } catch {
    // Nobody waits for it; the next round tries again.
  }
}

function handle(message: ToWriter): void {
  if (message.kind === 'write') return write(message.batch)
  clearInterval(idle)
  if (message.kind === 'close') {
    opened?.store.db.close()
    opened = undefined
    return
  }
  place = message
  idle = setInterval(tidy, IDLE_MS)
  connection()
}

declare const self: Worker
self.onmessage = ({ data }: MessageEvent<ToWriter>) => {
  try {
    handle(data)
    say({ kind: 'done' })
  } catch (failure) {
    const { status, errcode, message } = asMatrixError(failure)
    say({ kind: 'failed', status, errcode, error: message })
  }
}
