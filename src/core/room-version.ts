export type RoomVersion = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '10' | '11' | '12'

/** A key that redaction keeps; as a pair, the one key `child` inside the object at `parent`. */
export type KeptKey = string | Readonly<{ parent: string; child: string }>

/** What redaction keeps. Lists are in code-point order, so that what is made by them is too. */
export type RedactionRules = Readonly<{
  topLevel: readonly string[]
  /** By event type; a type that is not here keeps no content. */
  content: ReadonlyMap<string, 'all' | readonly KeptKey[]>
}>

/** What differs between room versions. Algorithms read these flags and never compare version strings. */
export type RoomVersionRules = Readonly<{
  version: RoomVersion
  stateRes: 'v1' | 'v2' | 'v2.1'
  /** `domain`: chosen by the sender; otherwise the reference hash in one alphabet or the other. */
  eventIdFormat: 'domain' | 'base64' | 'url-safe-base64'
  roomIdFormat: 'domain' | 'create-event-hash'
  /** The form of `auth_events` and `prev_events`. */
  references: 'pairs' | 'ids'
  /** A signature counts only if its key was valid at `origin_server_ts`. */
  keyValidity: boolean
  strictCanonicalJson: boolean
  /** The largest `depth`. */
  maxDepth: number
  powerLevelValues: 'any-number' | 'integer-or-string' | 'integer'
  /** `m.room.aliases` has an auth rule of its own. */
  aliasesAuth: boolean
  /** The power-levels rule guards `notifications` too. */
  notificationsGuarded: boolean
  knock: boolean
  restrictedJoin: boolean
  knockRestricted: boolean
  /** Who may redact: decided when the redaction is authorised, or when both events are here. */
  redactionAuthority: 'auth-rule' | 'on-receipt'
  redaction: RedactionRules
  /** A redaction names its target in `content.redacts` instead of at the top level. */
  redactsInContent: boolean
  creator: 'content' | 'sender'
  /** Creators stand above every power level, and `additional_creators` names more of them. */
  privilegedCreators: boolean
  /** The server in the event id must sign too. */
  eventIdSigned: boolean
  /** Fields over 255 bytes but not over 255 code points are refused outright, not kept as rejected. */
  strictByteLimits: boolean
}>

/** spec: rooms/v1#redactions */
const REDACTION_V1: RedactionRules = {
  topLevel: [
    'auth_events',
    'content',
    'depth',
    'event_id',
    'hashes',
    'membership',
    'origin',
    'origin_server_ts',
    'prev_events',
    'prev_state',
    'room_id',
    'sender',
    'signatures',
    'state_key',
    'type',
  ],
  content: new Map([
    ['m.room.aliases', ['aliases']],
    ['m.room.create', ['creator']],
    ['m.room.history_visibility', ['history_visibility']],
    ['m.room.join_rules', ['join_rule']],
    ['m.room.member', ['membership']],
    [
      'm.room.power_levels',
      ['ban', 'events', 'events_default', 'kick', 'redact', 'state_default', 'users', 'users_default'],
    ],
  ]),
}

const keepInstead = (
  rules: RedactionRules,
  ...types: readonly (readonly [type: string, kept: 'all' | readonly KeptKey[]])[]
): RedactionRules => ({ ...rules, content: new Map([...rules.content, ...types]) })

/** spec: rooms/v6#redactions */
const REDACTION_V6 = keepInstead(REDACTION_V1, ['m.room.aliases', []])
/** spec: rooms/v8#redactions */
const REDACTION_V8 = keepInstead(REDACTION_V6, ['m.room.join_rules', ['allow', 'join_rule']])
/** spec: rooms/v9#redactions */
const REDACTION_V9 = keepInstead(REDACTION_V8, [
  'm.room.member',
  ['join_authorised_via_users_server', 'membership'],
])
/** spec: rooms/v11#redactions */
const REDACTION_V11: RedactionRules = {
  topLevel: REDACTION_V9.topLevel.filter((key) => !['membership', 'origin', 'prev_state'].includes(key)),
  content: keepInstead(
    REDACTION_V9,
    ['m.room.create', 'all'],
    [
      'm.room.member',
      ['join_authorised_via_users_server', 'membership', { parent: 'third_party_invite', child: 'signed' }],
    ],
    [
      'm.room.power_levels',
      [
        'ban',
        'events',
        'events_default',
        'invite',
        'kick',
        'redact',
        'state_default',
        'users',
        'users_default',
      ],
    ],
    ['m.room.redaction', ['redacts']],
  ).content,
}

