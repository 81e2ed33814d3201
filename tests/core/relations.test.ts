import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import {
  checkEdit,
  mayBeThreadRoot,
  newerEdit,
  refuseRelation,
  relationOf,
  replyTargetOf,
  type RelatableEvent,
} from '#core/relations.ts'

const relating = (relatesTo: JsonObject): JsonObject => ({ body: 'x', 'm.relates_to': relatesTo })

describe('relationOf', () => {
  test.each<[string, JsonObject, ReturnType<typeof relationOf>]>([
    [
      'finds a thread',
      relating({ rel_type: 'm.thread', event_id: '$a' }),
      { relType: 'm.thread', eventId: '$a' },
    ],
    [
      'finds an annotation and what it says',
      relating({ rel_type: 'm.annotation', event_id: '$a', key: '🐇' }),
      { relType: 'm.annotation', eventId: '$a', key: '🐇' },
    ],
    [
      'finds an annotation that says nothing',
      relating({ rel_type: 'm.annotation', event_id: '$a' }),
      { relType: 'm.annotation', eventId: '$a' },
    ],
    [
      'passes over keys of other relations',
      relating({ rel_type: 'm.reference', event_id: '$a', key: 'x' }),
      { relType: 'm.reference', eventId: '$a' },
    ],
    [
      'finds relations it does not know',
      relating({ rel_type: 'org.example.x', event_id: '$a' }),
      { relType: 'org.example.x', eventId: '$a' },
    ],
    ['ignores a rich reply', relating({ 'm.in_reply_to': { event_id: '$a' } }), undefined],
    ['ignores a relation without a target', relating({ rel_type: 'm.thread' }), undefined],
    ['ignores a target that is no event id', relating({ rel_type: 'm.thread', event_id: '!a' }), undefined],
    ['ignores a type that is no string', relating({ rel_type: 7, event_id: '$a' }), undefined],
    ['ignores relations that are no object', { 'm.relates_to': ['m.thread', '$a'] }, undefined],
    ['finds nothing in redacted content', {}, undefined],
  ])('%s', (_says, content, relation) => {
    expect(relationOf(content)).toEqual(relation)
  })
})

test.each<[string, JsonObject, string | undefined]>([
  ['a rich reply names its target', relating({ 'm.in_reply_to': { event_id: '$a' } }), '$a'],
  [
    'a reply in a thread does so too',
    relating({ rel_type: 'm.thread', event_id: '$r', 'm.in_reply_to': { event_id: '$a' } }),
    '$a',
  ],
  ['a reply to nothing names none', relating({ 'm.in_reply_to': {} }), undefined],
])('%s', (_says, content, target) => {
  expect(replyTargetOf(content)).toEqual(target as ReturnType<typeof replyTargetOf>)
})

const original: RelatableEvent = {
  eventId: '$original',
  roomId: '!den:a.example',
  type: 'm.room.message',
  sender: '@alice:a.example',
  content: { body: 'hi' },
}
const replacing = { 'm.relates_to': { rel_type: 'm.replace', event_id: '$original' } }
const edit: RelatableEvent = {
  ...original,
  eventId: '$edit',
  content: { ...replacing, 'm.new_content': { body: 'ho' } },
}

