import type { FromCheckpointer, ToCheckpointer } from './checkpointer.ts'
import type { StoreReport } from './report.ts'
import { openThreadOnDemand, spawnThread } from './thread-on-demand.ts'

/** By then what was written first is answered: a thread that starts takes the processor from those that wait. */
const START_AFTER_MS = 250
/** The first requests after a start have the disk to themselves. */
const CHECK_AFTER_MS = 5_000

export type CheckpointOptions = Readonly<{
  /** What the last process has left has to be moved. */
  hasLog: boolean
  /** The whole database has to be read. */
  mustCheck: boolean
  checkAfterMs?: number | undefined
  report: (report: StoreReport) => void
  spawn?: () => Worker
}>

export type Checkpoints = Readonly<{
  /** Something has been written. */
  wanted: () => void
  close: () => Promise<void>
}>

/** Has the checkpointer thread at work while there is something to move or to check. */
export function openCheckpoints(path: string, options: CheckpointOptions): Checkpoints {
  const { hasLog, mustCheck, checkAfterMs = CHECK_AFTER_MS, report, spawn = spawnCheckpointer } = options
  const thread = openThreadOnDemand<ToCheckpointer, FromCheckpointer>({
    spawn,
    open: { kind: 'open', path },
    hear: (said) => said.kind === 'report' && report(said.report),
    failed: (why) => report({ kind: 'threadFailed', thread: 'checkpointer', why }),
  })
  if (hasLog) thread.wantedIn(START_AFTER_MS)
  const checking = mustCheck ? setTimeout(() => thread.send({ kind: 'check' }), checkAfterMs) : undefined
  return {
    wanted: () => thread.wantedIn(START_AFTER_MS),
    async close() {
      clearTimeout(checking)
      await thread.close()
    },
  }
}

const spawnCheckpointer = (): Worker => spawnThread(new URL('./checkpointer.ts', import.meta.url))
