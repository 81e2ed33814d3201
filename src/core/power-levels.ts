import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject, RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from './room-version.ts'

/** Who may do what in a room at one moment. Levels are integers; privileged creators have `Infinity`. */
export type PowerLevels = Readonly<{
  user: (userId: string) => number
  /** The level that sending an event of this type requires. */
  event: (type: string, isState: boolean) => number
  /** The level that a notification such as `room` requires. */
  notification: (key: string) => number
  ban: number
  kick: number
  redact: number
  invite: number
  stateDefault: number
  eventsDefault: number
  usersDefault: number
}>

// spec: client-server-api#mroompower_levels
const CREATOR_LEVEL = 100
const NOTIFICATION_LEVEL = 50
/**
 * The levels that hold where a power levels event does not give them.
 * spec: client-server-api#mroompower_levels
 */
export const DEFAULTS = {
  ban: 50,
  kick: 50,
  redact: 50,
  invite: 0,
  state_default: 50,
  events_default: 0,
  users_default: 0,
}

// spec: rooms/v1#mroompower_levels-events-accept-values-as-strings
const INTEGER_TEXT = /^\s*[+-]?\d+\s*$/

/**
 * Reads one power level as the room version writes them; undefined when it is none.
 * spec: rooms/v1#mroompower_levels-events-accept-values-as-floats, rooms/v6#event-format,
 * rooms/v10#authorisation-rules
 */
export const parseLevel = (rules: RoomVersionRules, value: Json | undefined): number | undefined => {
  if (typeof value === 'number') return numberLevel(rules, value)
  if (typeof value !== 'string' || rules.powerLevelValues === 'integer') return undefined
  return INTEGER_TEXT.test(value) ? finite(Number(value)) : undefined
}

const numberLevel = (rules: RoomVersionRules, value: number): number | undefined => {
  if (rules.powerLevelValues === 'any-number') return finite(Math.trunc(value))
  return Number.isSafeInteger(value) ? finite(value) : undefined
}

// Adding zero turns a negative zero into the zero that equals it.
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value + 0 : undefined)

/**
 * The users who created the room: one, or from version 12 on the sender and the additional creators.
 * spec: rooms/v11#authorisation-rules, rooms/v12#authorisation-rules
 */
export const roomCreators = (rules: RoomVersionRules, create: RoomEvent | undefined): readonly string[] => {
  if (create === undefined) return []
  const { sender, content } = create.pdu
  const creator = rules.creator === 'sender' ? sender : ownValue(content, 'creator')
  const additional = rules.privilegedCreators ? ownValue(content, 'additional_creators') : undefined
  const named = Array.isArray(additional) ? additional : []
  return [creator, ...named].filter((user) => typeof user === 'string')
}

type Remembered = { rules: RoomVersionRules; create: RoomEvent | undefined; levels: PowerLevels }

// Events never change, so what was read from one holds for as long as the event itself is held.
const rememberedByEvent = new WeakMap<RoomEvent, Remembered>()

/**
 * The power levels that follow from the create event and the power levels event of a room state; either may
 * be absent. Remembered by the events' identity, so asking again costs a look-up. A value that the room
 * version cannot read counts as absent. spec: client-server-api#mroompower_levels
 */
export const powerLevelsOf = (
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
): PowerLevels => {
  const holder = powerLevels ?? create
  if (holder === undefined) return readPowerLevels(rules, create, powerLevels)
  const known = rememberedByEvent.get(holder)
  if (known !== undefined && known.rules === rules && known.create === create) return known.levels
  const levels = readPowerLevels(rules, create, powerLevels)
  rememberedByEvent.set(holder, { rules, create, levels })
  return levels
}

const readPowerLevels = (
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
): PowerLevels => {
  const content = powerLevels?.pdu.content
  const level = (key: keyof typeof DEFAULTS) => parseLevel(rules, ownValue(content, key)) ?? DEFAULTS[key]
  const entry = (entries: JsonObject | undefined, key: string) => parseLevel(rules, ownValue(entries, key))
  const [events, notifications] = [levelEntries(content, 'events'), levelEntries(content, 'notifications')]
  const stateDefault = level('state_default')
  const eventsDefault = level('events_default')
  return {
    user: userLevels(rules, create, powerLevels, level('users_default')),
    event: (type, isState) => entry(events, type) ?? (isState ? stateDefault : eventsDefault),
    notification: (key) => entry(notifications, key) ?? NOTIFICATION_LEVEL,
    ban: level('ban'),
    kick: level('kick'),
    redact: level('redact'),
    invite: level('invite'),
    stateDefault,
    eventsDefault,
    usersDefault: level('users_default'),
  }
}

/** `users`, `events` or `notifications` of a power levels content, when it is an object. */
export const levelEntries = (content: JsonObject | undefined, key: string): JsonObject | undefined => {
  const entries = ownValue(content, key)
  return isJsonObject(entries) ? entries : undefined
}

const userLevels = (
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
  usersDefault: number,
): ((userId: string) => number) => {
  const creators = new Set(roomCreators(rules, create))
  const users = levelEntries(powerLevels?.pdu.content, 'users')
  const listed = (userId: string) => parseLevel(rules, ownValue(users, userId)) ?? usersDefault
  if (rules.privilegedCreators) return (userId) => (creators.has(userId) ? Infinity : listed(userId))
  if (powerLevels === undefined) return (userId) => (creators.has(userId) ? CREATOR_LEVEL : usersDefault)
  return listed
}
