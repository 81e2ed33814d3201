import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { until } from '#harness/until.ts'
import { openCheckpoints } from '#store/checkpoints.ts'
import type { FromCheckpointer, ToCheckpointer } from '#store/checkpointer.ts'
import { openStore } from '#store/open-store.ts'
import type { StoreReport } from '#store/report.ts'
import { wireBatch } from '#store/write-batch.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

/** A thread of which only the mail is seen. */
type Puppet = { heard: ToCheckpointer['kind'][]; says: (message: FromCheckpointer) => void; dies: () => void }

function stage(left = { hasLog: false, mustCheck: false }) {
  const puppets: Puppet[] = []
  const reports: StoreReport[] = []
  const spawn = (): Worker => {
    const worker = { terminate() {} } as Worker
    const puppet: Puppet = {
      heard: [],
      says: (data) => worker.onmessage?.({ data } as MessageEvent),
      dies: () => worker.onerror?.({ message: 'gone' } as ErrorEvent),
    }
    worker.postMessage = ({ kind }: ToCheckpointer) => {
      puppet.heard.push(kind)
      if (kind === 'close') setTimeout(() => puppet.says({ kind: 'closed' }))
    }
    puppets.push(puppet)
    return worker
  }
  const checkpoints = openCheckpoints('nowhere', { ...left, checkAfterMs: 0, report: (report) => void reports.push(report), spawn })
  const thread = (number: number): Promise<Puppet> => until(`thread ${number}`, () => puppets[number - 1])
  return { checkpoints, puppets, reports, thread }
}

test('nothing is started where nothing is written, and closing has nothing to wait for', async () => {
  const { checkpoints, puppets } = stage()
  await checkpoints.close()
  checkpoints.wanted()
  expect(puppets).toEqual([])
})

test('the thread comes with a write, leaves when it is idle, and comes again', async () => {
  const { checkpoints, thread } = stage()
  checkpoints.wanted()
  checkpoints.wanted()
  const first = await thread(1)
  expect(first.heard).toEqual(['open'])
  first.says({ kind: 'idle' })
  checkpoints.wanted()
  const second = await thread(2)
  expect([first.heard, second.heard]).toEqual([['open', 'close'], ['open']])
  await checkpoints.close()
  expect(second.heard).toEqual(['open', 'close'])
})

test('the thread comes for what the last process has left, and to read all of it', async () => {
  const log = stage({ hasLog: true, mustCheck: false })
  expect((await log.thread(1)).heard).toEqual(['open'])
  await log.checkpoints.close()
  const whole = stage({ hasLog: false, mustCheck: true })
  const { heard } = await whole.thread(1)
  await until('the check', () => heard.includes('check'))
  expect(heard).toEqual(['open', 'check'])
  await whole.checkpoints.close()
})

test('a thread that has failed is told of, and the next write starts another', async () => {
  const { checkpoints, reports, thread } = stage()
  checkpoints.wanted()
  const first = await thread(1)
  first.dies()
  expect(reports).toEqual([{ kind: 'threadFailed', thread: 'checkpointer', why: 'gone' }])
  checkpoints.wanted()
  await thread(2)
  await checkpoints.close()
})

test('what was written is moved into the database in a quiet moment, and the log given back', async () => {
  const path = newDatabasePath()
  const { writer, close } = await openStore(path, 'normal')
  const room = chat()
  await writer.write(wireBatch(rowsOf([room.create, room.join]), []))
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
  await until('an empty log', () => statSync(`${path}-wal`).size === 0)
  await close()
})
