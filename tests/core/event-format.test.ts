import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  checkEventFormat,
  checkEventSize,
  MAX_AUTH_EVENTS,
  MAX_EVENT_BYTES,
  MAX_FIELD_BYTES,
  MAX_PREV_EVENTS,
} from '#core/event-format.ts'
import { contentHash } from '#core/content-hash.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { parseStrictText } from '#core/strict-json.ts'
import { arbitraryDraft, arbitraryRules, rulesOf } from './arbitrary-event.ts'

const message: JsonObject = {
  type: 'm.room.message',
  room_id: '!den:a.example',
  sender: '@alice:a.example',
  content: { body: 'hi' },
  origin_server_ts: 1_000_000,
  depth: 7,
  prev_events: ['$p'],
  auth_events: ['$a'],
  hashes: { sha256: 'x' },
  signatures: { 'a.example': { 'ed25519:1': 'x' } },
}
const create: JsonObject = { ...without(message, 'room_id'), type: 'm.room.create', state_key: '' }
const pairs = { prev_events: [['$p:a.example', { sha256: 'x' }]], auth_events: [['$a:a.example', {}]] }
const old: JsonObject = { ...message, ...pairs, event_id: '$1:a.example' }

function without(event: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = event
  return rest
}

function ruleOf(version: string, event: Json): string {
  const verdict = checkEventFormat(rulesOf(version), event)
  return verdict.ok ? 'ok' : verdict.rule
}

const many = (count: number) => Array<string>(count).fill('$p')

