import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import {
  isSpaceOrder,
  SPACE_ORDER_LIMIT,
  spaceChildOf,
  spaceChildren,
  viaOf,
  type SpaceChildEvent,
} from '#core/spaces.ts'
import type { ServerName } from '#schema/identifiers.ts'
import vectors from '#fixtures/space-child-order.json'

const child = (stateKey: string, originServerTs = 1, content: JsonObject = {}): SpaceChildEvent => ({
  stateKey,
  originServerTs,
  content: { via: ['a.example'], ...content },
})
const orderOf = (events: readonly SpaceChildEvent[]): string[] =>
  spaceChildren(events).map(({ roomId }) => roomId)

test('the example of the specification is in order', () => {
  const events = vectors.children.map(({ state_key, origin_server_ts, content }) => ({
    stateKey: state_key,
    originServerTs: origin_server_ts,
    content,
  }))
  expect(orderOf(events.toReversed())).toEqual(vectors.children.map(({ state_key }) => state_key))
})

test.each<[string, SpaceChildEvent[], string[]]>([
  [
    'equal orders fall back on time',
    [child('!b', 2, { order: 'x' }), child('!c', 1, { order: 'x' })],
    ['!c', '!b'],
  ],
  ['equal times fall back on the room id', [child('!b'), child('!a')], ['!a', '!b']],
  [
    'capitals come before small letters',
    [child('!a', 1, { order: 'a' }), child('!b', 1, { order: 'B' })],
    ['!b', '!a'],
  ],
  [
    'an order that is not valid counts as none',
    [child('!a', 1, { order: 'ä' }), child('!b', 2, { order: 'x' })],
    ['!b', '!a'],
  ],
  ['children without via are left out', [child('!a', 1, { via: [] }), child('!b')], ['!b']],
])('%s', (_says, events, order) => {
  expect(orderOf(events)).toEqual(order)
})

describe('a child', () => {
  test('is read from its event', () => {
    expect(spaceChildOf(child('!a:a.example', 7, { order: 'x', suggested: true }))).toEqual({
      roomId: '!a:a.example',
      via: ['a.example' as ServerName],
      order: 'x',
      isSuggested: true,
      originServerTs: 7,
    })
  })

  test.each<[string, SpaceChildEvent]>([
    ['a state key that is no room id', child('den')],
    ['redacted content', { stateKey: '!a', originServerTs: 1, content: {} }],
    ['via that is no list', child('!a', 1, { via: 'a.example' })],
    ['via without a server name', child('!a', 1, { via: [7, 'not a server'] })],
  ])('is not made by %s', (_says, event) => {
    expect(spaceChildOf(event)).toBeUndefined()
  })

  test('is suggested only by true', () => {
    expect(
      [true, 'true', 1].map((suggested) => spaceChildOf(child('!a', 1, { suggested }))?.isSuggested),
    ).toEqual([true, false, false])
  })
})

test('via keeps what is a server name', () => {
  expect(viaOf({ via: ['a.example', 7, '', 'b.example:8448'] })).toEqual([
    'a.example',
    'b.example:8448',
  ] as ServerName[])
})

test.each<[string, unknown, boolean]>([
  ['a space', ' ', true],
  ['a tilde', '~', true],
  ['text at the limit', 'x'.repeat(SPACE_ORDER_LIMIT), true],
  ['text over the limit', 'x'.repeat(SPACE_ORDER_LIMIT + 1), false],
  ['empty text', '', false],
  ['a line break', 'a\n', false],
  ['a letter outside ASCII', 'ä', false],
  ['a number', 7, false],
])('%s as order', (_says, order, expected) => {
  expect(isSpaceOrder(order as string)).toBe(expected)
})
