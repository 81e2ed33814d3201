import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import {
  FILTER_LIST_LIMIT,
  isIgnored,
  isSelective,
  letsNothingThrough,
  limitOf,
  matchesEventFilter,
  matchesRelations,
  matchesRoom,
  needsRelations,
  NO_EVENT_FILTER,
  parseEventFilter,
  parseFilter,
  selectFields,
  type EventFilter,
  type FilterableEvent,
  type SyncFilter,
} from '#core/sync/filter.ts'
import { MatrixError } from '#schema/matrix-error.ts'

function filterOf(definition: JsonObject): EventFilter {
  const filter = parseEventFilter(definition)
  if (filter instanceof MatrixError) throw filter
  return filter
}

const codeOf = (result: SyncFilter | EventFilter | MatrixError): string =>
  result instanceof MatrixError ? `${result.status} ${result.errcode}` : 'ok'

describe('parseFilter', () => {
  test('takes an empty filter and fills in what it leaves out', () => {
    expect(parseFilter({})).toEqual({
      eventFormat: 'client',
      presence: NO_EVENT_FILTER,
      accountData: NO_EVENT_FILTER,
      room: {
        notRooms: [],
        includeLeave: false,
        state: NO_EVENT_FILTER,
        timeline: NO_EVENT_FILTER,
        ephemeral: NO_EVENT_FILTER,
        accountData: NO_EVENT_FILTER,
      },
    })
  })

  test('reads every key', () => {
    const rooms = ['!den:a.example', '!KsN_create-event-hash']
    expect(
      parseFilter({
        event_fields: ['content.body'],
        event_format: 'federation',
        'org.example.unknown': 7,
        presence: { types: [] },
        account_data: { not_types: ['*'] },
        room: {
          rooms,
          not_rooms: rooms,
          include_leave: true,
          state: { lazy_load_members: true, include_redundant_members: true },
          timeline: {
            limit: 5,
            senders: ['@alice:a.example'],
            not_senders: ['@bob:a.example'],
            rooms,
            not_rooms: rooms,
            contains_url: false,
            'org.matrix.msc3874.rel_types': ['m.thread'],
            'org.matrix.msc3874.not_rel_types': ['m.replace'],
            related_by_senders: ['@alice:a.example'],
            related_by_rel_types: ['m.thread'],
          },
          ephemeral: { 'org.matrix.msc3773.unread_thread_notifications': true },
          account_data: { unread_thread_notifications: true },
        },
      }),
    ).toEqual({
      eventFields: ['content.body'],
      eventFormat: 'federation',
      presence: { ...NO_EVENT_FILTER, types: [] },
      accountData: { ...NO_EVENT_FILTER, notTypes: ['*'] },
      room: {
        rooms,
        notRooms: rooms,
        includeLeave: true,
        state: { ...NO_EVENT_FILTER, lazyLoadMembers: true, includeRedundantMembers: true },
        timeline: {
          ...NO_EVENT_FILTER,
          limit: 5,
          senders: ['@alice:a.example'],
          notSenders: ['@bob:a.example'],
          rooms,
          notRooms: rooms,
          containsUrl: false,
          relTypes: ['m.thread'],
          notRelTypes: ['m.replace'],
          relatedBySenders: ['@alice:a.example'],
          relatedByRelTypes: ['m.thread'],
        },
        ephemeral: { ...NO_EVENT_FILTER, unreadThreadNotifications: true },
        accountData: { ...NO_EVENT_FILTER, unreadThreadNotifications: true },
      },
    })
  })

  test.each<[string, unknown, string]>([
    ['a filter that is no object', 'x', '400 M_BAD_JSON'],
    ['a filter that is a list', [], '400 M_BAD_JSON'],
    ['presence that is no object', { presence: 'x' }, '400 M_BAD_JSON'],
    ['a timeline that is null', { room: { timeline: null } }, '400 M_BAD_JSON'],
    ['types that are no list', { room: { timeline: { types: 'm.*' } } }, '400 M_BAD_JSON'],
    ['types that are no strings', { room: { timeline: { types: [7] } } }, '400 M_BAD_JSON'],
    ['event fields that are no list', { event_fields: 'content' }, '400 M_BAD_JSON'],
    ['an event format that does not exist', { event_format: 'xml' }, '400 M_INVALID_PARAM'],
    ['a room id that is none', { room: { timeline: { rooms: ['den'] } } }, '400 M_INVALID_PARAM'],
    ['a room id that is an alias', { room: { not_rooms: ['#den:a.example'] } }, '400 M_INVALID_PARAM'],
    ['a sender that is no user', { room: { state: { senders: ['alice'] } } }, '400 M_INVALID_PARAM'],
    [
      'an excluded sender that is no user',
      { account_data: { not_senders: ['alice'] } },
      '400 M_INVALID_PARAM',
    ],
    ['a limit that is no number', { room: { timeline: { limit: '5' } } }, '400 M_BAD_JSON'],
    ['a negative limit', { room: { timeline: { limit: -1 } } }, '400 M_INVALID_PARAM'],
    ['a fraction as limit', { room: { timeline: { limit: 1.5 } } }, '400 M_INVALID_PARAM'],
    ['a flag that is no boolean', { room: { state: { lazy_load_members: 'yes' } } }, '400 M_BAD_JSON'],
    [
      'a list over the limit',
      { room: { timeline: { types: Array(FILTER_LIST_LIMIT + 1).fill('m') } } },
      '400 M_INVALID_PARAM',
    ],
    [
      'a list at the limit is fine',
      { room: { timeline: { types: Array(FILTER_LIST_LIMIT).fill('m') } } },
      'ok',
    ],
  ])('%s', (_says, definition, code) => {
    expect(codeOf(parseFilter(definition))).toBe(code)
  })

  test('says which key is wrong', () => {
    expect(parseFilter({ room: { timeline: { types: 7 } } })).toMatchObject({
      message: 'filter.room.timeline.types must be a list of strings',
    })
  })
})

