import { manualClock } from '#actors/kernel/clock.ts'
import { memoryJournal } from '#harness/memory-journal.ts'
import { describe, expect, test } from 'bun:test'
import { at, countingHouse, ledger, type LedgerCommand, outcome, throughMsgpackr } from './ledger.ts'

describe('turns', () => {
  test('one command at a time per actor', async () => {
    let depth = 0
    let deepest = 0
    const house = countingHouse(undefined, {
      nonce: () => {
        deepest = Math.max(deepest, ++depth)
        house.tell('a', { kind: 'scribble', text: 'sent in the middle of a turn' })
        depth--
        return 'n'
      },
    })
    await house.book('a', 1)
    expect((await house.look('a')).scribbles).toEqual(['sent in the middle of a turn'])
    expect(deepest).toBe(1)
  })

  test('of one tick have the same time', async () => {
    let time = 1_000
    const clock = { now: () => time++, after: () => () => {} }
    const { look } = countingHouse(undefined, { clock })
    const [a, b] = await Promise.all([look('a'), look('b')])
    const c = await look('c')
    expect([a.now === b.now, b.now === c.now]).toEqual([true, false])
  })

  test('have one nonce each, however often they read it', async () => {
    const { look } = countingHouse()
    const [first, second] = await Promise.all([look('a'), look('a')])
    expect([first.nonces, second.nonces]).toEqual([['nonce-1', 'nonce-1'], ['nonce-2', 'nonce-2']])
  })

  test('never starve the event loop, though every reply brings the next ask at once', async () => {
    const { look } = countingHouse()
    let isOver = false
    const client = async (): Promise<number> => {
      let asks = 0
      for (; !isOver; asks++) await look('a')
      return asks
    }
    const asks = client()
    await Bun.sleep(20)
    isOver = true
    expect(await asks).toBeGreaterThan(10)
  })

  test('that are slow leave the event loop its turn', async () => {
    const { tell, system } = countingHouse(undefined, {
      tickMs: 4,
      nonce: () => {
        const until = performance.now() + 1.1
        while (performance.now() < until);
        return 'slow'
      },
    })
    for (let i = 0; i < 20; i++) tell('a', { kind: 'look' })
    const steps: number[] = []
    while (system.turns < 20) {
      const before = system.turns
      await new Promise((resolve) => setImmediate(resolve))
      steps.push(system.turns - before)
    }
    expect(Math.max(...steps)).toBeLessThanOrEqual(4)
  })

  test('are reported with their cause, facts, effects and refusal', async () => {
    const { ask, reports } = countingHouse()
    await ask('a', { kind: 'book', amounts: [1, 2], say: 'x' })
    await outcome(ask('a', { kind: 'decline', why: 'no' }))
    expect(reports.map(({ ms: _ms, ...report }) => report)).toEqual([
      { cause: 'test', actor: 'ledger/a', command: 'book', facts: 2, effects: 1 },
      { cause: 'test', actor: 'ledger/a', command: 'decline', facts: 0, effects: 0, refused: 'M_FORBIDDEN' },
    ])
  })

  test('know up to where the tables were written when their command was sent', async () => {
    const written: number[] = []
    const behaviour = { ...ledger, apply: { ...ledger.apply, booked: (...fact: Parameters<typeof ledger.apply.booked>) => {
      ledger.apply.booked(...fact)
      written.push(fact[3])
    } } }
    const house = countingHouse(undefined, { behaviours: [behaviour] as never })
    const go = house.journal.hold()
    const first = [house.book('a', 1), house.book('a', 2)]
    await new Promise((resolve) => setImmediate(resolve))
    const second = house.book('a', 3)
    go()
    await Promise.all([...first, second])
    await house.book('a', 4)
    expect(written).toEqual([0, 0, 0, 3])
    house.system.kill(at('a'))
    await house.look('a')
    expect(written.slice(4)).toEqual([4, 4, 4, 4])
  })

  test('tell of each fact when it is decided, before the journal has it', async () => {
    const told: unknown[] = []
    const house = countingHouse(undefined, {
      decided: (fact, position) => told.push([house.journal.position, position, 'amount' in fact && fact.amount]),
    })
    await house.book('a', 3)
    await house.book('a', 4)
    expect(told).toEqual([[0, 1, 3], [1, 2, 4]])
  })

  test('write the cause and the time beside every fact', async () => {
    const { system, journal, clock } = countingHouse()
    await system.ref(at('a')).ask({ kind: 'pass', to: 'b', amount: 3, hops: 1 }, 'request 7')
    await system.settled()
    expect(journal.rows.map(({ actor, cause, ts }) => ({ actor, cause, ts }))).toEqual([
      { actor: 'ledger/a', cause: 'request 7', ts: clock.now() },
      { actor: 'ledger/b', cause: 'request 7', ts: clock.now() },
    ])
  })
})

