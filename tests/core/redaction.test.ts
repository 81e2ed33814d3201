import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonicalJson } from '#core/canonical-json.ts'
import { eventIdOf, referenceHash } from '#core/event-id.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import { redactContent, redactEvent } from '#core/redaction.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }
import { arbitraryDraft, arbitraryRules, rulesOf } from './arbitrary-event.ts'

const GROUPS = {
  '1-5': ['1', '2', '3', '4', '5'],
  '6-7': ['6', '7'],
  '8': ['8'],
  '9-10': ['9', '10'],
  '11-12': ['11', '12'],
}

const rows = vectors.redaction.cases.flatMap(({ event, redacted }) =>
  Object.entries(GROUPS).flatMap(([group, versions]) =>
    versions.map((version) => [version, event.type, event, redacted[group as '8']] as const),
  ),
)

/** Version 12 takes the room id out of the create event; the vectors show version 11's rule for both. */
const isRoomless = (version: string, type: string) => version === '12' && type === 'm.room.create'

describe('redactEvent', () => {
  test.each(rows.filter(([version, type]) => !isRoomless(version, type)))(
    'G-06: version %s keeps of %s what the spec lists',
    (version, _type, event, redacted) => {
      expect(redactEvent(rulesOf(version), event as unknown as Pdu)).toEqual(redacted as unknown as Pdu)
    },
  )

  test('G-06: version 12 keeps no room id in a create event, and keeps it elsewhere', () => {
    const stray = { room_id: '!r:domain', type: 'm.room.create', sender: '@u:domain', content: { a: 1 } }
    expect(redactEvent(rulesOf('12'), stray as unknown as Pdu) as unknown).toEqual({
      type: 'm.room.create',
      sender: '@u:domain',
      content: { a: 1 },
    })
    expect(redactEvent(rulesOf('11'), stray as unknown as Pdu).room_id).toBe('!r:domain')
  })

  const defaults = ['events_default', 'kick', 'redact', 'state_default', 'users', 'users_default']
  const levels = ['ban', 'events', ...defaults]
  test.each([
    ['10', levels],
    ['11', [...levels, 'invite'].toSorted()],
  ])('G-07: version %s keeps the power levels that authorise', (version, kept) => {
    const given = Object.fromEntries([...levels, 'invite', 'notifications'].map((key) => [key, 50]))
    expect(Object.keys(redactContent(rulesOf(version), 'm.room.power_levels', given))).toEqual(kept)
  })

  test.each([
    ['the signed part alone is kept', { signed: { a: 't' }, display_name: 'b' }, { signed: { a: 't' } }],
    ['an invite without one stays as an empty object', { display_name: 'b' }, {}],
    ['what is no object goes', 'b', undefined],
    ['a list goes', ['b'], undefined],
    ['null goes', null, undefined],
  ])('G-06: of a third-party invite %s', (_says, invite, left) => {
    const content = { membership: 'invite', third_party_invite: invite } as JsonObject
    const expected = { membership: 'invite', ...(left === undefined ? {} : { third_party_invite: left }) }
    expect(redactContent(rulesOf('11'), 'm.room.member', content)).toEqual(expected as JsonObject)
    expect(redactContent(rulesOf('10'), 'm.room.member', content)).toEqual({ membership: 'invite' })
  })

  test('a value of null is kept like any other', () => {
    expect(redactContent(rulesOf('12'), 'm.room.member', { membership: null })).toEqual({ membership: null })
  })

  test('what an object inherits is not kept', () => {
    expect(redactContent(rulesOf('12'), 'constructor', { constructor: 1 })).toEqual({})
    expect(canonicalJson(redactContent(rulesOf('12'), 'm.room.create', JSON.parse('{"__proto__":1}')))).toBe(
      '{"__proto__":1}',
    )
  })

  test('redacting twice is redacting once, and neither changes the reference hash or the given event', () => {
    fc.assert(
      fc.property(versionedEvent, ([rules, pdu]) => {
        const before = JSON.stringify(pdu)
        const redacted = redactEvent(rules, pdu)
        expect(redactEvent(rules, redacted)).toEqual(redacted)
        expect(referenceHash(rules, redacted)).toEqual(referenceHash(rules, pdu))
        expect(eventIdOf(rules, redacted)).toBe(eventIdOf(rules, pdu))
        expect(JSON.stringify(pdu)).toBe(before)
      }),
      { numRuns: 500 },
    )
  })
})

const versionedEvent = arbitraryRules.chain((rules) =>
  arbitraryDraft(rules).map(
    (draft) => [rules, { ...draft, hashes: { sha256: 'x' }, unsigned: { age: 1 } }] as const,
  ),
)
