import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { BUCKET_LIMIT, rateLimiter } from '#http/rate-limit.ts'
import { MatrixError } from '#schema/matrix-error.ts'

/** Milliseconds to wait, or 0 where it is let through. */
function waitOf(action: () => void): number {
  try {
    action()
    return 0
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_LIMIT_EXCEEDED') return Number(error.extra.retry_after_ms)
    throw error
  }
}

describe('G-75: a leaky bucket', () => {
  test('takes a burst, then as much as leaks away', () => {
    const clock = manualClock()
    const { take } = rateLimiter({ perSecond: 0.5, burstCount: 2 }, clock.now)
    expect([1, 2, 3].map(() => waitOf(() => take('alice')))).toEqual([0, 0, 2_000])
    clock.advance(1_999)
    expect(waitOf(() => take('alice'))).toBe(1)
    clock.advance(1)
    expect([1, 2].map(() => waitOf(() => take('alice')))).toEqual([0, 2_000])
    clock.advance(60_000)
    expect([1, 2, 3].map(() => waitOf(() => take('alice')))).toEqual([0, 0, 2_000])
  })

  test('is the key’s own', () => {
    const { take } = rateLimiter({ perSecond: 1, burstCount: 1 }, () => 0)
    expect(['alice', 'bob', 'alice'].map((key) => waitOf(() => take(key)))).toEqual([0, 0, 1_000])
  })

  test('is not filled by a question', () => {
    const { take, check } = rateLimiter({ perSecond: 1, burstCount: 1 }, () => 0)
    expect([1, 2].map(() => waitOf(() => check('alice')))).toEqual([0, 0])
    take('alice')
    expect(waitOf(() => check('alice'))).toBe(1_000)
  })

  test('that never leaks asks for an hour', () => {
    const { take } = rateLimiter({ perSecond: 0, burstCount: 1 }, () => 0)
    expect([1, 2].map(() => waitOf(() => take('alice')))).toEqual([0, 3_600_000])
  })

  test('is forgotten when too many keys came after it', () => {
    const { take, check } = rateLimiter({ perSecond: 0, burstCount: 1 }, () => 0)
    take('alice')
    for (let index = 1; index < BUCKET_LIMIT; index++) take(`other ${index}`)
    expect(waitOf(() => check('alice'))).toBeGreaterThan(0)
    take('the last one')
    expect(waitOf(() => check('alice'))).toBe(0)
    expect(waitOf(() => check('the last one'))).toBeGreaterThan(0)
  })
})
