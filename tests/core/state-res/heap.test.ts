import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createHeap } from '#core/state-res/heap.ts'

describe('a heap', () => {
  test('hands out what was put in from the least to the greatest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), (numbers) => {
        const heap = createHeap<number>((one, other) => one - other)
        for (const number of numbers) heap.push(number)
        const out: number[] = []
        for (let next = heap.pop(); next !== undefined; next = heap.pop()) out.push(next)
        expect(out).toEqual(numbers.toSorted((one, other) => one - other))
      }),
      { numRuns: 100, seed: 1 },
    )
  })

  test('shows the least without taking it', () => {
    const heap = createHeap<number>((one, other) => one - other)
    heap.push(3)
    heap.push(1)
    expect([heap.peek(), heap.pop(), heap.peek(), heap.pop(), heap.peek(), heap.pop()]).toEqual([
      1,
      1,
      3,
      3,
      undefined,
      undefined,
    ])
  })

  test('takes items between those it hands out', () => {
    const heap = createHeap<number>((one, other) => one - other)
    for (const number of [5, 2, 8]) heap.push(number)
    expect(heap.pop()).toBe(2)
    for (const number of [1, 6]) heap.push(number)
    expect([heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([1, 5, 6, 8])
  })
})
