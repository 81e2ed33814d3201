import { describe, expect, test } from 'bun:test'
import { canonicalJson } from '#core/canonical-json.ts'
import { checkContentHash, contentHash, isContentHashed } from '#core/content-hash.ts'
import { sha256Base64 } from '#core/digest.ts'
import { eventIdOf } from '#core/event-id.ts'
import type { Pdu } from '#schema/pdu.ts'
import { redactEvent } from '#core/redaction.ts'
import { eventSigningText } from '#core/signing.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }
import { rulesOf } from './arbitrary-event.ts'

const printed = vectors.events.map(({ input, signed, derived }) => ({
  input: input as unknown as Pdu,
  signed: signed as unknown as Pdu,
  hashed: derived.content_hash_input_utf8,
}))
const [first] = printed
if (!first) throw new RangeError('The spec prints events')

describe('contentHash', () => {
  test.each(printed)('the hash that the spec prints is made of $hashed', ({ input, signed, hashed }) => {
    expect(contentHash(input)).toBe(signed.hashes?.sha256 ?? 'none')
    expect(sha256Base64(hashed)).toBe(contentHash(input))
    expect(checkContentHash(signed)).toBe(true)
  })

  test('the create event of version 12 hashes to its own hash', () => {
    const event = vectors.createEventV12.event as unknown as Pdu
    expect(contentHash(event)).toBe(vectors.createEventV12.event.hashes.sha256)
    expect(sha256Base64(vectors.createEventV12.content_hash_input_utf8)).toBe(contentHash(event))
  })

  test('G-04: it covers the whole event but hashes, signatures and unsigned data', () => {
    const { signed } = first
    const resealed = { ...signed, hashes: { sha256: 'x' }, signatures: {}, unsigned: { age: 1 } }
    expect(contentHash(resealed)).toBe(contentHash(signed))
    for (const other of [{ content: { a: 1 } }, { origin: 'b.example' }, { age_ts: 1 }, { outlier: true }]) {
      expect(contentHash({ ...signed, ...other })).not.toBe(contentHash(signed))
    }
    expect(['hashes', 'signatures', 'unsigned', 'content', 'age_ts'].map(isContentHashed)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ])
  })

  test('a top-level key named __proto__ is covered too', () => {
    const odd = JSON.parse('{"__proto__":{"a":1},"content":{}}')
    expect(contentHash(odd)).toBe(sha256Base64(canonicalJson(odd)))
  })
})

describe('checkContentHash', () => {
  const { signed } = first
  const sha256 = signed.hashes?.sha256 ?? ''

  test.each([
    ['the hash fits', sha256, true],
    ['padding makes no difference', `${sha256}=`, true],
    ['a shorter hash does not fit', sha256.slice(0, -4), false],
    ['what is no base64 does not fit', '*'.repeat(43), false],
    ['the empty text does not fit', '', false],
    ['a number does not fit', 5 as never, false],
  ])('%s', (_says, hash, fits) => {
    expect(checkContentHash({ ...signed, hashes: { sha256: hash } })).toBe(fits)
  })

  test('an event without hashes does not fit', () => {
    const { hashes: _, ...unhashed } = signed
    expect(checkContentHash(unhashed)).toBe(false)
    expect(checkContentHash({ ...signed, hashes: {} })).toBe(false)
  })

  test('G-05: altered content fails the hash while id and signed text stand, so it is redacted', () => {
    const rules = rulesOf('10')
    const altered = { ...signed, content: { body: 'forged' } }
    expect(checkContentHash(altered)).toBe(false)
    expect(eventIdOf(rules, altered)).toBe(eventIdOf(rules, signed))
    expect(eventSigningText(rules, altered)).toBe(eventSigningText(rules, signed))
    expect(redactEvent(rules, altered)).toEqual(redactEvent(rules, signed))
  })
})
