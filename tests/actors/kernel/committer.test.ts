import { Committer, FACTS_PER_COMMIT, TURNS_PER_COMMIT } from '#actors/kernel/committer.ts'
import { COMPANY_WAIT_MAX_MS, COMPANY_WAIT_SHARE, FAST_COMMIT_MS } from '#actors/kernel/company.ts'
import { limitExceeded } from '#schema/matrix-error.ts'
import { memoryJournal } from '#harness/memory-journal.ts'
import { until } from '#harness/until.ts'
import { describe, expect, test } from 'bun:test'
import { at, countingHouse, type Frozen, ledger, outcome } from './ledger.ts'

const nothingYet = Symbol('nothing yet')
const soon = <T>(promise: Promise<T>): Promise<T | typeof nothingYet> =>
  Promise.race([promise, Bun.sleep(5).then((): typeof nothingYet => nothingYet)])

describe('nothing leaves before commit', () => {
  test('neither a reply, nor an effect, nor mail to another actor', async () => {
    const { ask, journal, said, system } = countingHouse()
    const go = journal.hold()
    const reply = ask('a', { kind: 'book', amounts: [1], say: 'booked' })
    const passed = ask('b', { kind: 'pass', to: 'c', amount: 1, hops: 1 })
    expect(await soon(reply)).toBe(nothingYet)
    expect({ said, awake: system.awake }).toEqual({ said: [], awake: 2 })
    go()
    expect(await reply).toEqual({ total: 1, position: 1 })
    await passed
    await system.settled()
    expect(said.map(({ text, from: { position }, onDisk }) => ({ text, position, onDisk }))).toEqual([
      { text: 'booked', position: 1, onDisk: 2 },
      { text: 'passed by ledger/b', position: 2, onDisk: 2 },
    ])
    expect(journal.rows.map(({ actor }) => actor)).toEqual(['ledger/a', 'ledger/b', 'ledger/c'])
  })

  test('nor the reply, effect or refusal of a turn without facts that saw unwritten memory', async () => {
    const { book, ask, look, journal, said } = countingHouse()
    const go = journal.hold()
    const booked = book('a', 1)
    const looked = ask('a', { kind: 'look', say: 'looked' })
    const declined = outcome(ask('a', { kind: 'decline', why: 'too much' }))
    const scribbled = ask('a', { kind: 'scribble', text: 'x' })
    expect(await look('b')).toMatchObject({ total: 0 })
    for (const waiting of [booked, looked, declined, scribbled]) expect(await soon<unknown>(waiting)).toBe(nothingYet)
    expect(said).toEqual([])
    go()
    const replies = await Promise.all([booked, looked, declined, scribbled])
    expect(replies).toMatchObject([{ total: 1 }, { total: 1 }, '403 M_FORBIDDEN', 1])
    expect(said.map(({ text }) => text)).toEqual(['looked'])
  })

  test('an effect names a position that is on disk, also that of a turn without facts', async () => {
    const { book, ask, journal, said } = countingHouse()
    await book('a', 1)
    const go = journal.hold()
    const unwritten = book('a', 1, 1, 1)
    await ask('b', { kind: 'look', say: 'hello' })
    go()
    await unwritten
    expect(said.map(({ from, onDisk }) => [from.position, onDisk])).toEqual([[1, 1]])
  })

  test('replies of one actor are given in the order of its turns', async () => {
    const { book, look, journal } = countingHouse()
    journal.delayMs = 1
    const order: number[] = []
    const replies = Array.from({ length: 40 }, async (_, index) => {
      await Bun.sleep(index / 4)
      await (index % 3 === 0 ? look('a') : book('a', 1))
      order.push(index)
    })
    await Promise.all(replies)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })
})

