import { describe, expect, test } from 'bun:test'
import {
  compileCondition,
  conditionHolds,
  pushSubject,
  type PushContext,
  type Reader,
} from '#core/push-rules/conditions.ts'
import type { JsonObject } from '#schema/pdu.ts'
import vectors from '#fixtures/push-conditions.json'

const alice = '@alice:a.example' as const
const den: PushContext = {
  roomId: '!den:a.example',
  memberCount: 3,
  senderPowerLevel: 50,
  notificationLevels: { room: 50 },
  isInThread: false,
}

type Asked = {
  content?: JsonObject
  context?: Partial<PushContext>
  reader?: Reader
  stateKey?: string
  type?: string
}

function holds(
  condition: unknown,
  { content = {}, context = {}, reader = {}, stateKey, type = 'm.room.message' }: Asked = {},
) {
  const compiled = compileCondition(condition, alice)
  if (!compiled) return 'unknown'
  const event = {
    type,
    sender: '@bob:a.example' as const,
    content,
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
  }
  return conditionHolds(compiled, pushSubject(event, { ...den, ...context }), reader, alice)
}

/** The event that has `value` at a path like `content.body`. */
const contentWith = (key: string, value: unknown): JsonObject =>
  ({ [key.replace('content.', '').replaceAll('\\.', '.')]: value }) as JsonObject

describe('the examples of the specification', () => {
  const cases = (['event_match', 'event_property_is', 'event_property_contains'] as const).flatMap((kind) =>
    vectors[kind].flatMap(
      ({ matches, misses = [], ...condition }: { key: string; matches: unknown[]; misses?: unknown[] }) => [
        ...matches.map(
          (value) =>
            [`${kind} holds for ${JSON.stringify(value)}`, { kind, ...condition }, value, true] as const,
        ),
        ...misses.map(
          (value) =>
            [`${kind} fails for ${JSON.stringify(value)}`, { kind, ...condition }, value, false] as const,
        ),
      ],
    ),
  )
  test.each(cases)('%s', (_says, condition, value, expected) => {
    expect(holds(condition, { content: contentWith(condition.key, value) })).toBe(expected)
  })
})

describe('event_match', () => {
  const body = (pattern: string) => ({ kind: 'event_match', key: 'content.body', pattern })
  test.each<[string, JsonObject, Asked, boolean | 'unknown']>([
    ['looks for whole words in the body', body('cake'), { content: { body: 'The CAKE!' } }, true],
    ['does not find half a word in the body', body('cake'), { content: { body: 'cakes' } }, false],
    [
      'needs the whole value elsewhere',
      { kind: 'event_match', key: 'content.topic', pattern: 'cake' },
      { content: { topic: 'the cake' } },
      false,
    ],
    [
      'fails on an absent property even for a star',
      { kind: 'event_match', key: 'content.x', pattern: '*' },
      {},
      false,
    ],
    ['has no implicit state key', { kind: 'event_match', key: 'state_key', pattern: '' }, {}, false],
    [
      'sees an empty state key',
      { kind: 'event_match', key: 'state_key', pattern: '' },
      { stateKey: '' },
      true,
    ],
    ['sees the room', { kind: 'event_match', key: 'room_id', pattern: '!den:*' }, {}, true],
    ['is unknown without a pattern', { kind: 'event_match', key: 'type' }, {}, 'unknown'],
  ])('%s', (_says, condition, asked, expected) => {
    expect(holds(condition, asked)).toBe(expected)
  })
})

describe('event_property_is and event_property_contains', () => {
  const is = (value: unknown) => ({ kind: 'event_property_is', key: 'content.x', value })
  const contains = (value: unknown) => ({ kind: 'event_property_contains', key: 'content.x', value })
  test.each<[string, unknown, JsonObject, boolean | 'unknown']>([
    ['null is a value', is(null), { x: null }, true],
    ['an absent property is not null', is(null), {}, false],
    ['strings are compared with regard to case', is('A'), { x: 'a' }, false],
    ['numbers are not strings', is(1), { x: '1' }, false],
    ['compound values cannot be asked for', is({}), { x: {} }, 'unknown'],
    ['fractions cannot be asked for', is(0.5), { x: 0.5 }, 'unknown'],
    ['a list holds an item', contains(7), { x: ['a', 7] }, true],
    ['a list does not hold a part of an item', contains('a'), { x: ['abc'] }, false],
    ['a string is no list', contains('a'), { x: 'a' }, false],
    ['a list inside a list is passed over', contains('a'), { x: [['a']] }, false],
  ])('%s', (_says, condition, content, expected) => {
    expect(holds(condition, { content })).toBe(expected)
  })
})

