import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonicalJson } from '#core/canonical-json.ts'
import { checkContentHash, contentHash } from '#core/content-hash.ts'
import { eventIdOf } from '#core/event-id.ts'
import type { Json, JsonObject, Pdu } from '#schema/pdu.ts'
import { sealEvent, type Draft } from '#core/seal-event.ts'
import { checkSignedBy, eventSigningText, signEvent, signingKeyFromSeed } from '#core/signing.ts'
import { decodeBase64 } from '#core/base64.ts'
import type { ServerName } from '#schema/identifiers.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }
import { arbitraryDraft, arbitraryRules, rulesOf } from './arbitrary-event.ts'

const aExample = 'a.example' as ServerName
const key = signingKeyFromSeed('ed25519:a_x', new Uint8Array(32).fill(7))

const message: Draft = {
  type: 'm.room.message',
  room_id: '!den:a.example',
  sender: '@alice:a.example',
  content: { msgtype: 'm.text', body: 'hi' },
  origin_server_ts: 1_000_000,
  depth: 7,
  prev_events: ['$p'],
  auth_events: ['$a'],
}

const seal = (version: string, draft: Draft) => sealEvent(rulesOf(version), draft, aExample, key)

function refusal(version: string, draft: Draft): unknown {
  try {
    return seal(version, draft).json.length
  } catch (error) {
    return error
  }
}

type Refusal = [says: string, version: string, change: Partial<Draft>, status: number, errcode: string]

describe('sealEvent', () => {
  test('the create event of version 12 comes out as derived, and names its room', () => {
    const { hashes: _hashes, signatures: _signatures, ...draft } = vectors.createEventV12.event
    const specKey = signingKeyFromSeed('ed25519:1', decodeBase64(vectors.signingKey.seed) ?? new Uint8Array())
    const domain = 'domain' as ServerName
    const { event, json } = sealEvent(rulesOf('12'), draft as unknown as Draft, domain, specKey)
    expect<unknown>(event).toEqual({
      eventId: vectors.createEventV12.event_id,
      roomId: vectors.createEventV12.room_id,
      pdu: vectors.createEventV12.event,
    })
    expect(json).toBe(canonicalJson(vectors.createEventV12.event))
  })

  test('it does at once what hash, signature and id do one by one', () => {
    fc.assert(
      fc.property(
        arbitraryRules.chain((rules) => fc.tuple(fc.constant(rules), arbitraryDraft(rules))),
        ([rules, draft]) => {
          const { event, json } = sealEvent(rules, draft, aExample, key)
          const hashed: Pdu = { ...draft, hashes: { sha256: contentHash(draft) } }
          const signed = signEvent(rules, hashed, aExample, key)
          expect(event.pdu).toEqual(signed)
          expect(json).toBe(canonicalJson(signed as Json))
          expect(event.eventId).toBe(eventIdOf(rules, signed))
          expect(event.roomId).toBe(draft.room_id ?? `!${event.eventId.slice(1)}`)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('the seal of an event holds', () => {
    const { event } = seal('12', message)
    const text = eventSigningText(rulesOf('12'), event.pdu)
    expect(checkContentHash(event.pdu)).toBe(true)
    expect(checkSignedBy(text, event.pdu.signatures, aExample, () => key.publicKey)).toEqual({ ok: true })
  })

  test('unsigned data and, from version 3, an event id are left behind', () => {
    const local = { ...message, unsigned: { age: 5 }, event_id: '$mine:a.example' as const }
    expect(seal('12', local)).toEqual(seal('12', message))
  })

  test('in version 1 the event keeps the id that it was given', () => {
    const old: Draft = { ...message, prev_events: [], auth_events: [], event_id: '$1:a.example' }
    const { event, json } = seal('1', old)
    expect(event.eventId).toBe('$1:a.example')
    expect(JSON.parse(json).event_id).toBe('$1:a.example')
    expect(JSON.parse(json)).toEqual(event.pdu)
  })

  test('a draft made of a sealed event is sealed anew', () => {
    expect(seal('12', { ...seal('12', message).event.pdu })).toEqual(seal('12', message))
  })

  const content = (body: string): JsonObject => ({ body })
  const spare = 65_536 - seal('12', { ...message, content: content('') }).json.length

  test('G-08: an event may have 65,536 bytes with its signature, and not one more', () => {
    expect(refusal('12', { ...message, content: content('x'.repeat(spare)) })).toBe(65_536)
    expect(refusal('12', { ...message, content: content('x'.repeat(spare + 1)) })).toMatchObject({
      status: 413,
      errcode: 'M_TOO_LARGE',
    })
  })

  test.each([
    ['G-08: bytes count, not characters', '12', { content: content('日'.repeat(21_800)) }, 413, 'M_TOO_LARGE'],
    ['G-08: a long state key is too large', '12', { state_key: 'x'.repeat(256) }, 413, 'M_TOO_LARGE'],
    ['G-08: old rooms get no heavy type from us', '9', { type: 'ä'.repeat(128) }, 413, 'M_TOO_LARGE'],
    ['G-01: a float is not canonical', '12', { content: { a: 0.5 } }, 400, 'M_BAD_JSON'],
    ['G-01: nor is it in version 6', '6', { content: { a: 0.5 } }, 400, 'M_BAD_JSON'],
    ['half a surrogate pair is not canonical', '5', { content: content('\ud800') }, 400, 'M_BAD_JSON'],
    ['G-09: a depth below zero is no depth', '12', { depth: -1 }, 400, 'M_BAD_JSON'],
    ['a create event names no room', '12', { type: 'm.room.create', state_key: '' }, 400, 'M_BAD_JSON'],
    ['version 1 wants an id', '1', { prev_events: [], auth_events: [] }, 400, 'M_BAD_JSON'],
  ] as Refusal[])('%s', (_says, version, change, status, errcode) => {
    expect(refusal(version, { ...message, ...change })).toMatchObject({ status, errcode })
  })

  test('an event without a room is refused', () => {
    const { room_id: _, ...homeless } = message
    expect(refusal('12', homeless)).toMatchObject({ status: 400, errcode: 'M_BAD_JSON' })
  })

  test('G-01: version 5 takes a float', () => {
    expect(JSON.parse(seal('5', { ...message, content: { a: 0.5 } }).json).content).toEqual({ a: 0.5 })
  })
})
