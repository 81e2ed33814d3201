import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { call, login, register, type Session } from '#harness/http-client.ts'
import { binaryCommand, compiledBinary, type ServerProcess, startServer } from '#harness/warren-process.ts'

setDefaultTimeout(60_000)
const PASSWORD = 'correct horse battery staple'
const MESSAGES = 400
const KILLS = 6

let server: ServerProcess
afterEach(() => server.remove())

type Sync = { next_batch: string; to_device?: { events: { content: { n: number } }[] } }

test('messages to devices come once each and in order, though the server is killed again and again', async () => {
  server = await startServer({ command: binaryCommand(compiledBinary()) })
  const alice = await register(server.url, 'alice', PASSWORD)
  const phone = await register(server.url, 'bob', PASSWORD)
  const tablet = await login(server.url, 'bob', PASSWORD, 'TABLET')
  let interrupted = 0
  /** Tries until it succeeds, as clients do: the same request under the same transaction id. */
  const insist = async <Answer>(attempt: () => Promise<Answer>): Promise<Answer> => {
    for (;;) {
      try {
        return await attempt()
      } catch {
        interrupted++
        await Bun.sleep(10)
      }
    }
  }
  const send = async (): Promise<void> => {
    for (let n = 0; n < MESSAGES; n++)
      await insist(() => call(alice, 'PUT', `/sendToDevice/my.type/t${n}`, { messages: { [phone.userId]: { '*': { n } } } }))
  }
  /** A token shows that everything before it has arrived; an answer that a kill has cut off shows nothing. */
  const receive = async (who: Session): Promise<number[]> => {
    const read: number[] = []
    let since = ''
    while (read.at(-1) !== MESSAGES - 1) {
      const answer = await insist(() => call<Sync>(who, 'GET', `/sync?timeout=1000${since}`))
      read.push(...(answer.to_device?.events ?? []).map(({ content }) => content.n))
      since = `&since=${answer.next_batch}`
    }
    expect((await insist(() => call<Sync>(who, 'GET', `/sync?timeout=0${since}`))).to_device).toBeUndefined()
    return read
  }
  const kill = async (): Promise<void> => {
    for (let count = 0; count < KILLS; count++) {
      await Bun.sleep(20 + count * 11)
      await server.kill()
      await server.start()
    }
  }
  const reading = [receive(phone), receive(tablet)]
  const [, , ...read] = await Promise.all([send(), kill(), ...reading])
  const all = Array.from({ length: MESSAGES }, (_, n) => n)
  expect(read).toEqual([all, all])
  expect(interrupted).toBeGreaterThan(0)
})
