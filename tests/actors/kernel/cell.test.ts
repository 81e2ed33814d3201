import { REST_AFTER_MS, RESTS_PER_TICK, SWEEP_EVERY_MS } from '#actors/kernel/resting.ts'
import { REPLAYS_PER_TICK } from '#actors/kernel/system.ts'
import { memoryJournal } from '#harness/memory-journal.ts'
import { describe, expect, test } from 'bun:test'
import { at, countingHouse, ledger, outcome } from './ledger.ts'

const ones = (count: number): number[] => Array.from({ length: count }, () => 1)

describe('rest', () => {
  test('an idle actor rests (snapshot, forget) and wakes on its next command', async () => {
    const { book, system, clock, journal, look } = countingHouse()
    await book('a', ...ones(24))
    clock.advance(REST_AFTER_MS + SWEEP_EVERY_MS)
    await system.settled()
    expect(system.awake).toBe(0)
    expect(journal.snapshotOf('ledger/a')).toMatchObject({ version: 1, position: 24, frozen: { total: 24 } })
    expect(await look('a')).toMatchObject({ total: 24, position: 25 })
    expect(system.awake).toBe(1)
  })

  test('writes no snapshot for the sake of a few facts', async () => {
    const { book, system, clock, journal, look } = countingHouse()
    await book('a', ...ones(20))
    clock.advance(REST_AFTER_MS + SWEEP_EVERY_MS)
    await system.settled()
    expect({ awake: system.awake, snapshot: journal.snapshotOf('ledger/a') }).toEqual({ awake: 0, snapshot: undefined })
    expect(await look('a')).toMatchObject({ total: 20 })
  })

  test('comes at once, behind the facts of its turn, and its snapshot is written without further mail', async () => {
    const { book, ask, system, journal, look } = countingHouse()
    await book('a', ...ones(24))
    await ask('a', { kind: 'leave', amount: 0 })
    expect(system.awake).toBe(0)
    await system.settled()
    expect(journal.snapshotOf('ledger/a')).toMatchObject({ position: 24 })
    await book('a', ...ones(24))
    system.rest(at('a'))
    await Bun.sleep(5)
    expect(journal.snapshotOf('ledger/a')).toMatchObject({ position: 48 })
    await ask('a', { kind: 'leave', amount: 6 })
    expect(system.awake).toBe(0)
    expect(await look('a')).toMatchObject({ total: 54 })
  })

  test('waits while mail waits, while facts are unwritten and while notes are held', async () => {
    const { book, system, journal, tell, look } = countingHouse()
    const go = journal.hold()
    const booked = book('a', 1)
    system.rest(at('a'))
    expect(system.awake).toBe(1)
    await Bun.sleep(1)
    system.rest(at('a'))
    expect(system.awake).toBe(1)
    go()
    await booked
    tell('a', { kind: 'scribble', text: 'a note' })
    await system.settled()
    system.rest(at('a'))
    expect(await look('a')).toMatchObject({ total: 1, scribbles: ['a note'] })
  })

  test('takes those first who have been idle longest when too many are awake', async () => {
    const { look, system, clock } = countingHouse(undefined, { awakeLimit: 3 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await look(id)
      clock.advance(10)
    }
    await look('a')
    clock.advance(SWEEP_EVERY_MS)
    await system.settled()
    expect(system.actors().map(({ id }) => id)).toEqual(['a', 'd', 'e'])
  })

  test('takes few at a time, so that freezing many does not hold up the event loop', async () => {
    const { look, system, clock } = countingHouse()
    const count = 2 * RESTS_PER_TICK + 2
    await Promise.all(Array.from({ length: count }, (_, index) => look(String(index))))
    clock.advance(REST_AFTER_MS + SWEEP_EVERY_MS)
    expect(system.awake).toBe(count - RESTS_PER_TICK)
    await system.settled()
    expect(system.awake).toBe(0)
  })

  test('never takes an actor that has rested and woken while its turn to rest came', async () => {
    const { look, book, system, clock, journal } = countingHouse()
    const last = String(RESTS_PER_TICK)
    await Promise.all(Array.from({ length: RESTS_PER_TICK + 1 }, (_, index) => look(String(index))))
    clock.advance(REST_AFTER_MS + SWEEP_EVERY_MS)
    system.rest(at(last))
    const go = journal.hold()
    const booked = book(last, 5)
    await Bun.sleep(5)
    const looked = look(last)
    go()
    expect(await Promise.all([booked, looked])).toMatchObject([{ total: 5 }, { total: 5 }])
    await system.settled()
    expect(system.actors().map(({ id, turns }) => [id, turns])).toEqual([[last, 2]])
  })

  test('begins without waiting for the clock when far too many are awake', async () => {
    const { look, system } = countingHouse(undefined, { awakeLimit: 100 })
    for (let batch = 0; batch < 5; batch++) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => look(`${batch} ${index}`)))
    }
    await system.settled()
    expect(system.awake).toBeLessThan(1_600)
  })
})

