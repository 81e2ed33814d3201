import { Company, COMPANY_WAIT_MAX_MS, COMPANY_WAIT_SHARE, FAST_COMMIT_MS } from '#actors/kernel/company.ts'
import { expect, test } from 'bun:test'

const SLOW_MS = 5

/** What is waited for behind each of so many slow commits of ten, when so many have come each time. */
function waits(commits: number, come: number): number[] {
  const company = new Company()
  return Array.from({ length: commits }, (_, number) => {
    const now = number * 100
    company.expect({ tookMs: SLOW_MS, answered: 10, open: 0 }, now)
    const waitMs = company.waitMs(come - 1, now)
    company.waitMs(come, now + COMPANY_WAIT_MAX_MS)
    return waitMs
  })
}

test('all who come back are waited for, behind every commit', () => {
  expect(new Set(waits(50, 10))).toEqual(new Set([SLOW_MS * COMPANY_WAIT_SHARE]))
})

test('who never comes in time is waited for ever more seldom, but never given up', () => {
  const numbers = waits(400, 5).flatMap((ms, number) => (ms > 0 ? [number] : []))
  expect(numbers).toEqual([0, 3, 8, 17, 34, 67, 132, 197, 262, 327, 392])
})

test('one who comes in time after all makes up for all others', () => {
  const company = new Company()
  const commit = (now: number, come: number): number => {
    company.expect({ tookMs: SLOW_MS, answered: 2, open: 0 }, now)
    const waitMs = company.waitMs(0, now)
    company.waitMs(come, now + COMPANY_WAIT_MAX_MS)
    return waitMs
  }
  expect([commit(0, 1) > 0, commit(100, 1), commit(200, 1), commit(300, 2) > 0, commit(400, 2) > 0]).toEqual([true, 0, 0, true, true])
})

test('neither a lone client nor a fast disk waits', () => {
  const company = new Company()
  company.expect({ tookMs: SLOW_MS, answered: 1, open: 0 }, 0)
  expect(company.waitMs(0, 0)).toBe(0)
  company.expect({ tookMs: FAST_COMMIT_MS, answered: 10, open: 10 }, 0)
  expect(company.waitMs(0, 0)).toBe(0)
})