/** spec: rooms/v1 */
const V1: RoomVersionRules = {
  version: '1',
  stateRes: 'v1',
  eventIdFormat: 'domain',
  roomIdFormat: 'domain',
  references: 'pairs',
  keyValidity: false,
  strictCanonicalJson: false,
  // 2^63 − 1 in the spec; the nearest double is one more.
  maxDepth: 2 ** 63,
  powerLevelValues: 'any-number',
  aliasesAuth: true,
  notificationsGuarded: false,
  knock: false,
  restrictedJoin: false,
  knockRestricted: false,
  redactionAuthority: 'auth-rule',
  redaction: REDACTION_V1,
  redactsInContent: false,
  creator: 'content',
  privilegedCreators: false,
  eventIdSigned: true,
  strictByteLimits: false,
}
/** spec: rooms/v2 */
const V2: RoomVersionRules = { ...V1, version: '2', stateRes: 'v2' }
/** spec: rooms/v3 */
const V3: RoomVersionRules = {
  ...V2,
  version: '3',
  eventIdFormat: 'base64',
  references: 'ids',
  redactionAuthority: 'on-receipt',
  eventIdSigned: false,
}
/** spec: rooms/v4 */
const V4: RoomVersionRules = { ...V3, version: '4', eventIdFormat: 'url-safe-base64' }
/** spec: rooms/v5 */
const V5: RoomVersionRules = { ...V4, version: '5', keyValidity: true }
/** spec: rooms/v6 */
const V6: RoomVersionRules = {
  ...V5,
  version: '6',
  strictCanonicalJson: true,
  maxDepth: Number.MAX_SAFE_INTEGER,
  powerLevelValues: 'integer-or-string',
  aliasesAuth: false,
  notificationsGuarded: true,
  redaction: REDACTION_V6,
}
/** spec: rooms/v7 */
const V7: RoomVersionRules = { ...V6, version: '7', knock: true }
/** spec: rooms/v8 */
const V8: RoomVersionRules = { ...V7, version: '8', restrictedJoin: true, redaction: REDACTION_V8 }
/** spec: rooms/v9 */
const V9: RoomVersionRules = { ...V8, version: '9', redaction: REDACTION_V9 }
/** spec: rooms/v10 */
const V10: RoomVersionRules = { ...V9, version: '10', powerLevelValues: 'integer', knockRestricted: true }
/** spec: rooms/v11 */
const V11: RoomVersionRules = {
  ...V10,
  version: '11',
  redaction: REDACTION_V11,
  redactsInContent: true,
  creator: 'sender',
  strictByteLimits: true,
}
/** spec: rooms/v12 */
const V12: RoomVersionRules = {
  ...V11,
  version: '12',
  stateRes: 'v2.1',
  roomIdFormat: 'create-event-hash',
  privilegedCreators: true,
}

const VERSIONS = [V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12]
const BY_NAME: ReadonlyMap<string, RoomVersionRules> = new Map(
  VERSIONS.map((rules) => [rules.version, rules]),
)

export const KNOWN_ROOM_VERSIONS: readonly RoomVersion[] = VERSIONS.map((rules) => rules.version)
export const DEFAULT_ROOM_VERSION: RoomVersion = '12'

/** The rules of a room version, or undefined when we do not know it, as with every experimental one. */
export const roomVersionRules = (version: string): RoomVersionRules | undefined => BY_NAME.get(version)
