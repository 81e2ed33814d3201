import { MatrixError } from '#schema/matrix-error.ts'
import type { Synchronous } from './database.ts'
import type { Writer } from './journal.ts'
import type { StoreReport } from './report.ts'
import { THREAD } from './thread.ts'
import type { FromWriter, ToWriter } from './writer.ts'

type Waiting = { resolve: () => void; reject: (error: unknown) => void }
type Thread = Readonly<{ send: (message: ToWriter) => Promise<void>; terminate: () => void }>

/** `opened` settles when the thread has its connection; what is written before waits in its queue. */
export type ThreadedWriter = Writer & Readonly<{ opened: Promise<void> }>

/**
 * Starts the writer thread on a database file, without waiting for it: a thread takes longer to start than the rest
 * of the server. One that dies fails what it had been given, and the next batch starts another.
 */
export function startWriter(
  path: string,
  synchronous: Synchronous,
  report: (report: StoreReport) => void,
  spawn: () => Worker = spawnWriter,
): ThreadedWriter {
  let thread: Thread | undefined
  let closing: Promise<void> | undefined
  const died = (why: string): void => {
    thread = undefined
    report({ kind: 'threadFailed', thread: 'writer', why })
  }
  const start = (): Promise<void> => {
    thread = startThread(spawn(), report, died)
    return thread.send({ kind: 'open', path, synchronous })
  }
  const opened = start()
  // Who writes is told the same.
  opened.catch(() => {})
  return {
    opened,
    async write(batch) {
      if (closing) throw new Error('the database is closed')
      if (!thread) start().catch(() => {})
      await thread?.send({ kind: 'write', batch })
    },
    close: () => (closing ??= close(thread)),
  }
}

async function close(thread: Thread | undefined): Promise<void> {
  try {
    await thread?.send({ kind: 'close' })
  } finally {
    thread?.terminate()
  }
}

const spawnWriter = (): Worker => new Worker(new URL('./writer.ts', import.meta.url), THREAD)

/** Answers come in the order of the questions. */
function startThread(worker: Worker, report: (report: StoreReport) => void, died: (why: string) => void): Thread {
  const waiting: Waiting[] = []
  let head = 0
  const next = (): Waiting | undefined => {
    const first = waiting[head++]
    if (head < waiting.length) return first
    waiting.length = head = 0
    return first
  }
  worker.onmessage = ({ data }: MessageEvent<FromWriter>) => {
    if (data.kind === 'report') report(data.report)
    else if (data.kind === 'done') next()?.resolve()
    else next()?.reject(new MatrixError(data.status, data.errcode, data.error))
  }
  worker.onerror = ({ message }) => {
    worker.terminate()
    died(message)
    const lost = waiting.splice(head)
    head = 0
    for (const { reject } of lost) reject(new Error(`the writer thread has failed: ${message}`))
  }
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.postMessage(message)
      }),
    terminate: () => worker.terminate(),
  }
}