describe('room_member_count', () => {
  test.each<[string, number, boolean | 'unknown']>([
    ['2', 2, true],
    ['2', 3, false],
    ['==2', 2, true],
    ['<2', 1, true],
    ['<2', 2, false],
    ['>2', 3, true],
    ['>2', 2, false],
    ['<=2', 2, true],
    ['>=2', 2, true],
    ['>=2', 1, false],
    ['=2', 2, 'unknown'],
    ['many', 2, 'unknown'],
    ['', 2, 'unknown'],
    ['2.0', 2, 'unknown'],
  ])('%s with %i members is %p', (is, memberCount, expected) => {
    expect(holds({ kind: 'room_member_count', is }, { context: { memberCount } })).toBe(expected)
  })
})

describe('G-73: sender_notification_permission', () => {
  const condition = { kind: 'sender_notification_permission', key: 'room' }
  test.each<[string, Partial<PushContext>, boolean]>([
    ['holds at the level', { senderPowerLevel: 50 }, true],
    ['fails below it', { senderPowerLevel: 49 }, false],
    ['takes 50 where the room says nothing', { senderPowerLevel: 49, notificationLevels: {} }, false],
    ['follows a lower level', { senderPowerLevel: 0, notificationLevels: { room: 0 } }, true],
    ['reads a level that is a string', { senderPowerLevel: 10, notificationLevels: { room: '10' } }, true],
    ['holds for creators', { senderPowerLevel: Infinity, notificationLevels: { room: 9000 } }, true],
    [
      'takes 50 for a key of every object',
      { senderPowerLevel: 49, notificationLevels: Object.create({ room: 0 }) },
      false,
    ],
  ])('%s', (_says, context, expected) => {
    expect(holds(condition, { context })).toBe(expected)
  })
})

describe('G-73: contains_display_name', () => {
  const condition = { kind: 'contains_display_name' }
  test.each<[string, string | undefined, unknown, boolean]>([
    ['finds the name as a word', 'Alice', 'hi alice!', true],
    ['does not find it inside a word', 'Alice', 'malice', false],
    ['takes stars in a name as stars', 'A*', 'anything', false],
    ['finds a name with spaces', 'Alice A.', 'is Alice A. here?', true],
    ['never finds an empty name', '', 'anything', false],
    ['never finds a name that is not set', undefined, 'undefined', false],
    ['never finds anything in a body that is no string', 'Alice', 7, false],
  ])('%s', (_says, displayName, body, expected) => {
    const reader = displayName === undefined ? {} : { displayName }
    expect(holds(condition, { content: { body } as JsonObject, reader })).toBe(expected)
  })
})

describe('thread_subscription', () => {
  const condition = (subscribed: boolean) => ({ kind: 'io.element.msc4306.thread_subscription', subscribed })
  test.each([
    ['holds for subscribers', true, true, true, true],
    ['holds for the others when asked for them', false, false, true, true],
    ['fails for subscribers when asked for the others', false, true, true, false],
    ['fails outside threads', true, true, false, false],
    ['fails outside threads for the others too', false, false, false, false],
  ])('%s', (_says, wanted, isSubscribed, isInThread, expected) => {
    expect(holds(condition(wanted), { context: { isInThread }, reader: { isSubscribed } })).toBe(expected)
  })
})

test.each<[string, unknown]>([
  ['an unknown kind', { kind: 'org.example.moon_phase', phase: 'full' }],
  ['no kind', {}],
  ['no object', 'event_match'],
  ['null', null],
])('%s is an unknown condition', (_says, condition) => {
  expect(holds(condition)).toBe('unknown')
})

test("a user's own id is a name and not a pattern", () => {
  const star = '@al*:a.example' as const
  const compiled = compileCondition({ kind: 'event_match', key: 'state_key', pattern: star }, star)
  const subject = pushSubject(
    { type: 'm.room.member', sender: '@bob:a.example', state_key: alice, content: {} },
    den,
  )
  expect(compiled && conditionHolds(compiled, subject, {}, star)).toBe(false)
})
