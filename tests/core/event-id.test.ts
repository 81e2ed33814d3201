import { describe, expect, test } from 'bun:test'
import { encodeBase64Url } from '#core/base64.ts'
import { sha256 } from '#core/digest.ts'
import { eventIdOf, eventIdOfHash, referenceHash, roomIdOf, roomIdOfCreate } from '#core/event-id.ts'
import type { Pdu } from '#schema/pdu.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }
import { rulesOf } from './arbitrary-event.ts'

const printed = vectors.events[0]?.signed as unknown as Pdu
const ids = vectors.events[0]?.derived
const alphabets = vectors.eventIdAlphabets
const create = vectors.createEventV12

describe('eventIdOf', () => {
  test.each([
    ['3', ids?.event_id_v3],
    ['4', ids?.event_id_v4_to_v10],
    ['10', ids?.event_id_v4_to_v10],
    ['11', ids?.event_id_v11],
  ])('version %s names the printed event %s', (version, id) => {
    expect(eventIdOf(rulesOf(version), printed) as string).toBe(id ?? 'none')
  })

  test.each([
    ['3', alphabets.event_id_v3],
    ['4', alphabets.event_id_v4_and_later],
    ['12', alphabets.event_id_v4_and_later],
  ])('G-03: version %s writes the hash in its own alphabet', (version, id) => {
    expect(eventIdOf(rulesOf(version), alphabets.event as unknown as Pdu) as string).toBe(id)
  })

  test.each(['1', '2'])('G-03: in version %s the sender chooses the id', (version) => {
    expect(eventIdOf(rulesOf(version), { ...printed, event_id: '$x:a.example' })).toBe('$x:a.example')
    const refusal = expect.objectContaining({ errcode: 'M_BAD_JSON' })
    expect(() => eventIdOf(rulesOf(version), printed)).toThrow(refusal)
  })

  test('an id is made of a hash alone', () => {
    const hash = new Uint8Array(32).fill(0xff)
    expect(eventIdOfHash(rulesOf('3'), hash)).toBe(`$${'/'.repeat(42)}8`)
    expect(eventIdOfHash(rulesOf('4'), hash)).toBe(`$${'_'.repeat(42)}8`)
  })
})

describe('referenceHash', () => {
  test('it is the hash that the derived vectors hold', () => {
    const hash = encodeBase64Url(referenceHash(rulesOf('9'), printed))
    expect(hash).toBe(ids?.reference_hash_v4_to_v10_base64url ?? '')
    expect(referenceHash(rulesOf('12'), create.event as unknown as Pdu)).toEqual(
      sha256(create.reference_hash_input_utf8),
    )
  })

  test('G-04: it covers the redacted event without signatures, unsigned data and age_ts', () => {
    const rules = rulesOf('10')
    const same = { ...printed, signatures: {}, unsigned: { age: 1 }, age_ts: 1, content: { body: 'x' } }
    expect(referenceHash(rules, same)).toEqual(referenceHash(rules, printed))
    const other = { ...printed, hashes: { sha256: 'x' } }
    expect(referenceHash(rules, other)).not.toEqual(referenceHash(rules, printed))
  })
})

describe('the room of an event', () => {
  test('a create event of version 12 makes its own', () => {
    const event = create.event as unknown as Pdu
    const id = eventIdOf(rulesOf('12'), event)
    expect<string>(id).toBe(create.event_id)
    expect<string>(roomIdOfCreate(id)).toBe(create.room_id)
    expect<string>(roomIdOf(rulesOf('12'), event, id)).toBe(create.room_id)
  })

  test('every other event names it', () => {
    expect(roomIdOf(rulesOf('12'), printed, '$x')).toBe('!x:domain')
    expect(roomIdOf(rulesOf('11'), { ...printed, type: 'm.room.create' }, '$x')).toBe('!x:domain')
    const { room_id: _, ...homeless } = printed
    expect(() => roomIdOf(rulesOf('12'), homeless, '$x')).toThrow(
      expect.objectContaining({ errcode: 'M_BAD_JSON' }),
    )
  })
})
