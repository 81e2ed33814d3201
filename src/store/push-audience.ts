import { type Audience, emptyAudience, seat, unseat } from '#core/push-rules/audience.ts'
import type { PushContext } from '#core/push-rules/conditions.ts'
import { type CompiledRuleset, compileRuleset, type RoomRuleset, rulesetForRoom } from '#core/push-rules/evaluate.ts'
import type { Ruleset } from '#core/push-rules/defaults.ts'
import { NO_PUSH_RULE_CHOICES, rulesetFor } from '#core/push-rules/ruleset.ts'
import { isJsonObject } from '#core/event-content.ts'
import type { Json } from '#schema/pdu.ts'
import { type PowerLevels, powerLevelsOf } from '#core/power-levels.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { PushRule, PushRuleChoices } from '#schema/push-rules.ts'
import { PUSH_FEATURES } from './push-rules.ts'
import { findRoomVersion, findStateEvent } from './room-state.ts'
import type { Store } from './store.ts'

/** Members that are kept at hand in all rooms together; the rooms that were quiet longest go first. */
export const CACHED_SEATS = 50_000
/** Users with rules of their own, compiled. */
const CACHED_USERS = 5_000

/** The rules of one user, prepared for whichever room. */
type UserRules = Readonly<{
  whole: CompiledRuleset
  /** Without the rules that name one room: enough everywhere but in the rooms of `named`. */
  elsewhere: CompiledRuleset
  /** Ids in lower case, as patterns compare them. */
  named: ReadonlySet<string>
  ignored: readonly UserId[]
  isNamed: boolean
}>

/** Who reads in one room, by class, and what else the rules ask about the room. Dropped when in doubt. */
export type RoomAudience = {
  readonly audience: Audience
  /** Who ignores whom: readers by the sender that they ignore. */
  readonly ignoring: Map<UserId, Set<UserId>>
  /** The counter of the main timeline, by class. */
  readonly counters: Map<number, number>
  /** Readers for whom there may be rows in `unread_personal`. */
  readonly touched: Set<UserId>
  joined: number | undefined
  power: Readonly<{ levels: PowerLevels | undefined; notifications: Readonly<Record<string, Json>> }> | undefined
}

/**
 * What the writing connection remembers of those who read: everything here is in the tables too, so a transaction that
 * is rolled back, or any doubt, just makes it forget.
 */
export type Audiences = { readonly rooms: Map<number, RoomAudience>; readonly users: Map<UserId, UserRules>; seats: number }

export const noAudiences = (): Audiences => ({ rooms: new Map(), users: new Map(), seats: 0 })

export function forgetAudiences(audiences: Audiences): void {
  audiences.rooms.clear()
  audiences.users.clear()
  audiences.seats = 0
}

export const emptyRoomAudience = (): RoomAudience => ({
  audience: emptyAudience(),
  ignoring: new Map(),
  counters: new Map(),
  touched: new Set(),
  joined: undefined,
  power: undefined,
})

/** Keeps a room at hand, and lets others go if it has become too much. */
export function keepAudience(store: Store, room: number, here: RoomAudience): void {
  const { audiences } = store
  audiences.rooms.set(room, here)
  for (const oldest of audiences.rooms.keys()) {
    if (audiences.seats <= CACHED_SEATS || oldest === room) return
    dropAudience(store, oldest)
  }
}

export function dropAudience({ audiences }: Store, room: number): void {
  audiences.seats -= audiences.rooms.get(room)?.audience.members.size ?? 0
  audiences.rooms.delete(room)
}

/** The room if it is at hand; it then counts as the one used last. */
export function knownAudience({ audiences }: Store, room: number): RoomAudience | undefined {
  const here = audiences.rooms.get(room)
  if (!here) return undefined
  audiences.rooms.delete(room)
  audiences.rooms.set(room, here)
  return here
}

/**
 * Adds a reader or replaces one whose rules or name have changed, and answers the key of their class. `isUsual` is said
 * of those who are known to have changed nothing.
 */
export function seatReader(store: Store, here: RoomAudience, roomId: RoomId, userId: UserId, isUsual = false): string {
  const rules = isUsual ? undefined : rulesOf(store, userId)
  const ruleset = rulesetHere(rules, roomId, userId)
  unseatReader(store, here, userId)
  seat(here.audience, ruleset, rules?.isNamed ? displayNameIn(store, roomId, userId) : undefined)
  store.audiences.seats += 1
  for (const sender of rules?.ignored ?? []) {
    const readers = here.ignoring.get(sender)
    if (readers) readers.add(userId)
    else here.ignoring.set(sender, new Set([userId]))
  }
  return ruleset.classKey
}

export function unseatReader({ audiences }: Store, here: RoomAudience, userId: UserId): void {
  if (!here.audience.members.has(userId)) return
  unseat(here.audience, userId)
  audiences.seats -= 1
  for (const [sender, readers] of here.ignoring) if (readers.delete(userId) && readers.size === 0) here.ignoring.delete(sender)
}

/** The key of a user's class in a room. */
export const classKeyOf = (store: Store, roomId: RoomId, userId: UserId): string =>
  rulesetHere(rulesOf(store, userId), roomId, userId).classKey

/**
 * The rules of one user in a room as the tables have them now, for a connection that only reads; and whether what
 * `sender` says is nothing to them.
 */
export function readerRules(store: Store, roomId: RoomId, userId: UserId, sender: UserId) {
  const rules = readRules(store, userId)
  const displayName = rules?.isNamed ? displayNameIn(store, roomId, userId) : undefined
  return {
    ruleset: rulesetHere(rules, roomId, userId),
    reader: displayName === undefined ? {} : { displayName },
    isIgnoring: rules?.ignored.includes(sender) ?? false,
  }
}