describe('matchesEventFilter', () => {
  const hi: FilterableEvent = {
    type: 'm.room.message',
    sender: '@alice:a.example',
    roomId: '!den:a.example',
    content: { body: 'hi' },
  }
  const withContent = (content: unknown): FilterableEvent => ({ ...hi, content })
  const inThread = withContent({ 'm.relates_to': { rel_type: 'm.thread', event_id: '$a' } })
  test.each<[string, JsonObject, FilterableEvent, boolean]>([
    ['an empty filter lets everything through', {}, hi, true],
    ['an empty list of types lets nothing through', { types: [] }, hi, false],
    ['an empty list of senders lets nothing through', { senders: [] }, hi, false],
    ['an empty list of rooms lets nothing through', { rooms: [] }, hi, false],
    ['a type matches', { types: ['m.room.message'] }, hi, true],
    ['another type does not', { types: ['m.room.name'] }, hi, false],
    ['a wildcard at the end matches', { types: ['m.room.*'] }, hi, true],
    ['a wildcard in the middle matches', { types: ['m.*.message'] }, hi, true],
    ['a wildcard alone matches', { types: ['*'] }, hi, true],
    ['a question mark is no wildcard', { types: ['m.room.messag?'] }, hi, false],
    ['types regard case', { types: ['M.ROOM.*'] }, hi, false],
    ['exclusion outweighs inclusion', { types: ['m.*'], not_types: ['m.room.*'] }, hi, false],
    ['excluding everything lets nothing through', { not_types: ['*'] }, hi, false],
    ['a sender matches', { senders: ['@alice:a.example'] }, hi, true],
    ['another sender does not', { senders: ['@bob:a.example'] }, hi, false],
    ['an event without a sender does not', { senders: ['@bob:a.example'] }, { type: 'm.typing' }, false],
    ['an excluded sender does not', { not_senders: ['@alice:a.example'] }, hi, false],
    ['a room matches', { rooms: ['!den:a.example'] }, hi, true],
    ['an excluded room does not', { not_rooms: ['!den:a.example'] }, hi, false],
    [
      'an event with a url is wanted',
      { contains_url: true },
      withContent({ url: 'mxc://a.example/x' }),
      true,
    ],
    ['an event without a url is not wanted', { contains_url: true }, hi, false],
    ['a url that is no string is none', { contains_url: true }, withContent({ url: 7 }), false],
    ['an event with a url is unwanted', { contains_url: false }, withContent({ url: 'x' }), false],
    ['content that is no object has no url', { contains_url: false }, withContent('url'), true],
    ['a relation type matches', { 'org.matrix.msc3874.rel_types': ['m.thread'] }, inThread, true],
    ['a stable relation type matches', { rel_types: ['m.thread'] }, inThread, true],
    ['another relation type does not', { rel_types: ['m.replace'] }, inThread, false],
    ['no relation at all does not', { rel_types: ['m.thread'] }, hi, false],
    [
      'an excluded relation type does not',
      { 'org.matrix.msc3874.not_rel_types': ['m.thread'] },
      inThread,
      false,
    ],
    ['no relation passes an exclusion', { not_rel_types: ['m.thread'] }, hi, true],
  ])('%s', (_says, definition, event, expected) => {
    expect(matchesEventFilter(filterOf(definition), event)).toBe(expected)
  })
})

describe('filters by what relates to an event', () => {
  const children = [
    { sender: '@alice:a.example', relType: 'm.thread' },
    { sender: '@bob:a.example', relType: 'm.annotation' },
  ]
  test.each<[string, JsonObject, boolean]>([
    ['one who relates is enough', { related_by_senders: ['@bob:a.example', '@carol:a.example'] }, true],
    ['nobody who relates is not', { related_by_senders: ['@carol:a.example'] }, false],
    ['a relation type is enough', { related_by_rel_types: ['m.thread'] }, true],
    [
      'both must fit one and the same event',
      { related_by_senders: ['@bob:a.example'], related_by_rel_types: ['m.thread'] },
      false,
    ],
    ['an empty list lets nothing through', { related_by_rel_types: [] }, false],
  ])('%s', (_says, definition, expected) => {
    expect([needsRelations(filterOf(definition)), matchesRelations(filterOf(definition), children)]).toEqual([
      true,
      expected,
    ])
  })

  test('need no look-up when they are absent', () => {
    expect(needsRelations(filterOf({}))).toBe(false)
  })
})

