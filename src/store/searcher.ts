import { dirname, join } from 'node:path'
import type { FromReader, ToReader } from './reader.ts'
import { findMatches, indexMore, type Matches, prepareIndex, type SearchQuery } from './search.ts'
import type { Store } from './store.ts'
import { THREAD } from './thread.ts'

/** Asks the index of messages. It is as new as what is on disk when the question comes. */
export type Searcher = Readonly<{
  find: (query: SearchQuery) => Promise<Matches>
  close: () => Promise<void>
}>

/** The name of the index, beside the database. */
export const INDEX_FILE = 'search.db'
/** A server that has just started has more urgent things to do than to index. */
const START_AFTER_MS = 10_000

/** `path` is that of the house's database; `:memory:` is searched on the calling thread. */
export const openSearcher = (store: Store, path: string): Searcher => (path === ':memory:' ? inlineSearcher(store) : threadedSearcher(path))

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
    async close() {},
  }
}

type Waiting = { resolve: (matches: Matches) => void; reject: (error: unknown) => void }

/** The thread starts with the first search, or by itself a while after the server; one that dies is started again. */
function threadedSearcher(path: string): Searcher {
  const waiting = new Map<number, Waiting>()
  let count = 0
  let worker: Worker | undefined
  let isClosed = false
  let gone: (() => void) | undefined

  const died = (why: string): void => {
    worker?.terminate()
    worker = undefined
    gone?.()
    for (const { reject } of waiting.values()) reject(new Error(`the reader thread has failed: ${why}`))
    waiting.clear()
  }
  const hear = (message: FromReader): void => {
    if (message.kind === 'closed') return gone?.()
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.kind === 'found') asked?.resolve(message.matches)
    else asked?.reject(new Error(`a search has failed: ${message.error}`))
  }
  const start = (): Worker => {
    const thread = new Worker(new URL('./reader.ts', import.meta.url), THREAD)
    thread.onmessage = ({ data }: MessageEvent<FromReader>) => hear(data)
    thread.onerror = ({ message }) => died(message)
    thread.postMessage({ kind: 'open', path, indexPath: join(dirname(path), INDEX_FILE) } satisfies ToReader)
    return thread
  }
  const timer = setTimeout(() => (worker ??= start()), START_AFTER_MS)
  timer.unref()

  return {
    find: (query) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new Error('the database is closed'))
        worker ??= start()
        const id = ++count
        waiting.set(id, { resolve, reject })
        worker.postMessage({ kind: 'search', id, query } satisfies ToReader)
      }),
    async close() {
      isClosed = true
      clearTimeout(timer)
      if (!worker) return
      const { promise, resolve } = Promise.withResolvers<void>()
      gone = resolve
      worker.postMessage({ kind: 'close' } satisfies ToReader)
      await promise
      worker?.terminate()
    },
  }
}