describe('batches', () => {
  test('what one tick brings is one commit', async () => {
    const { book, journal } = countingHouse()
    await Promise.all(Array.from({ length: 100 }, (_, index) => book(`actor ${index % 10}`, 1)))
    expect(journal.written).toEqual([{ rows: 100, snapshots: 0 }])
  })

  test('are pipelined: the next one is decided while this one is written, and released in order', async () => {
    const { book, journal, system } = countingHouse()
    const go = journal.hold()
    const replies: string[] = []
    const first = book('a', 1).then(() => replies.push('first'))
    await Bun.sleep(1)
    const second = book('a', 1).then(() => replies.push('second'))
    const third = book('b', 1).then(() => replies.push('third'))
    await Bun.sleep(1)
    expect({ turns: system.turns, written: journal.written }).toEqual({ turns: 3, written: [] })
    go()
    await Promise.all([first, second, third])
    expect({ replies, written: journal.written }).toEqual({
      replies: ['first', 'second', 'third'],
      written: [{ rows: 1, snapshots: 0 }, { rows: 2, snapshots: 0 }],
    })
  })

  test('have a limit: with one full and one being written, deciding waits for the disk', async () => {
    const { tell, journal, system } = countingHouse()
    const go = journal.hold()
    for (let i = 0; i < 3 * TURNS_PER_COMMIT; i++) tell('a', { kind: 'book', amounts: [1] })
    await until('a full batch behind the one being written', () => system.turns >= 2 * TURNS_PER_COMMIT)
    await Bun.sleep(5)
    expect(system.turns).toBe(2 * TURNS_PER_COMMIT)
    go()
    await system.settled()
    expect(journal.written.map(({ rows }) => rows)).toEqual([TURNS_PER_COMMIT, TURNS_PER_COMMIT, TURNS_PER_COMMIT])
  })

  test('have a limit of facts as well', async () => {
    const { tell, journal, system } = countingHouse()
    const go = journal.hold()
    const amounts = Array.from({ length: FACTS_PER_COMMIT / 2 }, () => 1)
    for (let i = 0; i < 10; i++) tell(`actor ${i}`, { kind: 'book', amounts })
    await until('two full batches', () => system.turns >= 4)
    await Bun.sleep(5)
    expect(system.turns).toBe(4)
    go()
    await system.settled()
    const facts = journal.written.map(({ rows }) => rows)
    expect([Math.max(...facts), journal.position]).toEqual([FACTS_PER_COMMIT, 5 * FACTS_PER_COMMIT])
  })
})

