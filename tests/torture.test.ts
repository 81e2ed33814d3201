import { describe, expect, test } from 'bun:test'
import type { ClientEvent } from '#harness/http-client.ts'
import type { Sent } from '#harness/torture.ts'
import { compare, torture } from '#harness/torture.ts'

const ROUNDS = 20
const LIMIT_MS = 60_000

describe('torture', () => {
  test('a server that is killed twenty times in the middle of a flood loses and doubles nothing', async () => {
    const seed = Date.now() % 1_000_000
    const report = await torture({ server: {}, rounds: ROUNDS, seed, floodMs: 200 })
    expect({ seed, rounds: report.rounds, faults: report.faults }).toEqual({ seed, rounds: ROUNDS, faults: [] })
    expect(report.acknowledged).toBeGreaterThan(ROUNDS * 10)
    // A worker that is cut off before its first answer has nothing to repeat, so not all four do in every round.
    expect(report.repeated).toBeGreaterThan(ROUNDS * 2)
  }, LIMIT_MS)
})

const sent = (text: string): Sent =>
  ({ text, transactionId: text, worker: Number(text.split('.')[1]), eventId: `$${text}` })

const shown = (text: string, eventId = `$${text}`): ClientEvent =>
  ({ event_id: eventId, type: 'm.room.message', sender: '@alice:a.example', content: { body: text } })

describe('what the torture looks for', () => {
  test.each([
    ['nothing amiss is no fault', [shown('0.0.0'), shown('0.1.0'), shown('0.0.1')], []],
    ['other types do not count',
      [shown('0.0.0'), shown('0.1.0'), shown('0.0.1'), { ...shown('0.0.0'), type: 'm.room.topic' }], []],
    ['a missing event is lost', [shown('0.0.0'), shown('0.0.1')], ['view: 0.1.0 is lost']],
    ['a second copy is a double', [shown('0.0.0'), shown('0.1.0'), shown('0.1.0', '$other'), shown('0.0.1')],
      ['view: 0.1.0 is there 2 times', 'view: 0.1.0 comes after 0.1.0']],
    ['another id is a change', [shown('0.0.0', '$other'), shown('0.1.0'), shown('0.0.1')],
      ['view: 0.0.0 is $other, not $0.0.0']],
    ['an unknown text was sent by nobody', [shown('0.0.0'), shown('0.1.0'), shown('0.0.1'), shown('0.2.0')],
      ['view: nobody sent 0.2.0']],
    ['a later text before an earlier one is out of order', [shown('0.0.1'), shown('0.1.0'), shown('0.0.0')],
      ['view: 0.0.0 comes after 0.0.1']],
  ] as const)('%s', (_says, events, faults) => {
    expect(compare('view', [sent('0.0.0'), sent('0.1.0'), sent('0.0.1')], events)).toEqual([...faults])
  })
})
