import { expect, test } from 'bun:test'
import { placesIn } from '#core/sync/window.ts'

test.each([
  ['without ranges all places are meant', undefined, 3, [[0, 2]]],
  ['an empty list has none', undefined, 0, []],
  ['a range ends with the list', [[0, 19]], 3, [[0, 2]]],
  ['a range behind the list is none', [[5, 9]], 3, []],
  ['ranges that touch are one', [[0, 1], [2, 3]], 9, [[0, 3]]],
  ['ranges that overlap name each place once, in order', [[3, 6], [0, 4]], 9, [[0, 6]]],
  ['ranges apart stay apart', [[0, 1], [4, 5]], 9, [[0, 1], [4, 5]]],
  ['a range that runs backwards is none', [[4, 1]], 9, []],
] as const)('%s', (_says, ranges, count, places) => {
  expect(placesIn(ranges, count)).toEqual(places as never)
})