describe('a failed commit', () => {
  test('drops every actor that took part in it or after it, and their askers get an error', async () => {
    const { book, ask, look, journal, crashes, tell, system } = countingHouse()
    await Promise.all([book('a', 1), book('b', 1), book('c', 1)])
    tell('c', { kind: 'scribble', text: 'kept' })
    const go = journal.hold()
    const during = [book('a', 1), look('a')]
    await Bun.sleep(1)
    const onTop = [book('b', 1), ask('a', { kind: 'decline', why: 'no' }), ask('a', { kind: 'wait', amount: 1 })]
    await Bun.sleep(1)
    journal.failure = new Error('disk full')
    go()
    const outcomes = await Promise.all([...during, ...onTop].map(outcome))
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => '500 M_UNKNOWN'))
    expect(['a', 'b', 'c'].map((id) => system.frozenMemoryOf(at(id)) !== undefined)).toEqual([false, false, true])
    expect(crashes.map(({ actor, command }) => [actor, command])).toEqual([['journal', 'append']])
  })

  test('gives its positions again without a gap, and the house goes on when the journal recovers', async () => {
    const { book, look, journal } = countingHouse()
    await book('a', 10)
    journal.failure = new Error('disk full')
    const failed = [book('a', 1), book('b', 1)]
    await Bun.sleep(0)
    failed.push(book('b', 1))
    expect(await Promise.all(failed.map(outcome))).toEqual(['500 M_UNKNOWN', '500 M_UNKNOWN', '500 M_UNKNOWN'])
    expect(await look('a')).toMatchObject({ total: 10, position: 2 })
    journal.failure = undefined
    expect(await book('b', 5)).toEqual({ total: 5, position: 2 })
    expect(await book('a', 5)).toEqual({ total: 15, position: 3 })
    expect(journal.rows.map(({ position }) => position)).toEqual([1, 2, 3])
  })

  test('says no effect of what it lost, and keeps no note that was made on top of it', async () => {
    const { ask, tell, look, journal, said } = countingHouse()
    journal.failure = new Error('disk full')
    const failed = outcome(ask('a', { kind: 'book', amounts: [1], say: 'booked' }))
    tell('a', { kind: 'scribble', text: 'on top' })
    expect(await failed).toBe('500 M_UNKNOWN')
    journal.failure = undefined
    expect(await look('a')).toMatchObject({ total: 0, scribbles: [] })
    expect(said).toEqual([])
  })

  test('passes on a refusal that the journal words itself', async () => {
    const { book, journal } = countingHouse()
    journal.failure = limitExceeded('The disk is full', 5_000, 503)
    expect(await outcome(book('a', 1))).toBe('503 M_LIMIT_EXCEEDED')
  })

  test('may also be one that the journal throws before it begins', async () => {
    const { book, journal } = countingHouse()
    journal.before = () => {
      throw new Error('not plain data')
    }
    expect(await outcome(book('a', 1))).toBe('500 M_UNKNOWN')
    journal.before = () => {}
    expect(await book('a', 1)).toEqual({ total: 1, position: 1 })
  })

  test('takes a snapshot in it along, and the next one is true again', async () => {
    const { book, journal } = countingHouse()
    journal.failure = new Error('disk full')
    await outcome(book('a', ...Array.from({ length: 30 }, () => 1)))
    expect(journal.snapshotOf('ledger/a')).toBeUndefined()
    journal.failure = undefined
    await book('a', ...Array.from({ length: 30 }, () => 2))
    expect(journal.snapshotOf('ledger/a')).toMatchObject({ position: 30, frozen: { total: 60 } })
  })
})

describe('a snapshot', () => {
  test('holds neither less nor more than its position says, though its memory lives on', async () => {
    const { tell, system, journal } = countingHouse()
    for (let i = 0; i < 200; i++) tell('a', { kind: 'book', amounts: [1] })
    await system.settled()
    const { position, frozen } = journal.snapshotOf('ledger/a') ?? {}
    const { bookings } = frozen as Frozen
    expect([position, bookings.at(-1)?.position, bookings.length]).toEqual([200, 200, 200])
    expect(journal.written).toEqual([{ rows: 200, snapshots: 8 }])
  })

  test('that fails to freeze costs nothing but a longer replay', async () => {
    const freeze = (): never => {
      throw new Error('cannot freeze')
    }
    const every = (): never => {
      throw new Error('cannot count')
    }
    for (const broken of [{ freeze }, { every }]) {
      const behaviours = [{ ...ledger, snapshot: { ...ledger.snapshot, ...broken } }]
      const { book, crashes } = countingHouse(memoryJournal(), { behaviours })
      expect(await book('a', ...Array.from({ length: 30 }, () => 1))).toEqual({ total: 30, position: 1 })
      expect(crashes.map(({ actor, command }) => [actor, command])).toEqual([['ledger/a', 'snapshot']])
    }
  })
})

/** A committer whose first commit, of `asks` and `told` turns, has taken `ms`; `next` more turns are open. */
async function afterCommit(asks: number, ms: number, next: number, told = 0) {
  const journal = memoryJournal()
  let time = 0
  const pass = (more: number): void => void (time += more)
  let settled = (): void => {}
  const committer = new Committer(journal, () => settled(), () => time)
  const add = (turns: number, areAsked = true): void => {
    for (let i = 0; i < turns; i++) {
      committer.add('ledger/a', 'test', 0, { kind: 'booked' })
      committer.open.turns++
      if (areAsked) committer.open.asks++
    }
  }
  const commit = async (tookMs: number): Promise<void> => {
    journal.before = () => pass(tookMs)
    const { promise, resolve } = Promise.withResolvers<void>()
    settled = resolve
    committer.flush()
    await promise
  }
  add(asks)
  add(told, false)
  await commit(ms)
  add(next)
  return { committer, add, pass, commit }
}