describe('replay', () => {
  test('hands `apply` the positions that it was handed live', async () => {
    const house = countingHouse()
    await Promise.all([house.book('a', 1, 2), house.book('b', 3), house.book('a', 4), house.book('b', 5, 6, 7)])
    const live = ['a', 'b'].map((id) => house.system.frozenMemoryOf(at(id)))
    const next = countingHouse(house.journal.crash())
    expect(await Promise.all([next.look('a'), next.look('b')])).toMatchObject([{ total: 7 }, { total: 21 }])
    expect(['a', 'b'].map((id) => next.system.frozenMemoryOf(at(id)))).toEqual(live)
    expect(live).toMatchObject([
      { bookings: [{ position: 1 }, { position: 2 }, { position: 4 }] },
      { bookings: [{ position: 3 }, { position: 5 }, { position: 6 }, { position: 7 }] },
    ])
  })

  test('the position of a turn is that of its first fact', async () => {
    const { book, journal } = countingHouse()
    const receipts = await Promise.all([book('a', 1, 2, 3), book('b', 4), book('a', 5, 6)])
    expect(receipts.map(({ position }) => position)).toEqual([1, 4, 5])
    expect(journal.rows.map(({ position, fact }) => 'amount' in fact && [position, fact.amount])).toEqual([
      [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6],
    ])
  })

  test('at most 16 replays in one tick of the event loop', async () => {
    const { tell, system } = countingHouse()
    for (let i = 0; i < 3 * REPLAYS_PER_TICK; i++) tell(`actor ${i}`, { kind: 'look' })
    const steps: number[] = []
    while (system.turns < 3 * REPLAYS_PER_TICK) {
      const before = system.turns
      await new Promise((resolve) => setImmediate(resolve))
      steps.push(system.turns - before)
    }
    expect(Math.max(...steps)).toBeLessThanOrEqual(16)
  })

  test('ignores a snapshot of another version', async () => {
    const { book, journal } = countingHouse()
    await book('a', ...ones(30))
    expect(journal.snapshotOf('ledger/a')).toBeDefined()
    const thaw = (): never => {
      throw new Error('not this one')
    }
    const behaviours = [{ ...ledger, snapshot: { ...ledger.snapshot, version: 2, thaw } }]
    const next = countingHouse(journal.crash(), { behaviours })
    expect(await next.look('a')).toMatchObject({ total: 30 })
    expect(next.crashes).toEqual([])
  })

  test('does without a snapshot that cannot be thawed', async () => {
    const { book, journal } = countingHouse()
    await book('a', ...ones(30))
    journal.spoilSnapshots()
    const next = countingHouse(journal.crash())
    expect(await next.look('a')).toMatchObject({ total: 30 })
    expect(next.crashes.map(({ actor, command }) => [actor, command])).toEqual([['ledger/a', 'snapshot']])
  })

  test('that stumbles is a crash of that actor', async () => {
    const journal = memoryJournal()
    const rows = [{ position: 1, actor: 'ledger/a', cause: 'test', ts: 0, fact: { kind: 'unheardOf' } }]
    await journal.append({ rows, snapshots: [] })
    const { look, book, crashes } = countingHouse(journal)
    expect(await outcome(look('a'))).toBe('500 M_UNKNOWN')
    expect(await book('b', 1)).toEqual({ total: 1, position: 2 })
    expect(crashes).toHaveLength(1)
  })
})

describe('an actor that reads its tables', () => {
  test('takes each turn with its earlier facts on disk', async () => {
    const journal = memoryJournal()
    const onDisk: number[] = []
    const behaviour = { ...ledger, readsTables: true }
    const nonce = (): string => String(onDisk.push(journal.position))
    const house = countingHouse(journal, { behaviours: [behaviour], nonce })
    await Promise.all([house.book('a', 1), house.book('a', 1), house.look('a'), house.book('a', 1)])
    expect(onDisk).toEqual([0, 1, 2, 2])
    expect(await house.look('a')).toMatchObject({ total: 3 })
  })
})
