import fc from 'fast-check'
import { encodeBase64Url } from '#core/base64.ts'
import type { Json, JsonObject, Pdu } from '#schema/pdu.ts'
import { KNOWN_ROOM_VERSIONS, roomVersionRules, type RoomVersionRules } from '#core/room-version.ts'

export const rulesOf = (version: string): RoomVersionRules => {
  const rules = roomVersionRules(version)
  if (!rules) throw new RangeError(`There is no room version ${version}`)
  return rules
}

const TYPES = [
  'm.room.create',
  'm.room.member',
  'm.room.join_rules',
  'm.room.power_levels',
  'm.room.aliases',
  'm.room.history_visibility',
  'm.room.redaction',
  'm.room.message',
  'constructor',
]

const CONTENT_KEYS = [
  'aliases',
  'allow',
  'creator',
  'history_visibility',
  'invite',
  'join_authorised_via_users_server',
  'join_rule',
  'membership',
  'redacts',
  'third_party_invite',
  'users',
  'body',
  '__proto__',
  '10',
  '9',
]

const value: fc.Arbitrary<Json> = fc.oneof(
  fc.maxSafeInteger(),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(null, true),
  fc.dictionary(fc.constantFrom('signed', 'display_name', 'z', 'a'), fc.integer(), { maxKeys: 3 }),
  fc.array(fc.string({ maxLength: 4 }), { maxLength: 2 }),
)

const content: fc.Arbitrary<JsonObject> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...CONTENT_KEYS), value), { selector: ([key]) => key, maxLength: 8 })
  .map((entries) => Object.fromEntries(entries))

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeBase64Url)

/** Rules of any room version. */
export const arbitraryRules = fc.constantFrom(...KNOWN_ROOM_VERSIONS).map(rulesOf)

/** Unsealed events as a room version wants them, with keys that it does not know here and there. */
export const arbitraryDraft = (rules: RoomVersionRules): fc.Arbitrary<Omit<Pdu, 'hashes' | 'signatures'>> =>
  fc
    .record({
      type: fc.constantFrom(...TYPES),
      isState: fc.boolean(),
      content,
      depth: fc.nat(),
      originServerTs: fc.maxSafeNat(),
      references: fc.array(hash, { maxLength: 4 }),
      extra: fc.constantFrom<JsonObject>({}, { origin: 'a.example' }, { membership: 'x' }, { 'x.y': 1 }),
    })
    .map(({ type, isState, content, depth, originServerTs, references, extra }) => ({
      ...extra,
      type,
      content,
      depth,
      sender: '@alice:a.example',
      origin_server_ts: originServerTs,
      prev_events: references.map((id) => referenceTo(rules, id)),
      auth_events: references.slice(1).map((id) => referenceTo(rules, id)),
      ...(isState ? { state_key: '' } : {}),
      ...(rules.eventIdFormat === 'domain' ? { event_id: '$1:a.example' as const } : {}),
      ...(type === 'm.room.create' && rules.roomIdFormat !== 'domain' ? {} : DEN),
    }))

const DEN = { room_id: '!den:a.example' } as const

const referenceTo = (rules: RoomVersionRules, id: string) =>
  rules.references === 'ids' ? (`$${id}` as const) : ([`$${id}:b.example`, { sha256: id }] as const)
