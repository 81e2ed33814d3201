import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import {
  readUpTo,
  receiptCovers,
  receiptFits,
  replacesReceipt,
  threadOf,
  type ReceiptMark,
  type ThreadId,
} from '#core/threads.ts'
import type { EventId } from '#schema/identifiers.ts'
import vectors from '#fixtures/threaded-receipts.json'

const content = (relType: string, eventId: string): JsonObject => ({
  'm.relates_to': { rel_type: relType, event_id: eventId },
})

const contents = new Map<string, JsonObject>([
  ...Object.entries(vectors.thread_relations).map(([id, root]) => [id, content('m.thread', root)] as const),
  ...Object.entries(vectors.other_relations).map(
    ([id, target]) => [id, content('m.annotation', target)] as const,
  ),
])
const contentOf = (eventId: EventId): JsonObject => contents.get(eventId) ?? {}
const threadOfId = (eventId: string): ThreadId => threadOf(contentOf(eventId as EventId), contentOf)

describe('the example of the specification', () => {
  test.each(Object.entries(vectors.timelines))('timeline %s holds its events', (thread, events) => {
    expect(vectors.order.filter((eventId) => threadOfId(eventId) === thread)).toEqual(events)
  })

  test.each(
    vectors.cases.map((receipt) => [receipt.receipt_on, receipt.thread_id, receipt.marks_read] as const),
  )('a receipt on %s for thread %p marks %j as read', (eventId, threadId, marked) => {
    const position = vectors.order.indexOf(eventId)
    const read = vectors.order.filter(
      (other, index) => index <= position && receiptCovers(threadId as ThreadId | null, threadOfId(other)),
    )
    expect(read).toEqual(marked)
  })

  test('receipts replace each other within their thread only', () => {
    const replaced = vectors.replacement_sequence.map(({ thread_id, replaces }, step, all) => {
      const earlier = all.slice(0, step).findLast((before) => before.thread_id === thread_id)
      const mark = (at: number): ReceiptMark => ({ threadId: thread_id as ThreadId | null, position: at })
      return [
        replacesReceipt(mark(step + 1), earlier && mark(earlier.step)),
        earlier?.event ?? null,
        replaces,
      ]
    })
    expect(replaced.map(([does, found, expected]) => [does, found === expected])).toEqual(
      replaced.map(() => [true, true]),
    )
  })
})

describe('threadOf', () => {
  // $1 relates to $2, $2 to $3 and so on; the last is in a thread.
  const chain = (hops: number): ThreadId => {
    const known = new Map<string, JsonObject>([[`$${hops}`, content('m.thread', '$root')]])
    for (let at = 0; at < hops; at += 1) known.set(`$${at}`, content('m.reference', `$${at + 1}`))
    return threadOf(known.get('$0') ?? {}, (eventId) => known.get(eventId))
  }

  test('follows three hops and no more', () => {
    expect([0, 1, 2, 3, 4].map(chain)).toEqual(['$root', '$root', '$root', '$root', 'main'])
  })

  test('ends in a loop of relations', () => {
    const loop = content('m.reference', '$loop')
    expect(threadOf(loop, () => loop)).toBe('main')
  })

  test('ends where an event is missing', () => {
    expect(threadOf(content('m.reference', '$gone'), () => undefined)).toBe('main')
  })

  test('does not follow rich replies', () => {
    expect(threadOf({ 'm.relates_to': { 'm.in_reply_to': { event_id: '$C' } } }, contentOf)).toBe('main')
  })
})

describe('G-72: how far a user has read', () => {
  const receipts: ReceiptMark[] = [
    { threadId: null, position: 5 },
    { threadId: 'main', position: 9 },
    { threadId: '$root', position: 3 },
    { threadId: '$other', position: 7 },
  ]
  test.each<[string, ThreadId, number]>([
    ['the main timeline by its own receipt', 'main', 9],
    ['a thread by the unthreaded receipt when that is further', '$root', 5],
    ['a thread by its own receipt when that is further', '$other', 7],
    ['a thread without a receipt by the unthreaded one', '$third', 5],
  ])('%s', (_says, thread, position) => {
    expect(readUpTo(receipts, thread)).toBe(position)
  })

  test('is nothing without receipts', () => {
    expect(readUpTo([], 'main')).toBe(0)
  })
})

test('G-90: a receipt never moves back', () => {
  const current: ReceiptMark = { threadId: 'main', position: 5 }
  expect([4, 5, 6].map((position) => replacesReceipt({ threadId: 'main', position }, current))).toEqual([
    false,
    false,
    true,
  ])
  expect(replacesReceipt({ threadId: '$root', position: 9 }, current)).toBe(false)
})

test.each<[string, EventId, ThreadId, ThreadId, boolean]>([
  ['an event of a thread in its thread', '$C', '$A', '$A', true],
  ['an event of a thread not in main', '$C', '$A', 'main', false],
  ['a root in main', '$A', 'main', 'main', true],
  ['a root in its own thread', '$A', 'main', '$A', true],
  ['an event not in another thread', '$C', '$A', '$B', false],
])('a receipt may mark %s', (_says, eventId, eventThread, receiptThread, expected) => {
  expect(receiptFits(eventId, eventThread, receiptThread)).toBe(expected)
})