describe('mail', () => {
  test('commands, facts and replies survive msgpackr', async () => {
    const carried: unknown[] = []
    const carry = <T>(mail: T): T => {
      carried.push(mail)
      return throughMsgpackr(mail)
    }
    const { ask, journal, system } = countingHouse(undefined, { carry })
    await ask('a', { kind: 'book', amounts: [1, 2] })
    const waiting = ask('a', { kind: 'wait', amount: 0 })
    await ask('a', { kind: 'callWaiting', reply: 'x' })
    expect(await waiting).toBe('x')
    expect(journal.rows.map(({ fact }): unknown => fact)).toEqual([
      { kind: 'booked', amount: 1, nonce: 'nonce-1' },
      { kind: 'booked', amount: 2, nonce: 'nonce-1' },
    ])
    expect(carried).toEqual([
      { kind: 'book', amounts: [1, 2] },
      { total: 3, position: 1 },
      { kind: 'wait', amount: 0 },
      { kind: 'callWaiting', reply: 'x' },
      'x',
      undefined,
    ])
    expect(system.asks).toBe(0)
  })

  test('a reply that cannot be carried is an error for its asker alone', async () => {
    const carry = <T>(mail: T): T => {
      if (typeof mail === 'object' && mail && 'total' in mail) throw new Error('cannot be carried')
      return mail
    }
    const { book, ask } = countingHouse(undefined, { carry })
    const replies = [outcome(book('a', 1)), outcome(ask('a', { kind: 'scribble', text: 'x' }))]
    expect(await Promise.all(replies)).toEqual(['500 M_UNKNOWN', 1])
  })

  test('to a kind of actor that does not exist is an error of the sender and leaves nothing behind', async () => {
    const { system } = countingHouse()
    const nowhere = system.ref<LedgerCommand>({ kind: 'nowhere', id: 'x' })
    expect(() => nowhere.tell({ kind: 'look' }, 'test')).toThrow('no behaviour for actors of kind nowhere')
    const reply = await outcome(nowhere.ask({ kind: 'look' }, 'test'))
    expect(reply).toEqual(new Error('no behaviour for actors of kind nowhere'))
    expect({ asks: system.asks, awake: system.awake }).toEqual({ asks: 0, awake: 0 })
  })

  test('may be sent for later, and wakes an actor that rests by then', async () => {
    const { system, clock, look } = countingHouse()
    system.after(1_000, at('a') as never, { kind: 'scribble', text: 'now' } as never, 'test')
    clock.advance(999)
    expect(system.awake).toBe(0)
    clock.advance(1)
    expect((await look('a')).scribbles).toEqual(['now'])
  })
})

