import { expect, test } from 'bun:test'
import { unhurried, unhurriedAll } from '#http/unhurried.ts'

/** Holds the loop for so long. */
const busy = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('every step is taken, in order, and others have their turn in between', async () => {
  const taken: unknown[] = []
  setImmediate(() => taken.push('another'))
  await unhurried([1, 2, 3], (item) => {
    busy(6)
    taken.push(item)
  })
  expect(taken).toEqual([1, 'another', 2, 3])
})

test('steps that take time all begin before the first is waited for', async () => {
  let begun = 0
  const all = unhurriedAll([1, 2, 3], async (item) => {
    begun++
    await Bun.sleep(1)
    return [item, begun]
  })
  expect(await all).toEqual([[1, 3], [2, 3], [3, 3]])
})

test('a step that fails early fails the whole, and nobody else hears of it', async () => {
  const all = unhurriedAll([1, 2], async (item) => {
    if (item === 1) throw new Error('one')
    busy(6)
    return item
  })
  expect(all).rejects.toThrow('one')
  await all.catch(() => {})
})
