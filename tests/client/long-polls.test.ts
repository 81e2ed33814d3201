import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house, type House } from '#harness/house.ts'
import { bringIn, done, makeRoom, say } from '#harness/rooms.ts'

const WAIT = 'timeout=60000'

/** A sync that waits, and whether it has answered. */
function waiting({ app }: House, { token }: Caller, path: string) {
  const leave = new AbortController()
  const headers = { authorization: `Bearer ${token}` }
  const state = { hasAnswered: false }
  const answer = app.handle(new Request(`http://a.example/_matrix/client${path}`, { headers, signal: leave.signal })).then((response) => {
    state.hasAnswered = true
    return response.json() as Promise<Record<string, unknown>>
  })
  return { leave: () => leave.abort(), state, answer }
}

/** Everything that is on its way has arrived, and whoever was to wake has. */
async function quiet({ server }: House): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds++) {
    await server.settled()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a sync that waits', () => {
  test('ends when its client goes away, and nobody waits for it any more', async () => {
    const opened = await house()
    const { next_batch: since } = await done(opened.alice, 'GET', '/v3/sync')
    const poll = waiting(opened, opened.alice, `/v3/sync?since=${String(since)}&${WAIT}`)
    await quiet(opened)
    expect(poll.state.hasAnswered).toBe(false)
    poll.leave()
    expect(await poll.answer).toMatchObject({ next_batch: expect.any(String) })
  })

  test('is not woken by another of the same account', async () => {
    const clock = manualClock()
    const opened = await house({}, { clock })
    const { alice, bob, login } = opened
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const tablet = await login(alice.userId, 'TABLET')
    const synced = async (caller: Caller) => (await done(caller, 'GET', '/v3/sync')).next_batch as string
    await synced(tablet)
    await quiet(opened)
    const poll = waiting(opened, alice, `/v3/sync?since=${await synced(alice)}&${WAIT}`)
    await quiet(opened)
    for (let times = 0; times < 3; times++) {
      const other = waiting(opened, tablet, `/v3/sync?since=${await synced(tablet)}&${WAIT}`)
      await quiet(opened)
      expect([poll.state.hasAnswered, other.state.hasAnswered]).toEqual([false, false])
      other.leave()
      await other.answer
    }
    await say(bob, roomId, 'hello')
    expect(JSON.stringify(await poll.answer)).toContain('"body":"hello"')
  })
})
