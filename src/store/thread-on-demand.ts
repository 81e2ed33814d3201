import { THREAD } from './thread.ts'

/** What every such thread hears and says besides its own mail. */
type Said = Readonly<{ kind: string }>

export type ThreadOptions<To extends Said, From extends Said> = Readonly<{
  spawn: () => Worker
  /** The first message to each thread. */
  open: To
  /** Whatever a thread says but `idle`, which lets it go, and `closed`, which ends it. */
  hear: (message: From) => void
  /** The thread is gone, and with it what was sent to it. */
  failed: (why: string) => void
}>

export type ThreadOnDemand<To> = Readonly<{
  /** To the thread, which is started where there is none. */
  send: (message: To) => void
  /** Starts the thread after so many milliseconds, where there is none by then. */
  wantedIn: (ms: number) => void
  /** Resolves when the thread has closed what it had open. */
  close: () => Promise<void>
}>

type Thread = Readonly<{ send: (message: unknown) => void; stop: () => Promise<void> }>

/**
 * A thread that is there while there is something to do for it: between, it takes no memory and wakes nobody. One that
 * has failed is started again when it is wanted again.
 */
export function openThreadOnDemand<To extends Said, From extends Said>(options: ThreadOptions<To, From>): ThreadOnDemand<To> {
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
    clearTimeout(starting)
    starting = undefined
    await stopping
    if (isClosed || thread) return
    const started: Thread = startThread(options, { leave, gone: () => thread === started && (thread = undefined) })
    thread = started
    started.send(options.open)
  }
  return {
    send: (message) => void start().then(() => thread?.send(message)),
    wantedIn(ms) {
      if (!thread && !isClosed) starting ??= setTimeout(() => void start(), ms).unref()
    },
    async close() {
      isClosed = true
      clearTimeout(starting)
      leave()
      await stopping
    },
  }
}

export const spawnThread = (file: URL): Worker => new Worker(file, THREAD)

type Life = Readonly<{ leave: () => void; gone: () => void }>

function startThread<To extends Said, From extends Said>({ spawn, hear, failed }: ThreadOptions<To, From>, { leave, gone }: Life): Thread {
  const worker = spawn()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  worker.onmessage = ({ data }: MessageEvent<From>) => {
    if (data.kind === 'idle') leave()
    else if (data.kind === 'closed') end()
    else hear(data)
  }
  worker.onerror = ({ message }) => {
    worker.terminate()
    gone()
    end()
    failed(message)
  }
  return {
    send: (message) => worker.postMessage(message),
    async stop() {
      worker.postMessage({ kind: 'close' })
      await ended
      worker.terminate()
    },
  }
}
