import { expect, test } from 'bun:test'
import { until } from '#harness/until.ts'
import { openThreadOnDemand } from '#store/thread-on-demand.ts'

type To = { kind: 'open' } | { kind: 'ask'; what: string } | { kind: 'close' }
type From = { kind: 'told'; what: string } | { kind: 'idle' } | { kind: 'closed' }

/** A thread that answers what it is asked, at once unless it has been told to be slow to close. */
function stage() {
  const mail: string[][] = []
  const heard: string[] = []
  const failures: string[] = []
  const workers: Worker[] = []
  const spawn = (): Worker => {
    const worker = { terminate() {} } as Worker
    const own: string[] = []
    const say = (data: From): void => worker.onmessage?.({ data } as MessageEvent)
    worker.postMessage = (message: To) => {
      own.push(message.kind === 'ask' ? message.what : message.kind)
      if (message.kind === 'ask' && message.what === 'go') say({ kind: 'idle' })
      else if (message.kind === 'ask') say({ kind: 'told', what: message.what })
      if (message.kind === 'close') setTimeout(() => say({ kind: 'closed' }), 5)
    }
    mail.push(own)
    workers.push(worker)
    return worker
  }
  const thread = openThreadOnDemand<To, From>({
    spawn,
    open: { kind: 'open' },
    hear: (message) => void (message.kind === 'told' && heard.push(message.what)),
    failed: (why) => void failures.push(why),
  })
  return { thread, mail, heard, failures, workers }
}

test('mail starts a thread and comes to it in its order', async () => {
  const { thread, mail, heard } = stage()
  for (const what of ['one', 'two', 'three']) thread.send({ kind: 'ask', what })
  await until('answers', () => heard.length === 3)
  await thread.close()
  expect(mail).toEqual([['open', 'one', 'two', 'three', 'close']])
})

test('mail for a thread that is about to go comes to the next one', async () => {
  const { thread, mail, heard } = stage()
  thread.send({ kind: 'ask', what: 'go' })
  await until('the end', () => mail[0]?.includes('close'))
  thread.send({ kind: 'ask', what: 'still here?' })
  await until('an answer', () => heard.length === 1)
  await thread.close()
  expect(mail).toEqual([['open', 'go', 'close'], ['open', 'still here?', 'close']])
})

test('a thread that dies is told of once, and mail starts the next', async () => {
  const { thread, failures, heard, workers } = stage()
  thread.send({ kind: 'ask', what: 'one' })
  await until('an answer', () => heard.length === 1)
  workers[0]?.onerror?.({ message: 'gone' } as ErrorEvent)
  thread.send({ kind: 'ask', what: 'two' })
  await until('an answer', () => heard.length === 2)
  expect([failures, workers.length]).toEqual([['gone'], 2])
  await thread.close()
})

test('after the end nothing is started any more', async () => {
  const { thread, mail } = stage()
  await thread.close()
  thread.send({ kind: 'ask', what: 'one' })
  thread.wantedIn(0)
  await Bun.sleep(5)
  expect(mail).toEqual([])
})
