import { CRASH_WINDOW_MS, isWatched, healthy, noteCrash, QUARANTINE_MS } from '#actors/kernel/supervisor.ts'
import { describe, expect, test } from 'bun:test'
import { at, countingHouse, outcome } from './ledger.ts'

const threeCrashes = async (house: ReturnType<typeof countingHouse>, id: string): Promise<unknown[]> => {
  const outcomes: unknown[] = []
  for (let i = 0; i < 3; i++) outcomes.push(await outcome(house.ask(id, { kind: 'crash' })))
  return outcomes
}

describe('health', () => {
  test.each([
    ['three crashes at once are one too many', [0, 0, 0], [false, false, true]],
    ['three crashes within ten seconds are one too many', [0, 5_000, 9_999], [false, false, true]],
    ['three crashes within more than ten seconds are not', [0, 5_000, 10_000], [false, false, false]],
    ['after a quarantine counting begins anew', [0, 0, 0, 1], [false, false, true, false]],
  ])('%s', (_says, times, expected) => {
    const health = healthy()
    expect(times.map((time) => noteCrash(health, time))).toEqual(expected)
  })

  test('an actor is watched while its crashes count', () => {
    const health = healthy()
    noteCrash(health, 0)
    expect([isWatched(health, CRASH_WINDOW_MS - 1), isWatched(health, CRASH_WINDOW_MS)]).toEqual([true, false])
  })
})

describe('a crash', () => {
  test('drops the memory, flushes the batch, and the next command finds the actor replayed', async () => {
    const { book, ask, look, tell, crashes, journal, system } = countingHouse()
    journal.delayMs = 3
    await book('a', 1)
    tell('a', { kind: 'scribble', text: 'only in memory' })
    const booked = book('a', 2)
    const crashed = outcome(ask('a', { kind: 'crash' }))
    const after = look('a')
    expect(await Promise.all([booked, crashed, after])).toMatchObject([
      { total: 3, position: 2 },
      '500 M_UNKNOWN',
      { total: 3, scribbles: [] },
    ])
    expect(crashes.map(({ actor, command }) => [actor, command])).toEqual([['ledger/a', 'crash']])
    expect(system.frozenMemoryOf(at('a'))).toMatchObject({ bookings: [{ position: 1 }, { position: 2 }] })
  })

  test('keeps nothing of the turn that crashed, not even the facts applied before it stumbled', async () => {
    const { ask, book, look, journal } = countingHouse()
    await book('a', 1)
    expect(await outcome(ask('a', { kind: 'stumble', amount: 50 }))).toBe('500 M_UNKNOWN')
    expect(await look('a')).toMatchObject({ total: 1, position: 2 })
    expect(journal.rows).toHaveLength(1)
  })

  test('in the middle of many batches loses nothing and gives every position once', async () => {
    const house = countingHouse()
    house.journal.delayMs = 1
    const replies: Promise<unknown>[] = []
    for (let i = 0; i < 60; i++) {
      replies.push(outcome(i % 30 === 7 ? house.ask('a', { kind: 'crash' }) : house.book('a', 1)))
      if (i % 5 === 0) await Bun.sleep(0)
    }
    expect((await Promise.all(replies)).filter((reply) => reply === '500 M_UNKNOWN')).toHaveLength(2)
    expect(await house.look('a')).toMatchObject({ total: 58, position: 59 })
  })

  test('of an effect harms neither the reply nor the effects after it', async () => {
    const { ask, said, crashes } = countingHouse()
    expect(await ask('a', { kind: 'explode' })).toBe('survived')
    expect(said.map(({ text }) => text)).toEqual(['after the explosion'])
    expect(crashes.map(({ actor, command }) => [actor, command])).toEqual([['ledger/a', 'effect']])
  })

  test('of whoever is told of crashes and turns does not stop the house', async () => {
    const fail = (): never => {
      throw new Error('the log is full')
    }
    const { ask, book } = countingHouse(undefined, { crashed: fail, reportTurn: fail })
    expect(await outcome(ask('a', { kind: 'crash' }))).toBe('500 M_UNKNOWN')
    expect(await ask('a', { kind: 'explode' })).toBe('survived')
    expect(await book('a', 4)).toEqual({ total: 4, position: 1 })
  })

  test('of a command that nobody understands is like any other', async () => {
    const { ask, look } = countingHouse()
    expect(await outcome(ask('a', { kind: 'dance' } as never))).toBe('500 M_UNKNOWN')
    expect(await look('a')).toMatchObject({ total: 0 })
  })
})

describe('quarantine', () => {
  test('three crashes in ten seconds put an actor in quarantine, never the house', async () => {
    const house = countingHouse()
    await house.book('a', 1)
    expect(await threeCrashes(house, 'a')).toEqual(['500 M_UNKNOWN', '500 M_UNKNOWN', '500 M_UNKNOWN'])
    expect(await outcome(house.look('a'))).toBe('503 M_UNKNOWN')
    expect(await house.book('b', 1)).toEqual({ total: 1, position: 2 })
    expect(house.system.actors().map(({ id, quarantined }) => [id, quarantined])).toEqual([['a', true], ['b', false]])
  })

  test('crashes further apart do not', async () => {
    const house = countingHouse()
    for (let i = 0; i < 6; i++) {
      await outcome(house.ask('a', { kind: 'crash' }))
      house.clock.advance(5_000)
    }
    expect(await house.look('a')).toMatchObject({ total: 0 })
  })

  test('ends after ten minutes', async () => {
    const house = countingHouse()
    await threeCrashes(house, 'a')
    house.clock.advance(QUARANTINE_MS - 1)
    expect(await outcome(house.look('a'))).toBe('503 M_UNKNOWN')
    house.clock.advance(1)
    expect(await house.look('a')).toMatchObject({ total: 0 })
  })

  test('refuses the mail that waits, and reports the letters that nobody waits for', async () => {
    const house = countingHouse()
    const crashes = [1, 2, 3].map(() => outcome(house.ask('a', { kind: 'crash' })))
    const waiting = outcome(house.look('a'))
    house.tell('a', { kind: 'book', amounts: [1] })
    await Promise.all(crashes)
    expect(await waiting).toBe('503 M_UNKNOWN')
    house.tell('a', { kind: 'scribble', text: 'told in quarantine' })
    expect(house.crashes.map(({ command }) => command)).toEqual(['crash', 'crash', 'crash', 'book', 'scribble'])
    await house.system.settled()
    expect(house.journal.rows).toEqual([])
  })

  test('still writes and says what the actor had decided before', async () => {
    const house = countingHouse()
    house.journal.delayMs = 5
    const booked = house.book('a', 7)
    await threeCrashes(house, 'a')
    expect(await booked).toEqual({ total: 7, position: 1 })
  })

  test('is not escaped by resting', async () => {
    const house = countingHouse(undefined, { restAfterMs: 1 })
    await outcome(house.ask('a', { kind: 'crash' }))
    await outcome(house.ask('a', { kind: 'crash' }))
    house.system.rest(at('a'))
    await outcome(house.ask('a', { kind: 'crash' }))
    house.system.rest(at('a'))
    expect(await outcome(house.look('a'))).toBe('503 M_UNKNOWN')
  })
})
