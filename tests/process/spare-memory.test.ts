import { expect, test } from 'bun:test'
import { CALM_MS, collections, KEEN_MS, OVERDUE_MS, QUIET_MS, TURNS, WORTH_MS } from '#process/spare-memory.ts'

/** What the looks come to when the thread has worked for so long before each. */
function looks(...work: readonly number[]) {
  const look = collections(1_000)
  let workedMs = 1_000
  return work.map((ms) => look(workedMs += ms))
}
const due = (...work: readonly number[]): number[] => looks(...work).flatMap(({ isDue }, number) => (isDue ? [number] : []))

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

test('it is looked often while there is something to collect and until that is done, else now and then', () => {
  const keen = Array.from({ length: TURNS }, () => KEEN_MS)
  const idle = Array.from({ length: TURNS }, () => 0)
  expect(looks(1, WORTH_MS, 0, ...idle).map(({ nextInMs }) => nextInMs)).toEqual([CALM_MS, KEEN_MS, ...keen, CALM_MS])
})
