import { Asks } from '#actors/kernel/asks.ts'
import { manualClock } from '#actors/kernel/clock.ts'
import { ASK_DEADLINE_MS, type From } from '#actors/kernel/system.ts'
import { notFound } from '#schema/matrix-error.ts'
import { describe, expect, test } from 'bun:test'
import { countingHouse, outcome } from './ledger.ts'

describe('an ask', () => {
  test('has a deadline: after 30 seconds it is refused with 504', async () => {
    const { journal, book, clock, system } = countingHouse()
    journal.hold()
    const reply = outcome(book('a', 1))
    await Bun.sleep(1)
    clock.advance(ASK_DEADLINE_MS - 1)
    expect(system.asks).toBe(1)
    clock.advance(1)
    expect(await reply).toBe('504 M_UNKNOWN')
    expect(system.asks).toBe(0)
  })

  test('keeps its own deadline, whoever asked before', async () => {
    const { journal, book, clock } = countingHouse()
    journal.hold()
    const ended: string[] = []
    const note = (name: string) => () => void ended.push(name)
    book('a', 1).catch(note('first'))
    clock.advance(10_000)
    book('a', 1).catch(note('second'))
    clock.advance(20_000)
    await Bun.sleep(1)
    expect(ended).toEqual(['first'])
    clock.advance(10_000)
    await Bun.sleep(1)
    expect(ended).toEqual(['first', 'second'])
  })

  test('whose deadline passed in the mailbox is not decided any more', async () => {
    const { book, clock, look, journal } = countingHouse()
    const late = outcome(book('a', 1))
    clock.advance(ASK_DEADLINE_MS)
    expect(await late).toBe('504 M_UNKNOWN')
    expect((await look('a')).total).toBe(0)
    expect(journal.rows).toEqual([])
  })

  test('may be answered later, by another turn', async () => {
    const { ask, system } = countingHouse()
    const first = ask('a', { kind: 'wait', amount: 5 })
    const second = ask('a', { kind: 'wait', amount: 0 })
    await system.settled()
    expect(system.asks).toBe(2)
    await ask('a', { kind: 'callWaiting', reply: 'here you are' })
    expect(await Promise.all([first, second])).toEqual(['here you are', 'here you are'])
    expect(system.asks).toBe(0)
  })

  test('that was put off and is never answered leaves nothing behind', async () => {
    const { ask, clock, system, crashes } = countingHouse()
    const reply = outcome(ask('a', { kind: 'wait', amount: 1 }))
    await system.settled()
    clock.advance(ASK_DEADLINE_MS)
    expect(await reply).toBe('504 M_UNKNOWN')
    await ask('a', { kind: 'callWaiting', reply: 'too late' })
    expect({ asks: system.asks, crashes }).toEqual({ asks: 0, crashes: [] })
  })

  test('needs no timer of its own: one serves all', async () => {
    const manual = manualClock()
    let timers = 0
    const after = (ms: number, task: () => void): (() => void) => (timers++, manual.after(ms, task))
    const asks = new Asks({ now: manual.now, after }, () => 'too late')
    const over = Array.from({ length: 100 }, () => outcome(asks.open(() => undefined)))
    expect(timers).toBe(1)
    manual.advance(ASK_DEADLINE_MS)
    expect([...new Set(await Promise.all(over)), timers]).toEqual(['too late', 1])
  })

  test('is kept by nothing once it is over, put off or not', async () => {
    const clock = manualClock()
    const asks = new Asks(clock, () => 'too late')
    const over = Array.from({ length: 3 }, (_, turn) => outcome(asks.open((ask) => asks.putOff(ask, String(turn)))))
    const refused = outcome(asks.open(() => 'no'))
    const [first] = ['0', '1', '2'].map((turn) => asks.answeredBy(turn))
    if (first) asks.resolve(first, 'answered')
    clock.advance(ASK_DEADLINE_MS)
    expect(await Promise.all([...over, refused])).toEqual(['answered', 'too late', 'too late', 'no'])
    expect(['0', '1', '2'].filter((turn) => asks.answeredBy(turn))).toEqual([])
    expect(asks.waiting).toBe(0)
  })

  test('may be answered by an effect of the very turn that put it off', async () => {
    const perform = (_effect: unknown, { turn }: From): void => system.answer(turn, 'at once')
    const { system, ask } = countingHouse(undefined, { perform })
    expect(await ask('a', { kind: 'wait', amount: 1, say: 'answer me' })).toBe('at once')
  })

  test('that was put off may be refused', async () => {
    const perform = (_effect: unknown, { turn }: From): void => system.refuse(turn, notFound('gone'))
    const { system, ask } = countingHouse(undefined, { perform })
    expect(await outcome(ask('a', { kind: 'wait', amount: 1, say: 'refuse me' }))).toBe('404 M_NOT_FOUND')
    system.refuse('ledger/a#nobody', notFound('gone'))
  })

  test('names its turn differently in every run of the server', async () => {
    const idAfter = async (hours: number): Promise<string> => {
      const clock = manualClock()
      clock.advance(hours * 3_600_000)
      const { ask, said } = countingHouse(undefined, { clock })
      await ask('a', { kind: 'look', say: 'x' })
      return said.map(({ from }) => from.turn).join()
    }
    expect(await idAfter(1)).not.toBe(await idAfter(2))
  })
})
