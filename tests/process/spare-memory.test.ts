import { expect, test } from 'bun:test'
import { collections, OVERDUE_MS, QUIET_MS, WORTH_MS } from '#process/spare-memory.ts'

/** The looks at which it is time, when the thread has worked for so long before each. */
function due(...work: readonly number[]): number[] {
  const isDue = collections(1_000)
  let workedMs = 1_000
  return work.flatMap((ms, look) => (isDue(workedMs += ms) ? [look] : []))
}

test('garbage is collected once when a burst of work is over', () => {
  expect(due(WORTH_MS, 0, 0, 0)).toEqual([1])
  expect(due(WORTH_MS - QUIET_MS, QUIET_MS, QUIET_MS, QUIET_MS)).toEqual([1])
})

test('work that is hardly any is not worth it', () => {
  expect(due(WORTH_MS - 1, 0, 0, 0)).toEqual([])
})

test('in the middle of work it is collected when it is overdue, and no sooner', () => {
  const busy = OVERDUE_MS / 10
  expect(due(...Array.from({ length: 25 }, () => busy))).toEqual([9, 19])
})

test('light work that never stops is a quiet moment each time it has come to something', () => {
  expect(due(...Array.from({ length: WORTH_MS / QUIET_MS + 1 }, () => QUIET_MS))).toEqual([WORTH_MS / QUIET_MS - 1])
})