describe('G-79: an edit', () => {
  const encrypted = { ...edit, type: 'm.room.encrypted', content: replacing }
  test.each<[string, RelatableEvent, RelatableEvent, string]>([
    ['counts', edit, original, 'ok'],
    ['counts without new content when encrypted', encrypted, { ...original, type: 'm.room.encrypted' }, 'ok'],
    [
      'counts when the message type changes',
      { ...edit, content: { ...edit.content, msgtype: 'm.emote' } },
      original,
      'ok',
    ],
    [
      'does not count from another sender',
      { ...edit, sender: '@mallory:a.example' },
      original,
      'edit.sender',
    ],
    ['does not count in another room', { ...edit, roomId: '!other:a.example' }, original, 'edit.room'],
    ['does not count with another type', { ...edit, type: 'm.sticker' }, original, 'edit.type'],
    ['does not count as state', { ...edit, stateKey: '' }, original, 'edit.state'],
    ['does not count for state', edit, { ...original, stateKey: '' }, 'edit.state'],
    ['does not count for an edit', edit, { ...original, content: { ...replacing } }, 'edit.edit'],
    ['does not count without new content', { ...edit, content: replacing }, original, 'edit.content'],
    [
      'does not count with new content that is no object',
      { ...edit, content: { ...replacing, 'm.new_content': 'ho' } },
      original,
      'edit.content',
    ],
    ['does not count once redacted', { ...edit, isRedacted: true }, original, 'edit.redacted'],
    [
      'does not count once the original is redacted',
      edit,
      { ...original, isRedacted: true },
      'edit.redacted',
    ],
    ['does not count for some other event', edit, { ...original, eventId: '$other' }, 'edit.relation'],
    [
      'does not count with another relation',
      { ...edit, content: { 'm.relates_to': { rel_type: 'm.reference', event_id: '$original' } } },
      original,
      'edit.relation',
    ],
  ])('%s', (_says, change, of, rule) => {
    const verdict = checkEdit(change, of)
    expect(verdict.ok ? 'ok' : verdict.rule).toBe(rule)
  })
})

type Dated = { eventId: `$${string}`; originServerTs: number }

test.each<[string, Dated, Dated, string]>([
  [
    'the later edit is the newer',
    { eventId: '$a', originServerTs: 2 },
    { eventId: '$b', originServerTs: 1 },
    '$a',
  ],
  [
    'at the same time the larger id is',
    { eventId: '$a', originServerTs: 1 },
    { eventId: '$b', originServerTs: 1 },
    '$b',
  ],
])('%s', (_says, one, other, newer) => {
  expect([newerEdit(one, other), newerEdit(other, one)].map(({ eventId }) => String(eventId))).toEqual([
    newer,
    newer,
  ])
})

describe('refuseRelation', () => {
  const roomId = '!den:a.example' as const
  const thread = relating({ rel_type: 'm.thread', event_id: '$a' })
  const reaction = relating({ rel_type: 'm.annotation', event_id: '$a', key: '🐇' })
  const plain = { roomId, content: { body: 'root' } }
  const reply = { roomId, content: relating({ 'm.in_reply_to': { event_id: '$b' } }) }
  const inThread = { roomId, content: relating({ rel_type: 'm.thread', event_id: '$b' }) }
  const edited = { roomId, content: relating({ rel_type: 'm.replace', event_id: '$b' }) }

  test.each([
    ['lets a thread start from a plain event', thread, plain, false, 'ok'],
    ['lets a thread start from a reply', thread, reply, false, 'ok'],
    ['lets a thread start from an event we do not have', thread, undefined, false, 'ok'],
    ['refuses a thread inside a thread', thread, inThread, false, '400 M_UNKNOWN'],
    ['refuses a thread on an edit', thread, edited, false, '400 M_UNKNOWN'],
    [
      'refuses a relation to another room',
      reaction,
      { ...plain, roomId: '!other:a.example' as const },
      false,
      '400 M_UNKNOWN',
    ],
    ['lets a reaction into a thread', reaction, inThread, false, 'ok'],
    ['refuses the same reaction twice', reaction, plain, true, '400 M_DUPLICATE_ANNOTATION'],
    ['does not mind duplicates of other relations', thread, plain, true, 'ok'],
    ['has nothing against plain events', { body: 'x' }, undefined, false, 'ok'],
  ] as const)('%s', (_says, content, target, hasSameAnnotation, code) => {
    const refusal = refuseRelation({ roomId, content, target, hasSameAnnotation })
    expect(refusal ? `${refusal.status} ${refusal.errcode}` : 'ok').toBe(code)
  })

  test('a root may not have a relation of any type, even one without a target', () => {
    expect(mayBeThreadRoot(relating({ rel_type: 'org.example.x' }))).toBe(false)
  })
})
