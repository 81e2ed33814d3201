import type { FromCheckpointer, ToCheckpointer } from './checkpointer.ts'
import type { StoreReport } from './report.ts'
import { THREAD } from './thread.ts'

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

type Thread = Readonly<{ send: (message: ToCheckpointer) => void; stop: () => Promise<void> }>

/**
 * Has the checkpointer thread at work while there is something to do for it: where nobody writes it takes no memory, and
 * wakes nobody. A thread that has failed is started again by the next write.
 */
export function openCheckpoints(path: string, options: CheckpointOptions): Checkpoints {
  const { hasLog, mustCheck, checkAfterMs = CHECK_AFTER_MS, report, spawn = spawnCheckpointer } = options
  let thread: Thread | undefined
  let starting: ReturnType<typeof setTimeout> | undefined
  let stopping: Promise<void> | undefined
  let isClosed = false
  const leave = (): void => {
    const leaving = thread?.stop()
    thread = undefined
    stopping = leaving?.finally(() => (stopping = undefined))
  }
  const start = async (): Promise<void> => {
    await stopping
    starting = undefined
    if (isClosed || thread) return
    const started = startThread(spawn(), { report, leave, failed: () => thread === started && (thread = undefined) })
    thread = started
    started.send({ kind: 'open', path })
  }
  const startIn = (ms: number): void => {
    if (!thread && !isClosed) starting ??= setTimeout(() => void start(), ms)
  }
  const check = (): void => void start().then(() => thread?.send({ kind: 'check' }))
  if (hasLog) startIn(START_AFTER_MS)
  const checking = mustCheck ? setTimeout(check, checkAfterMs) : undefined
  return {
    wanted: () => startIn(START_AFTER_MS),
    async close() {
      isClosed = true
      clearTimeout(starting)
      clearTimeout(checking)
      leave()
      await stopping
    },
  }
}

const spawnCheckpointer = (): Worker => new Worker(new URL('./checkpointer.ts', import.meta.url), THREAD)

type Hearing = Readonly<{ report: CheckpointOptions['report']; leave: () => void; failed: () => void }>

function startThread(worker: Worker, { report, leave, failed }: Hearing): Thread {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  worker.onmessage = ({ data }: MessageEvent<FromCheckpointer>) => {
    if (data.kind === 'report') report(data.report)
    else if (data.kind === 'idle') leave()
    else end()
  }
  worker.onerror = ({ message }) => {
    report({ kind: 'threadFailed', thread: 'checkpointer', why: message })
    failed()
    end()
  }
  return {
    send: (message) => worker.postMessage(message),
    async stop() {
      worker.postMessage({ kind: 'close' } satisfies ToCheckpointer)
      await ended
      worker.terminate()
    },
  }
}
