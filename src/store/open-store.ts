import type { FromCheckpointer, ToCheckpointer } from './checkpointer.ts'
import { isChecked } from './damage.ts'
import { migrate, type Synchronous } from './database.ts'
import { inlineWriter, type Writer } from './journal.ts'
import { type Lineage, NO_LINEAGE, openLineage } from './lineage.ts'
import { PlannedDatabase } from './planned-database.ts'
import { prepareDatabase } from './prepare-database.ts'
import type { StoreHealth, StoreReport } from './report.ts'
import { type Store, storeOn } from './store.ts'
import { THREAD } from './thread.ts'
import { startWriter } from './writer-thread.ts'

type Report = (report: StoreReport) => void

export type StoreOptions = Readonly<{
  /** A database that was made for another name is refused. */
  serverName?: string
  /** What the admin should know; called on the main thread, whenever it happens. */
  report?: Report
}>

export type OpenStore = Readonly<{
  reader: Store
  writer: Writer
  lineage: Lineage
  health: () => StoreHealth
  close: () => Promise<void>
}>

/**
 * Opens a database file, or `:memory:` on the calling thread alone. Answers can be read at once; the threads that write
 * and checkpoint come up meanwhile, and what is written waits for them. Throws DatabaseRefused.
 */
export async function openStore(
  path: string,
  synchronous: Synchronous,
  options: StoreOptions = {},
): Promise<OpenStore> {
  if (path === ':memory:') return openInMemory()
  const health = healthBook(options.report ?? (() => {}))
  const mustCheck = isChecked(path)
  const reader = storeOn(prepareDatabase({ path, serverName: options.serverName, report: health.note }))
  const lineage = openLineage(reader.db, path)
  const writer = startWriter(path, synchronous, health.note)
  // Not before the writer is up: two threads that start at once hold up each other, and the first request.
  const checkpointer = writer.opened.catch(() => {}).then(() => startCheckpointer(path, mustCheck, health.note))
  return {
    reader,
    writer,
    lineage,
    health: health.now,
    async close() {
      const stopCheckpoints = await checkpointer
      await stopCheckpoints()
      reader.db.close()
      await writer.close()
    },
  }
}

function openInMemory(): OpenStore {
  const db = new PlannedDatabase(':memory:', { strict: true })
  migrate(db)
  const store = storeOn(db)
  return {
    reader: store,
    writer: inlineWriter(store),
    lineage: NO_LINEAGE,
    health: () => ({ isDiskFull: false, problems: [] }),
    close: async () => db.close(),
  }
}

/** Passes reports on and remembers what of them still holds. */
function healthBook(report: Report): { note: Report; now: () => StoreHealth } {
  let health: StoreHealth = { isDiskFull: false, problems: [] }
  return {
    now: () => health,
    note(it) {
      if (it.kind === 'diskFull' || it.kind === 'diskFreed') health = { ...health, isDiskFull: it.kind === 'diskFull' }
      if (it.kind === 'checked' || it.kind === 'damaged')
        health = { ...health, problems: [...new Set([...health.problems, ...it.problems])] }
      report(it)
    },
  }
}

function startCheckpointer(path: string, mustCheck: boolean, report: Report): () => Promise<void> {
  const worker = new Worker(new URL('./checkpointer.ts', import.meta.url), THREAD)
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  worker.onmessage = ({ data }: MessageEvent<FromCheckpointer>) => {
    if (data.kind === 'report') report(data.report)
    else resolve()
  }
  worker.onerror = ({ message }) => {
    report({ kind: 'threadFailed', thread: 'checkpointer', why: message })
    resolve()
  }
  worker.postMessage({ kind: 'open', path, mustCheck } satisfies ToCheckpointer)
  return async () => {
    worker.postMessage({ kind: 'close' } satisfies ToCheckpointer)
    await closed
    worker.terminate()
  }
}
