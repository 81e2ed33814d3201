import { chmodSync, rmSync } from 'node:fs'
import { PlannedDatabase } from './planned-database.ts'
import { findMatches, indexMore, isIndexed, type Matches, prepareIndex, type SearchQuery } from './search.ts'
import { type Store, storeOn } from './store.ts'

/**
 * The reader thread: answers searches, which have no small bound, and keeps their index in the quiet between them. It
 * reads the house's database and writes its own beside it.
 */
export type ToReader =
  | Readonly<{ kind: 'open'; path: string; indexPath: string }>
  | Readonly<{ kind: 'search'; id: number; query: SearchQuery }>
  | Readonly<{ kind: 'close' }>
export type FromReader =
  | Readonly<{ kind: 'found'; id: number; matches: Matches }>
  | Readonly<{ kind: 'failed'; id: number; error: string }>
  /** Everything is indexed, and nothing has been asked or written for long. */
  | Readonly<{ kind: 'idle' }>
  | Readonly<{ kind: 'closed' }>

/** What has come is indexed this long after, at the latest. */
const INDEX_EVERY_MS = 1_000
/** Rounds with nothing to do after which the thread is of no use: half a minute. */
const IDLE_ROUNDS = 30
/** Batches that a search waits for when the index lags behind; what is older than these is found by the next one. */
const BATCHES_BEFORE_SEARCH = 40
const BUSY_TIMEOUT_MS = 5_000
const CACHE_KIB = 2_048
const OWNER_ONLY = 0o600

let place: Extract<ToReader, { kind: 'open' }> | undefined
let opened: Store | undefined
let timer: ReturnType<typeof setTimeout> | undefined
let idleRounds = 0

const say = (message: FromReader): void => postMessage(message)

function connection(): Store {
  if (!place) throw new Error('the reader was not told what to open')
  return (opened ??= openBoth(place))
}

/** An index that is damaged is thrown away: there is nothing in it that cannot be made again. */
function openBoth(paths: { path: string; indexPath: string }): Store {
  try {
    return attach(paths)
  } catch {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(paths.indexPath + suffix, { force: true })
    return attach(paths)
  }
}

function attach({ path, indexPath }: { path: string; indexPath: string }): Store {
  const db = new PlannedDatabase(':memory:', { strict: true })
  try {
    db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    db.run('PRAGMA temp_store = MEMORY')
    db.query('ATTACH ? AS house').run(path)
    db.query('ATTACH ? AS search').run(indexPath)
    for (const name of ['house', 'search']) db.run(`PRAGMA ${name}.cache_size = -${CACHE_KIB}`)
    db.run('PRAGMA search.journal_mode = WAL')
    db.run('PRAGMA search.synchronous = NORMAL')
    prepareIndex(db)
    chmodSync(indexPath, OWNER_ONLY)
    return storeOn(db)
  } catch (failure) {
    db.close()
    throw failure
  }
}

/** One batch at a time, so that a search that comes in between need not wait for all of them. */
function indexOn(): void {
  let hasMore = false
  try {
    idleRounds = isIndexed(connection()) ? idleRounds + 1 : 0
    hasMore = idleRounds === 0 && indexMore(connection())
  } catch {
    // A full disk, or a lock: the next round tries again.
  }
  if (idleRounds === IDLE_ROUNDS) say({ kind: 'idle' })
  timer = setTimeout(indexOn, hasMore ? 0 : INDEX_EVERY_MS)
}

function search(query: SearchQuery): Matches {
  const store = connection()
  idleRounds = 0
  for (let batch = 0; batch < BATCHES_BEFORE_SEARCH && indexMore(store); batch++);
  return findMatches(store, query)
}

function answer(id: number, query: SearchQuery): FromReader {
  try {
    return { kind: 'found', id, matches: search(query) }
  } catch (failure) {
    return { kind: 'failed', id, error: String(failure) }
  }
}

declare const self: Worker
self.onmessage = ({ data }: MessageEvent<ToReader>) => {
  if (data.kind === 'search') return say(answer(data.id, data.query))
  if (data.kind === 'open') {
    place = data
    timer = setTimeout(indexOn, 0)
    return
  }
  clearTimeout(timer)
  opened?.db.close()
  opened = place = undefined
  say({ kind: 'closed' })
}