test.each<[string, JsonObject, boolean]>([
  ['no types', { types: [] }, true],
  ['no senders', { senders: [] }, true],
  ['no rooms', { rooms: [] }, true],
  ['a limit of zero', { limit: 0 }, true],
  ['all types excluded', { not_types: ['*'] }, true],
  ['some types', { types: ['m.*'], not_types: ['m.room.*'] }, false],
])('a filter with %s may let nothing through', (_says, definition, expected) => {
  expect(letsNothingThrough(filterOf(definition))).toBe(expected)
})

test.each<[string, JsonObject, boolean]>([
  ['nothing', {}, false],
  ['a limit and flags', { limit: 3, lazy_load_members: true, unread_thread_notifications: true }, false],
  ['types', { types: ['m.*'] }, true],
  ['types excluded', { not_types: ['m.reaction'] }, true],
  ['senders excluded', { not_senders: ['@bob:a.example'] }, true],
  ['a URL', { contains_url: false }, true],
  ['relations', { related_by_rel_types: ['m.thread'] }, true],
  ['relation types excluded', { not_rel_types: ['m.thread'] }, true],
])('a filter with %s says whether it keeps events out', (_says, definition, expected) => {
  expect(isSelective(filterOf(definition))).toBe(expected)
})

test('room lists decide about rooms', () => {
  const [den, other] = ['!den:a.example', '!other:a.example'] as const
  const decide = (lists: { rooms?: string[]; notRooms: string[] }) =>
    [den, other].map((roomId) => matchesRoom(lists, roomId))
  expect([
    decide({ notRooms: [] }),
    decide({ rooms: [den], notRooms: [] }),
    decide({ rooms: [den], notRooms: [den] }),
    decide({ rooms: [], notRooms: [] }),
  ]).toEqual([
    [true, true],
    [true, false],
    [false, false],
    [false, false],
  ])
})

test('the limit has a default and a cap', () => {
  const limits = [{}, { limit: 0 }, { limit: 7 }, { limit: 100 }, { limit: 101 }].map((definition) =>
    limitOf(filterOf(definition)),
  )
  expect([limits, limitOf(filterOf({ limit: 5000 }), 10, 1000)]).toEqual([[10, 0, 7, 100, 100], 1000])
})

describe('selectFields', () => {
  const event = {
    type: 'm.room.message',
    sender: '@alice:a.example',
    content: {
      body: 'hi',
      msgtype: 'm.text',
      'm.relates_to': { rel_type: 'm.thread', event_id: '$a' },
      list: [{ x: 1 }],
    },
  }
  test.each<[string, string[] | undefined, JsonObject]>([
    ['keeps everything without a list', undefined, event],
    ['keeps everything with an empty list', [], event],
    ['keeps whole properties', ['type', 'sender'], { type: 'm.room.message', sender: '@alice:a.example' }],
    ['keeps parts of objects', ['content.body'], { content: { body: 'hi' } }],
    [
      'puts parts together',
      ['content.body', 'content.msgtype', 'type'],
      { content: { body: 'hi', msgtype: 'm.text' }, type: 'm.room.message' },
    ],
    [
      'reads escaped dots',
      ['content.m\\.relates_to.rel_type'],
      { content: { 'm.relates_to': { rel_type: 'm.thread' } } },
    ],
    ['does not split escaped names', ['content.m.relates_to'], {}],
    ['lets the whole win over the part', ['content.body', 'content'], { content: event.content }],
    ['adds nothing for what is absent', ['content.topic', 'unsigned'], {}],
    ['does not look into lists', ['content.list.0.x'], {}],
    ['does not find what every object has', ['constructor', 'content.toString'], {}],
  ])('%s', (_says, fields, selected) => {
    expect(selectFields(event, fields)).toEqual(selected)
  })

  test('keeps a part that comes after the whole', () => {
    expect(selectFields(event, ['content', 'content.body'])).toEqual({ content: event.content })
  })

  test('keeps a property named __proto__ as one', () => {
    const odd: JsonObject = JSON.parse('{"content":{"__proto__":{"x":1}}}')
    expect(JSON.stringify(selectFields(odd, ['content.__proto__']))).toBe('{"content":{"__proto__":{"x":1}}}')
  })
})

test.each([
  ['G-71: messages of ignored users are kept back', { sender: '@mallory:a.example' }, true],
  ['G-71: their state is not', { sender: '@mallory:a.example', stateKey: '' }, false],
  ['messages of others are not', { sender: '@alice:a.example' }, false],
] as const)('%s', (_says, event, expected) => {
  expect(isIgnored(event, new Set(['@mallory:a.example']))).toBe(expected)
})