// Compiled default rules speak of "me" and not of an id, so those of one user serve for all.
const ANYONE: UserId = '@anyone:anywhere'
const USUAL = rulesetForRoom(compileRuleset(rulesetFor(NO_PUSH_RULE_CHOICES, ANYONE, PUSH_FEATURES), ANYONE), '!anywhere')

function rulesetHere(rules: UserRules | undefined, roomId: RoomId, userId: UserId): RoomRuleset {
  if (!rules) return { ...USUAL, userId }
  return rulesetForRoom(rules.named.has(roomId.toLowerCase()) ? rules.whole : rules.elsewhere, roomId)
}

/** Undefined for those who have changed nothing. */
function rulesOf(store: Store, userId: UserId): UserRules | undefined {
  const { audiences } = store
  const known = audiences.users.get(userId)
  if (known) return known
  const rules = readRules(store, userId)
  if (!rules) return undefined
  if (audiences.users.size >= CACHED_USERS) audiences.users.clear()
  audiences.users.set(userId, rules)
  return rules
}

const CHOICES = `
  SELECT (SELECT choices FROM push_rules WHERE user = ?1) AS choices,
         (SELECT content FROM account_data WHERE user = ?1 AND room = 0 AND type = 'm.ignored_user_list') AS ignored`

function readRules({ db, names }: Store, userId: UserId): UserRules | undefined {
  const { choices, ignored } = db
    .query<{ choices: string | null; ignored: string | null }, [number]>(CHOICES)
    .get(names.find(userId) ?? -1) ?? { choices: null, ignored: null }
  if (choices === null && ignored === null) return undefined
  const chosen = choices === null ? NO_PUSH_RULE_CHOICES : (JSON.parse(choices) as PushRuleChoices)
  const ruleset = rulesetFor(chosen, userId, PUSH_FEATURES)
  const whole = compileRuleset(ruleset, userId)
  const { room, ...others } = ruleset
  const inConditions = Object.values(others).flatMap((rules) => rules.flatMap((rule) => roomNamedBy(rule) ?? []))
  const ids = [...room.map(({ rule_id }) => rule_id), ...inConditions]
  const named = new Set(ids.map((id) => id.toLowerCase()))
  return {
    whole,
    elsewhere: named.size === 0 ? whole : compileRuleset(withoutNamedRooms(ruleset), userId),
    named,
    ignored: ignoredIn(ignored).filter((sender) => sender !== userId),
    isNamed: whole.rules.some(({ conditions }) => conditions.some(({ identity }) => identity === 'displayName')),
  }
}

/** The id of the one room that the conditions of a rule let through. */
function roomNamedBy({ conditions = [] }: PushRule): string | undefined {
  for (const { kind, key, pattern, value } of conditions) {
    if (key !== 'room_id') continue
    if (kind === 'event_match' && typeof pattern === 'string' && !/[*?]/.test(pattern)) return pattern
    if (kind === 'event_property_is' && typeof value === 'string') return value
  }
  return undefined
}

function withoutNamedRooms(ruleset: Ruleset): Ruleset {
  const general = (rules: readonly PushRule[]): PushRule[] => rules.filter((rule) => roomNamedBy(rule) === undefined)
  return { ...ruleset, override: general(ruleset.override), room: [], underride: general(ruleset.underride) }
}

/** spec: client-server-api#ignoring-users */
function ignoredIn(json: string | null): UserId[] {
  const content: unknown = json === null ? null : JSON.parse(json)
  const users = isJsonObject(content as Json) ? (content as { ignored_users?: Json }).ignored_users : undefined
  return isJsonObject(users) ? (Object.keys(users) as UserId[]) : []
}

const DISPLAY_NAME = `
  SELECT e.json ->> '$.content.displayname' AS name FROM memberships m JOIN events e ON e.num = m.event
   WHERE m.user = ? AND m.room = ?`

function displayNameIn({ db, names }: Store, roomId: RoomId, userId: UserId): string | undefined {
  const row = db
    .query<{ name: string | number | null }, [number, number]>(DISPLAY_NAME)
    .get(names.find(userId) ?? -1, names.find(roomId) ?? -1)
  return typeof row?.name === 'string' ? row.name : undefined
}

export type Speaker = Readonly<{ roomId: RoomId; sender: UserId; isInThread: boolean }>

/** The room as it is before the event; looked up when a rule asks for it, and then remembered in `here`. */
export const pushContext = (store: Store, here: RoomAudience, { roomId, sender, isInThread }: Speaker): PushContext => ({
  roomId,
  isInThread,
  get memberCount() {
    return (here.joined ??= countJoined(store, roomId))
  },
  get senderPowerLevel() {
    return powerIn(store, here, roomId).levels?.user(sender) ?? 0
  },
  get notificationLevels() {
    return powerIn(store, here, roomId).notifications
  },
})

const countJoined = ({ db, names }: Store, roomId: RoomId): number =>
  db.query<{ joined: number }, [number]>('SELECT joined FROM rooms WHERE room = ?').get(names.find(roomId) ?? -1)?.joined ?? 0

function powerIn(store: Store, here: RoomAudience, roomId: RoomId): NonNullable<RoomAudience['power']> {
  if (here.power) return here.power
  const rules = findRoomVersion(store, roomId)
  const event = findStateEvent(store, roomId, 'm.room.power_levels', '')
  const notifications = event?.pdu.content.notifications
  here.power = {
    levels: rules && powerLevelsOf(rules, findStateEvent(store, roomId, 'm.room.create', ''), event),
    notifications: isJsonObject(notifications) ? notifications : {},
  }
  return here.power
}
