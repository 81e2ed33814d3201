import { describe, expect, test } from 'bun:test'
import { FILTER_LIMIT, FILTER_LIMIT_BYTES } from '#actors/user/filter.ts'
import { user } from '#actors/user/user.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const alice = given(user, userId, { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: NOW })
const define = (limit: number) => ({ kind: 'defineFilter', filter: { room: { timeline: { limit } } } }) as const

describe('defineFilter', () => {
  test('numbers the filters', () => {
    const one = alice.and(define(1))
    expect(one.when(define(2))).toMatchObject({
      facts: [{ kind: 'filterDefined', userId, filterId: '1', filter: { room: { timeline: { limit: 2 } } } }],
      reply: { filterId: '1' },
    })
  })

  test('gives the same filter the same id', () => {
    const two = alice.and(define(1)).and(define(2))
    expect(two.when(define(1))).toMatchObject({ facts: [], reply: { filterId: '0' } })
  })

  test('drops the oldest of too many, and never gives its id again', () => {
    const facts = Array.from({ length: FILTER_LIMIT }, (_, limit) =>
      ({ kind: 'filterDefined', userId, filterId: String(limit), filter: define(limit).filter }) as const)
    const full = given(user, userId, ...alice.facts, ...facts)
    expect(full.when(define(FILTER_LIMIT)).facts).toMatchObject([
      { kind: 'filterDropped', filterId: '0' },
      { kind: 'filterDefined', filterId: String(FILTER_LIMIT) },
    ])
    expect(full.and(define(FILTER_LIMIT)).when(define(0))).toMatchObject({ reply: { filterId: String(FILTER_LIMIT + 1) } })
  })

  test('refuses a filter that is too large', () => {
    expect(alice.when({ kind: 'defineFilter', filter: { x: 'x'.repeat(FILTER_LIMIT_BYTES) } }).refused).toBe('M_TOO_LARGE')
  })
})