describe('kill before stop before mail', () => {
  test('kill drops the memory and refuses the waiting mail at once, ahead of everything', async () => {
    const { book, look, tell, system, crashes, ask } = countingHouse()
    await book('a', 1)
    await ask('a', { kind: 'scribble', text: 'only in memory' })
    const waiting = outcome(look('a'))
    tell('a', { kind: 'book', amounts: [5] })
    system.kill(at('a'))
    expect(system.frozenMemoryOf(at('a'))).toBeUndefined()
    expect(await waiting).toBe('503 M_UNKNOWN')
    expect(crashes.map(({ command }) => command)).toEqual(['book'])
    expect(await look('a')).toMatchObject({ total: 1, scribbles: [] })
  })

  test('kill leaves alone what was decided before: it is written and said', async () => {
    const { ask, look, system, journal, said } = countingHouse()
    const go = journal.hold()
    const booked = ask('a', { kind: 'book', amounts: [3], say: 'booked' })
    await Bun.sleep(1)
    system.kill(at('a'))
    const looked = look('a')
    go()
    expect(await booked).toEqual({ total: 3, position: 1 })
    expect(await looked).toMatchObject({ total: 3 })
    expect(said).toHaveLength(1)
  })

  test('kill forgives: an actor in quarantine is tried again', async () => {
    const { ask, look, system } = countingHouse()
    for (let i = 0; i < 3; i++) await outcome(ask('a', { kind: 'crash' }))
    expect(await outcome(look('a'))).toBe('503 M_UNKNOWN')
    system.kill(at('a'))
    expect(await look('a')).toMatchObject({ total: 0 })
  })

  test('kill works while the house stops, and nobody minds who sleeps', async () => {
    const { book, system, journal } = countingHouse()
    const go = journal.hold()
    const first = outcome(book('a', 1))
    await Bun.sleep(1)
    const second = outcome(book('a', 1))
    const stopped = system.stop()
    system.kill(at('a'))
    system.kill(at('nobody'))
    go()
    await stopped
    expect(await Promise.all([first, second])).toEqual([{ total: 1, position: 1 }, '503 M_UNKNOWN'])
  })

  test('stop drains: it takes no new mail from outside and decides what waits and what follows from it', async () => {
    const { ask, book, system, journal } = countingHouse()
    journal.delayMs = 1
    const waiting = Array.from({ length: 300 }, () => ask('a', { kind: 'pass', to: 'b', amount: 1, hops: 3 }))
    const stopped = system.stop()
    expect(await outcome(book('a', 1))).toBe('503 M_LIMIT_EXCEEDED')
    await stopped
    await Promise.all(waiting)
    expect(journal.rows).toHaveLength(300 * 4)
    expect({ awake: system.awake, asks: system.asks }).toEqual({ awake: 0, asks: 0 })
  })

  test('stop puts every actor to rest, snapshots and all', async () => {
    const { book, system, journal, tell } = countingHouse()
    await Promise.all(Array.from({ length: 500 }, (_, id) => book(String(id), ...Array.from({ length: 22 }, () => 1))))
    tell('0', { kind: 'scribble', text: 'a note keeps nobody awake now' })
    await system.stop()
    expect(system.awake).toBe(0)
    expect(journal.snapshotOf('ledger/499')).toMatchObject({ frozen: { total: 22 } })
    expect(journal.snapshotOf('ledger/0')).toMatchObject({ frozen: { total: 22 } })
  })

  test('stop refuses the replies that were put off, and comes home though asked twice', async () => {
    const { ask, system, clock } = countingHouse()
    const putOff = outcome(ask('a', { kind: 'wait', amount: 1 }))
    await Promise.all([system.stop(), system.stop()])
    expect(await putOff).toBe('503 M_LIMIT_EXCEEDED')
    clock.advance(60_000)
  })

  test('stop forgets timers, and what comes home after it is dropped', async () => {
    const { system, clock, journal, tell, crashes } = countingHouse()
    system.after(10, at('a') as never, { kind: 'book', amounts: [1] } as never, 'test')
    await system.stop()
    clock.advance(60_000)
    tell('a', { kind: 'book', amounts: [1] })
    await system.settled()
    expect({ rows: journal.rows, awake: system.awake, crashes }).toEqual({ rows: [], awake: 0, crashes: [] })
  })

  test('stop leaves no timer behind', async () => {
    const manual = manualClock()
    const live = new Set<() => void>()
    let calledOff = 0
    const after = (ms: number, task: () => void): (() => void) => {
      const callOff = (): void => {
        calledOff++
        live.delete(task)
        cancel()
      }
      const cancel = manual.after(ms, () => {
        live.delete(task)
        task()
      })
      live.add(task)
      return callOff
    }
    const { system, ask } = countingHouse(undefined, { clock: { now: manual.now, after } })
    system.after(10, at('a') as never, { kind: 'look' } as never, 'test')
    system.after(90_000, at('a') as never, { kind: 'look' } as never, 'test')
    manual.advance(20_000)
    const putOff = outcome(ask('a', { kind: 'wait', amount: 1 }))
    expect(live.size).toBe(3)
    await system.stop()
    await putOff
    expect([live.size, calledOff]).toEqual([0, 3])
  })

  test('stop refuses what still waits when it has drained for long enough', async () => {
    const { ask, system } = countingHouse(undefined, {
      drainMs: 10,
      tickMs: 1,
      nonce: () => {
        const until = performance.now() + 2
        while (performance.now() < until);
        return 'slow'
      },
    })
    const replies = Array.from({ length: 50 }, () => outcome(ask('a', { kind: 'look' })))
    await system.stop()
    const refused = (await Promise.all(replies)).filter((reply) => reply === '503 M_LIMIT_EXCEEDED')
    expect(refused.length).toBeGreaterThan(0)
    expect(system.turns).toBe(50 - refused.length)
  })

  test('stop is not held up for ever by actors that keep writing to each other', async () => {
    const { system, tell, journal } = countingHouse(undefined, { drainMs: 30 })
    tell('a', { kind: 'pass', to: 'b', amount: 1, hops: Number.MAX_SAFE_INTEGER })
    tell('c', { kind: 'pass', to: 'd', amount: 1, hops: Number.MAX_SAFE_INTEGER })
    await system.stop()
    const { position } = journal
    await Bun.sleep(5)
    expect(journal.position).toBe(position)
    expect(system.awake).toBe(0)
  })

  test('stop comes home though the journal fails', async () => {
    const { system, book, journal } = countingHouse()
    journal.failure = new Error('disk full')
    const booked = outcome(book('a', ...Array.from({ length: 30 }, () => 1)))
    await system.stop()
    expect(await booked).toBe('500 M_UNKNOWN')
  })
})

