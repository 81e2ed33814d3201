import { dirname, join } from 'node:path'
import type { Batch } from '#actors/kernel/journal.ts'
import type { FromReader, ToReader } from './reader.ts'
import { findMatches, indexMore, type Matches, prepareIndex, type SearchQuery } from './search.ts'
import type { Store } from './store.ts'
import { openThreadOnDemand, spawnThread } from './thread-on-demand.ts'

/** Asks the index of messages. It is as new as what is on disk when the question comes. */
export type Searcher = Readonly<{
  find: (query: SearchQuery) => Promise<Matches>
  /** Has what was written indexed, some time later. */
  committed: (batch: Batch) => void
  close: () => Promise<void>
}>

/** The name of the index, beside the database. */
export const INDEX_FILE = 'search.db'
/** Who speaks has more urgent things to wait for than the index, and so has a server that has just started. */
const START_AFTER_MS = 10_000
/** The facts by which a search finds more than before, or less. */
const INDEXED: ReadonlySet<string> = new Set(['eventAppended', 'eventRedacted', 'eventsExpired'])

/** `path` is that of the house's database; `:memory:` is searched on the calling thread. */
export const openSearcher = (store: Store, path: string): Searcher => (path === ':memory:' ? inlineSearcher(store) : threadedSearcher(store, path))

function inlineSearcher(store: Store): Searcher {
  let isReady = false
  return {
    async find(query) {
      if (!isReady) {
        store.db.run("ATTACH ':memory:' AS search")
        prepareIndex(store.db)
        isReady = true
      }
      while (indexMore(store));
      return findMatches(store, query)
    },
    committed() {},
    async close() {},
  }
}

type Waiting = { resolve: (matches: Matches) => void; reject: (error: unknown) => void }

/** The thread starts with the first search, or by itself a while after something was written. */
function threadedSearcher(store: Store, path: string): Searcher {
  const waiting = new Map<number, Waiting>()
  let count = 0
  let isClosed = false
  const thread = openThreadOnDemand<ToReader, FromReader>({
    spawn: () => spawnThread(new URL('./reader.ts', import.meta.url)),
    open: { kind: 'open', path, indexPath: join(dirname(path), INDEX_FILE) },
    hear(message) {
      if (message.kind !== 'found' && message.kind !== 'failed') return
      const asked = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.kind === 'found') asked?.resolve(message.matches)
      else asked?.reject(new Error(`a search has failed: ${message.error}`))
    },
    failed(why) {
      for (const { reject } of waiting.values()) reject(new Error(`the reader thread has failed: ${why}`))
      waiting.clear()
    },
  })
  // The last process may have written more than it had time to index.
  if (store.db.query('SELECT 1 FROM events LIMIT 1').get()) thread.wantedIn(START_AFTER_MS)

  return {
    find: (query) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new Error('the database is closed'))
        const id = ++count
        waiting.set(id, { resolve, reject })
        thread.send({ kind: 'search', id, query })
      }),
    committed({ rows }) {
      if (rows.some(({ fact }) => INDEXED.has(fact.kind))) thread.wantedIn(START_AFTER_MS)
    },
    async close() {
      isClosed = true
      await thread.close()
    },
  }
}
