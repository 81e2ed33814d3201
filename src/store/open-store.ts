import { openCheckpoints } from './checkpoints.ts'
import { hasLog, isChecked } from './damage.ts'
import { migrate, type Synchronous } from './database.ts'
import { inlineWriter, type Writer } from './journal.ts'
import { type Lineage, NO_LINEAGE, openLineage } from './lineage.ts'
import { PlannedDatabase } from './planned-database.ts'
import { prepareDatabase } from './prepare-database.ts'
import type { StoreHealth, StoreReport } from './report.ts'
import { type Store, storeOn } from './store.ts'
import { startWriter } from './writer-thread.ts'

type Report = (report: StoreReport) => void

export type StoreOptions = Readonly<{
  /** A database that was made for another name is refused. */
  serverName?: string
  /** What the admin should know; called on the main thread, whenever it happens. */
  report?: Report
  /** How long after the start the database is read whole, where it has to be; milliseconds. */
  checkAfterMs?: number
}>

export type OpenStore = Readonly<{
  reader: Store
  writer: Writer
  lineage: Lineage
  health: () => StoreHealth
  close: () => Promise<void>
}>

/**
 * Opens a database file, or `:memory:` on the calling thread alone. Answers can be read at once; the thread that
 * writes comes up meanwhile, and what is written waits for it. Throws DatabaseRefused.
 */
export async function openStore(
  path: string,
  synchronous: Synchronous,
  options: StoreOptions = {},
): Promise<OpenStore> {
  if (path === ':memory:') return openInMemory()
  const health = healthBook(options.report ?? (() => {}))
  // Before anything is opened: what the last process has left.
  const left = { hasLog: hasLog(path), mustCheck: isChecked(path) }
  const reader = storeOn(prepareDatabase({ path, serverName: options.serverName, report: health.note }))
  const lineage = openLineage(reader.db, path)
  const writer = startWriter(path, synchronous, health.note)
  const checkpoints = openCheckpoints(path, { ...left, checkAfterMs: options.checkAfterMs, report: health.note })
  return {
    reader,
    writer: {
      ...writer,
      async write(batch) {
        await writer.write(batch)
        checkpoints.wanted()
      },
    },
    lineage,
    health: health.now,
    async close() {
      await checkpoints.close()
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
