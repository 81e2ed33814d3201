import { Mailbox } from '#actors/kernel/mailbox.ts'
import { INSIDE_MAIL_LIMIT, MAIL_LIMIT } from '#actors/kernel/system.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { countingHouse, outcome } from './ledger.ts'

describe('a mailbox', () => {
  test('gives back in order what it took, however pushes and shifts mix', () => {
    const script = fc.array(fc.oneof(fc.constantFrom('shift', 'drain'), fc.integer({ min: 1, max: 700 })))
    fc.assert(
      fc.property(script, (steps) => {
        const mailbox = new Mailbox<number>()
        const model: number[] = []
        let next = 0
        for (const step of steps) {
          if (step === 'shift') expect(mailbox.shift()).toBe(model.shift() as number)
          else if (step === 'drain') expect(mailbox.drain()).toEqual(model.splice(0))
          else if (typeof step === 'number') {
            for (let i = 0; i < step; i++) {
              const hasRoom = model.length < 1_000
              expect(mailbox.push(next, 1_000)).toBe(hasRoom)
              if (hasRoom) model.push(next++)
            }
          }
          expect(mailbox.size).toBe(model.length)
        }
      }),
    )
  })

  test.each([
    ['takes nothing when it may hold nothing', 0, [false, false]],
    ['takes one when it may hold one', 1, [true, false]],
  ])('%s', (_says, limit, taken) => {
    const mailbox = new Mailbox<string>()
    expect([mailbox.push('a', limit), mailbox.push('b', limit)]).toEqual(taken)
  })
})

describe('mail', () => {
  test('a full mailbox refuses, it does not grow', async () => {
    const { ask, system } = countingHouse()
    const letters = Array.from({ length: MAIL_LIMIT + 5 }, () => ask('a', { kind: 'look' }))
    expect(system.actors()[0]?.mail).toBe(MAIL_LIMIT)
    const refused = await Promise.all(letters.slice(MAIL_LIMIT).map((letter) => letter.catch((error: unknown) => error)))
    expect(refused.map((error) => error instanceof MatrixError && { status: error.status, ...error.toJSON() })).toEqual(
      Array.from({ length: 5 }, () => ({
        status: 503,
        errcode: 'M_LIMIT_EXCEEDED',
        error: 'Too many requests are waiting here; try again in a moment',
        retry_after_ms: 1000,
      })),
    )
    expect(await Promise.all(letters.slice(0, MAIL_LIMIT))).toHaveLength(MAIL_LIMIT)
    expect(await outcome(ask('a', { kind: 'decline', why: 'no' }))).toBe('403 M_FORBIDDEN')
  })

  test('a letter between actors finds room in a mailbox that refuses asks, up to a limit of its own', async () => {
    const { tell, ask, system, crashes, look } = countingHouse()
    for (let i = 0; i < INSIDE_MAIL_LIMIT + 2; i++) tell('a', { kind: 'scribble', text: 'x' })
    expect(await outcome(ask('a', { kind: 'look' }))).toBe('503 M_LIMIT_EXCEEDED')
    const statusOf = (error: unknown): unknown => error instanceof MatrixError && error.status
    expect(crashes.map(({ actor, command, error }) => [actor, command, statusOf(error)])).toEqual([
      ['ledger/a', 'scribble', 503],
      ['ledger/a', 'scribble', 503],
    ])
    await system.settled()
    expect((await look('a')).scribbles).toHaveLength(INSIDE_MAIL_LIMIT)
  })

  test('mail from one sender arrives in order, across ticks, commits and kinds of turn', async () => {
    const { journal, tell, look, system } = countingHouse()
    journal.delayMs = 1
    for (let n = 1; n <= 1_000; n++) {
      tell('a', n % 3 === 0 ? { kind: 'scribble', text: String(n) } : { kind: 'book', amounts: [n] })
      if (n % 100 === 0) await Bun.sleep(0)
    }
    await system.settled()
    const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1)
    expect((await look('a')).scribbles).toEqual(numbers.filter((n) => n % 3 === 0).map(String))
    expect(journal.rows.map(({ fact }) => 'amount' in fact && fact.amount)).toEqual(numbers.filter((n) => n % 3 !== 0))
  })

  test('mail between actors arrives in order too, whether or not a turn had to wait for the disk', async () => {
    const { journal, tell, system } = countingHouse()
    for (let n = 1; n <= 300; n++) tell('a', { kind: 'pass', to: 'b', amount: n, hops: 1 })
    await system.settled()
    const rows = journal.rows.filter(({ actor }) => actor === 'ledger/b')
    const booked = rows.map(({ fact }) => 'amount' in fact && fact.amount)
    expect(booked).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
  })

  test('actors take turns: a flood to one does not delay a letter to another', async () => {
    const { tell, look, system } = countingHouse()
    for (let n = 0; n < 5_000; n++) tell('flooded', { kind: 'scribble', text: 'x' })
    await look('quiet')
    expect(system.actors().find(({ id }) => id === 'flooded')?.mail).toBeGreaterThan(4_000)
  })
})