describe('settled', () => {
  test('resolves when no mail waits and everything decided is on disk, mail between actors included', async () => {
    const { system, journal, tell } = countingHouse()
    journal.delayMs = 2
    for (let i = 0; i < 20; i++) tell(`${i}`, { kind: 'pass', to: 'z', amount: 1, hops: 4 })
    await system.settled()
    expect(journal.rows).toHaveLength(100)
  })

  test('resolves though the clock stands still and the disk is slow enough to wait for company', async () => {
    const { system, journal, book } = countingHouse()
    journal.delayMs = 20
    const first = [book('a', 1), book('b', 1)]
    await Bun.sleep(5)
    const second = book('c', 1)
    await system.settled()
    expect(journal.position).toBe(3)
    await Promise.all([...first, second])
  })

  test('resolves behind a crash whose actor is parked until its facts are on disk', async () => {
    const { system, journal, tell } = countingHouse(memoryJournal(), { behaviours: [ledger] })
    journal.delayMs = 5
    tell('a', { kind: 'book', amounts: [1] })
    tell('a', { kind: 'crash' })
    tell('a', { kind: 'book', amounts: [2] })
    await system.settled()
    expect(journal.rows).toHaveLength(2)
  })

  test('resolves at once in a house where nothing happens', async () => {
    const { system } = countingHouse()
    await system.settled()
    expect(system.turns).toBe(0)
  })
})