describe('checkEventFormat', () => {
  test.each([
    ['an event of version 12', '12', message],
    ['a state event', '12', { ...message, state_key: '' }],
    ['a create event of version 12', '12', create],
    ['a create event of version 11', '11', { ...create, room_id: '!den:a.example' }],
    ['an event of version 1', '1', old],
    ['a key that nobody knows', '12', { ...message, 'org.example.x': [null] }],
    ['unsigned data', '12', { ...message, unsigned: { age: 5 } }],
    ['a float in unsigned data, which nobody signs', '12', { ...message, unsigned: { age: 0.5 } }],
    ['a redaction of version 10', '10', { ...message, type: 'm.room.redaction', redacts: '$x' }],
    ['no signatures of this server yet', '12', { ...message, signatures: {} }],
    ['a historical user id', '12', { ...message, sender: '@Ä b:a.example:8448' }],
    ['as many references as may be', '12', { ...message, prev_events: many(20), auth_events: many(10) }],
  ] as [string, string, Json][])('%s passes', (_says, version, event) => {
    expect(ruleOf(version, event)).toBe('ok')
  })

  test.each([
    ['a list', [], 'format.event'],
    ['null', null, 'format.event'],
    ['no type', without(message, 'type'), 'format.type'],
    ['a number as type', { ...message, type: 5 }, 'format.type'],
    ['no sender', without(message, 'sender'), 'format.sender'],
    ['a sender without a server', { ...message, sender: '@alice' }, 'format.sender'],
    ['a sender without a sigil', { ...message, sender: 'alice:a.example' }, 'format.sender'],
    ['a sender on no server', { ...message, sender: '@alice:a b' }, 'format.sender'],
    ['NUL in a sender', { ...message, sender: '@\0:a.example' }, 'format.sender'],
    ['null as state key', { ...message, state_key: null }, 'format.state_key'],
    ['no content', without(message, 'content'), 'format.content'],
    ['a list as content', { ...message, content: [] }, 'format.content'],
    ['no room', without(message, 'room_id'), 'format.room_id'],
    ['an alias as room', { ...message, room_id: '#den:a.example' }, 'format.room_id'],
    ['the empty room', { ...message, room_id: '!' }, 'format.room_id'],
    ['a room in a create event', { ...create, room_id: '!den' }, 'format.room_id'],
    ['null as room in a create event', { ...create, room_id: null }, 'format.room_id'],
    ['no depth', without(message, 'depth'), 'format.depth'],
    ['G-09: a depth below zero', { ...message, depth: -1 }, 'format.depth'],
    ['G-09: a depth above 2^53 − 1', { ...message, depth: 2 ** 53 }, 'format.depth'],
    ['G-09: a depth with a fraction', { ...message, depth: 0.5 }, 'format.depth'],
    ['G-09: a text as depth', { ...message, depth: '5' }, 'format.depth'],
    ['no time', without(message, 'origin_server_ts'), 'format.origin_server_ts'],
    ['a time with a fraction', { ...message, origin_server_ts: 1.5 }, 'format.origin_server_ts'],
    ['no previous events', without(message, 'prev_events'), 'format.prev_events'],
    ['too many previous events', { ...message, prev_events: many(21) }, 'format.prev_events'],
    ['pairs as previous events', { ...message, prev_events: pairs.prev_events }, 'format.prev_events'],
    ['a number as previous event', { ...message, prev_events: [5] }, 'format.prev_events'],
    ['an object as auth events', { ...message, auth_events: {} }, 'format.auth_events'],
    ['too many auth events', { ...message, auth_events: many(11) }, 'format.auth_events'],
    ['no hashes', without(message, 'hashes'), 'format.hashes'],
    ['another hash alone', { ...message, hashes: { md5: 'x' } }, 'format.hashes'],
    ['no signatures', without(message, 'signatures'), 'format.signatures'],
    ['a text as signatures', { ...message, signatures: { 'a.example': 'x' } }, 'format.signatures'],
    ['a number as signature', { ...message, signatures: { a: { 'ed25519:1': 5 } } }, 'format.signatures'],
    ['a list as unsigned data', { ...message, unsigned: [] }, 'format.unsigned'],
    ['G-01: a float in the content', { ...message, content: { a: 0.5 } }, 'canonical-json'],
    ['G-01: a large integer anywhere', { ...message, x: [2 ** 53] }, 'canonical-json'],
    ['half a surrogate pair', { ...message, content: { a: '\ud800' } }, 'canonical-json'],
  ] as [string, Json, string][])('version 12 refuses %s', (_says, event, rule) => {
    expect(ruleOf('12', event)).toBe(rule)
  })

  test.each([
    ['an event without its id', without(old, 'event_id'), 'format.event_id'],
    ['an id without a server', { ...old, event_id: '$1' }, 'format.event_id'],
    ['plain ids as references', { ...old, prev_events: ['$p'] }, 'format.prev_events'],
    ['a pair without an object', { ...old, auth_events: [['$a:a.example', 'x']] }, 'format.auth_events'],
    ['a pair of three', { ...old, auth_events: [['$a:a.example', {}, {}]] }, 'format.auth_events'],
    ['a redaction of a number', { ...old, type: 'm.room.redaction', redacts: 5 }, 'format.redacts'],
    ['G-09: a depth beyond 2^63', { ...old, depth: 2 ** 64 }, 'format.depth'],
  ] as [string, Json, string][])('version 1 refuses %s', (_says, event, rule) => {
    expect(ruleOf('1', event)).toBe(rule)
  })

  test.each([
    ['5', 'ok'],
    ['6', 'canonical-json'],
  ])('G-01: a float in the content is judged by version %s as %s', (version, rule) => {
    expect(ruleOf(version, { ...message, content: { a: 0.5 } })).toBe(rule)
    const text = JSON.stringify(message).replace('"hi"', '1.0')
    expect(ruleOf(version, parseStrictText(text))).toBe(rule)
  })

  test.each([
    ['5', 2 ** 53, 'ok'],
    ['6', 2 ** 53, 'format.depth'],
    ['6', 2 ** 53 - 1, 'ok'],
    ['12', 0, 'ok'],
  ])('G-09: version %s judges the depth %d as %s', (version, depth, rule) => {
    expect(ruleOf(version, { ...message, depth })).toBe(rule)
  })

  const fields: [string, (text: string) => Json][] = [
    ['type', (text) => ({ ...message, type: text })],
    ['state_key', (text) => ({ ...message, state_key: text })],
    ['sender', (text) => ({ ...message, sender: `@${text.slice(11)}:a.example` })],
    ['room_id', (text) => ({ ...message, room_id: `!${text.slice(1)}` })],
    ['event_id', (text) => ({ ...message, event_id: `$${text.slice(1)}` })],
  ]
  test.each(fields)('G-08: %s has 255 code points at most, from version 11 255 bytes', (field, eventWith) => {
    const full = 'x'.repeat(MAX_FIELD_BYTES)
    // One letter of two bytes puts the last of 255 code points over the limit of bytes.
    const heavy = `${full.slice(0, -1)}ä`
    expect(ruleOf('12', eventWith(full))).toBe('ok')
    expect(ruleOf('11', eventWith(heavy))).toBe(`size.${field}`)
    expect(ruleOf('10', eventWith(heavy))).toBe(`bytes.${field}`)
    expect(ruleOf('10', eventWith(`${full}x`))).toBe(`size.${field}`)
  })

  test('G-08: in old versions a longer field elsewhere is not hidden by a heavy one', () => {
    const event = { ...message, type: 'ä'.repeat(255), state_key: 'x'.repeat(256) }
    expect(ruleOf('10', event)).toBe('size.state_key')
    expect(ruleOf('10', { ...message, type: '😀'.repeat(255) })).toBe('bytes.type')
  })

  test('the limits are those of the spec', () => {
    const limits = [MAX_EVENT_BYTES, MAX_FIELD_BYTES, MAX_PREV_EVENTS, MAX_AUTH_EVENTS]
    expect(limits).toEqual([65_536, 255, 20, 10])
  })

  test('every event that its version makes passes', () => {
    fc.assert(
      fc.property(
        arbitraryRules.chain((rules) => fc.tuple(fc.constant(rules), arbitraryDraft(rules))),
        ([rules, draft]) => {
          const event = { ...draft, hashes: { sha256: contentHash(draft) }, signatures: {} }
          expect(checkEventFormat(rules, event)).toEqual({ ok: true })
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('checkEventSize', () => {
  test('G-08: an event may have 65,536 bytes', () => {
    expect(checkEventSize('x'.repeat(65_536))).toEqual({ ok: true })
    expect(checkEventSize('x'.repeat(65_537))).toMatchObject({ rule: 'size.event' })
  })

  test('G-08: bytes count, not characters', () => {
    expect(checkEventSize('日'.repeat(21_845))).toEqual({ ok: true })
    expect(checkEventSize('日'.repeat(21_846))).toMatchObject({ rule: 'size.event' })
  })
})
