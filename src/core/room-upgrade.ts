/**
 * What a room takes along when it is replaced by one of another version. spec: client-server-api#room-upgrades
 */
import type { RoomAlias, RoomId, EventId, UserId } from '#schema/identifiers.ts'
import { aliasesIn } from './canonical-alias.ts'
import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { DEFAULTS, parseLevel } from './power-levels.ts'
import { defaultPowerLevels, type StateDraft } from './room-presets.ts'
import type { RoomVersionRules } from './room-version.ts'

/** State that is carried over as it is, in this order; power levels come last and by a rule of their own. */
export const CARRIED_TYPES = [
  'm.room.server_acl',
  'm.room.encryption',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.guest_access',
  'm.room.history_visibility',
  'm.room.join_rules',
] as const

export type Upgrade = Readonly<{
  rules: RoomVersionRules
  creator: UserId
  /** Beside the creator; only where the version knows of them. */
  additionalCreators: readonly UserId[]
}>

/** The create event of the new room. `tombstone` is left out where the new room's id depends on this very content. */
export function upgradedCreate(
  { rules, creator, additionalCreators }: Upgrade,
  before: JsonObject,
  predecessor: Readonly<{ roomId: RoomId; tombstone?: EventId | undefined }>,
): JsonObject {
  const type = ownValue(before, 'type')
  const { roomId, tombstone } = predecessor
  return {
    ...(typeof type === 'string' ? { type } : {}),
    ...(ownValue(before, 'm.federate') === false ? { 'm.federate': false } : {}),
    room_version: rules.version,
    predecessor: { room_id: roomId, ...(tombstone === undefined ? {} : { event_id: tombstone }) },
    ...(rules.creator === 'content' ? { creator } : {}),
    ...(rules.privilegedCreators && additionalCreators.length > 0 ? { additional_creators: additionalCreators } : {}),
  }
}

export type CarriedState = Readonly<{
  /** Content of the old state by type, with an empty state key. */
  content: (type: string) => JsonObject | undefined
  /** Children of a space by room id. */
  children: readonly (readonly [roomId: string, content: JsonObject])[]
  /** Members who are banned, with the reason if there is one. */
  banned: readonly (readonly [userId: UserId, reason: string | undefined])[]
  /** Who stands above all levels in the old room; nobody before version 12. */
  formerCreators: readonly string[]
  /** Aliases that will name the new room. */
  movedAliases: readonly RoomAlias[]
  /** `displayname` and `avatar_url` of the creator. */
  profile: JsonObject
}>

/**
 * What follows the create event of the new room. The power levels come last: until then the creator stands above all
 * that has to be sent, whatever their level was in the old room, and nothing has to be raised and lowered again.
 */
export function upgradedState(upgrade: Upgrade, carried: CarriedState): StateDraft[] {
  const { content, children, banned, formerCreators, movedAliases, profile } = carried
  const { rules, creator, additionalCreators } = upgrade
  const aliases = keptAliases(content('m.room.canonical_alias'), movedAliases)
  const levels = content('m.room.power_levels')
  return [
    { type: 'm.room.member', stateKey: creator, content: { ...profile, membership: 'join' } },
    ...CARRIED_TYPES.flatMap((type) => {
      const kept = content(type)
      return kept ? [state(type, kept)] : []
    }),
    ...(aliases ? [state('m.room.canonical_alias', aliases)] : []),
    // A child without content was taken out of the space.
    ...children.filter(([, child]) => Object.keys(child).length > 0).map(([roomId, child]) => ({ type: 'm.space.child', stateKey: roomId, content: child })),
    ...banned.map(([userId, reason]) => ({
      type: 'm.room.member',
      stateKey: userId,
      content: { membership: 'ban', ...(reason === undefined ? {} : { reason }) },
    })),
    state('m.room.power_levels', levels
      ? levelsIn(rules, levels, rules.privilegedCreators ? [creator, ...additionalCreators] : formerCreators)
      : defaultPowerLevels(rules, creator, 'private_chat', [])),
  ]
}

/** Creators are not listed where they stand above all levels, and where none do they stand as high as any. */
function levelsIn(rules: RoomVersionRules, before: JsonObject, creators: readonly string[]): JsonObject {
  const levels = upgradedLevels(before, rules.privilegedCreators ? creators : [])
  if (rules.privilegedCreators || creators.length === 0) return levels
  const highest = Math.max(CREATOR_LEVEL, ...numbersIn(levels))
  const users = isJsonObject(levels.users) ? levels.users : {}
  return { ...levels, users: { ...users, ...Object.fromEntries(creators.map((userId) => [userId, highest])) } }
}

/** Before version 12, at least. spec: client-server-api#mroompower_levels */
const CREATOR_LEVEL = 100

const numbersIn = (levels: JsonObject): number[] =>
  [...Object.keys(DEFAULTS).map((key) => levels[key]), ...GROUPS.flatMap((group) => Object.values(levels[group] ?? {}))]
    .filter((level) => typeof level === 'number')

const state = (type: string, content: JsonObject): StateDraft => ({ type, stateKey: '', content })

/** Aliases of other servers still name the old room. */
function keptAliases(before: JsonObject | undefined, moved: readonly RoomAlias[]): JsonObject | undefined {
  if (!before || aliasesIn(before).every((alias) => !moved.includes(alias))) return undefined
  const { alias, alt_aliases: others, ...rest } = before
  const isMoved = (each: Json | undefined): boolean => moved.some((name) => name === each)
  const kept = Array.isArray(others) ? others.filter(isMoved) : []
  return { ...rest, ...(isMoved(alias) && alias !== undefined ? { alias } : {}), ...(kept.length > 0 ? { alt_aliases: kept } : {}) }
}

const GROUPS = ['events', 'notifications', 'users'] as const
/** Old rooms may have levels in any form that parses. */
const LENIENT = { powerLevelValues: 'any-number' } as RoomVersionRules

/** Levels as every version reads them: integers, and none for creators who stand above all of them. */
function upgradedLevels(before: JsonObject, creators: readonly string[]): JsonObject {
  const scalars = Object.keys(DEFAULTS)
  return Object.fromEntries(Object.entries(before).flatMap(([key, value]) => {
    if (scalars.includes(key)) return levelEntry(key, value)
    if (!GROUPS.some((group) => group === key)) return [[key, value]]
    if (!isJsonObject(value)) return []
    const entries = Object.entries(value).filter(([name]) => key !== 'users' || !creators.includes(name))
    return [[key, Object.fromEntries(entries.flatMap(([name, level]) => levelEntry(name, level)))]]
  }))
}

function levelEntry(key: string, value: Json | undefined): [string, Json][] {
  const level = parseLevel(LENIENT, value)
  return level === undefined ? [] : [[key, level]]
}

/** The least that speaking and inviting takes in a room that was replaced. */
const SILENCED_LEVEL = 50

/**
 * The power levels of the old room, which let no ordinary user speak or invite any more; undefined when they do not
 * already, or when there are none. spec: client-server-api#room-upgrades
 */
export function levelsAfterUpgrade(before: JsonObject | undefined): JsonObject | undefined {
  if (!before) return undefined
  const levelOf = (key: keyof typeof DEFAULTS): number => parseLevel(LENIENT, ownValue(before, key)) ?? DEFAULTS[key]
  const needed = Math.max(SILENCED_LEVEL, levelOf('users_default') + 1)
  const raised = (['events_default', 'invite'] as const).filter((key) => levelOf(key) < needed)
  return raised.length === 0 ? undefined : { ...before, ...Object.fromEntries(raised.map((key) => [key, needed])) }
}