describe('the wait for company', () => {
  test('sends a lone client off at once, however slow the disk', async () => {
    const { committer } = await afterCommit(1, 20, 1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('waits on a slow disk until all have come who were just answered', async () => {
    const { committer, add } = await afterCommit(10, 20, 9)
    committer.flush()
    expect(committer.open.isEmpty).toBe(false)
    add(1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test.each([
    ['waits no longer than a share of a commit', 5, 5 * COMPANY_WAIT_SHARE],
    ['waits no longer than 5 ms', 40, COMPANY_WAIT_MAX_MS],
  ])('%s', async (_says, ms, waitMs) => {
    const { committer, pass } = await afterCommit(10, ms, 9)
    pass(waitMs - 0.1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(false)
    pass(0.1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('ends when someone is in a hurry', async () => {
    const { committer } = await afterCommit(10, 20, 9)
    committer.flush()
    expect(committer.open.isEmpty).toBe(false)
    committer.hurry()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('does not happen on a fast disk', async () => {
    const { committer } = await afterCommit(10, FAST_COMMIT_MS, 1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('sends off at once what a lone client has set off', async () => {
    const { committer, add } = await afterCommit(1, 20, 0)
    add(1, false)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('does not happen on a fast disk that looks slow now and then because the event loop was busy', async () => {
    const { committer, add, pass, commit } = await afterCommit(10, 20, 0)
    add(10)
    pass(COMPANY_WAIT_MAX_MS)
    await commit(FAST_COMMIT_MS / 2)
    add(1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('does not happen for turns that nobody outside waits for', async () => {
    const { committer, add } = await afterCommit(1, 20, 0, 5)
    add(1)
    committer.flush()
    expect(committer.open.isEmpty).toBe(true)
  })

  test('lets ten clients on a slow disk form one group: all turns of ten in one commit, though they began apart', async () => {
    expect((await turnsPerCommit({ clients: 10, commits: 40, commitMs: 3 })).slice(10)).toEqual(Array.from({ length: 30 }, () => 10))
  })
})

type Play = Readonly<{ clients: number; commits: number; commitMs: number }>

/** Clients who come back within half a millisecond of their answer, again and again, in a time that passes as told. */
async function turnsPerCommit({ clients, commits, commitMs }: Play): Promise<number[]> {
  const journal = memoryJournal()
  let [now, sentAt, settled, finish] = [0, 0, (): void => {}, (): void => {}]
  journal.before = () => new Promise((resolve) => (finish = resolve))
  const committer = new Committer(journal, () => settled(), () => now)
  const coming = new Map(Array.from({ length: clients }, (_, client) => [client, client * commitMs / 4]))
  let [waiting, sent]: [number[], number[]] = [[], []]
  const flush = (): void => {
    committer.flush()
    if (waiting.length > 0 && committer.open.isEmpty) [sent, waiting, sentAt] = [waiting, [], now]
  }
  while (journal.written.length < commits) {
    const [client, comesAt] = [...coming].toSorted(([, a], [, b]) => a - b)[0] ?? [-1, Infinity]
    if (sent.length > 0 && sentAt + commitMs <= comesAt) {
      now = sentAt + commitMs
      const { promise, resolve } = Promise.withResolvers<void>()
      settled = resolve
      finish()
      await promise
      for (const each of sent) coming.set(each, now + (each * 7 % 10) / 20)
      sent = []
    } else {
      now = Math.max(now, comesAt)
      coming.delete(client)
      committer.add('ledger/a', 'test', 0, { kind: 'booked' })
      committer.open.turns++
      committer.open.asks++
      waiting.push(client)
    }
    flush()
  }
  return journal.written.map(({ rows }) => rows)
}
