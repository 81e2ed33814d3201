/**
 * Filter definitions: what clients send to say what they want to see.
 * spec: client-server-api#filtering
 */
import { isRoomId, isUserId, type UserId } from '#schema/identifiers.ts'
import { badJson, invalidParam, type MatrixError } from '#schema/matrix-error.ts'
import { splitPath } from '#core/dot-path.ts'
import { ownValue } from '#core/event-content.ts'
import { compileGlob } from '#core/glob.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/** Lists that are undefined let everything through, lists that are empty let nothing through. */
export type EventFilter = Readonly<{
  /** How many events to return; undefined leaves it to the server. */
  limit?: number
  types?: readonly string[]
  notTypes: readonly string[]
  senders?: readonly string[]
  notSenders: readonly string[]
  rooms?: readonly string[]
  notRooms: readonly string[]
  containsUrl?: boolean
  /** MSC3874: `m.thread` and the like; events without a relation pass `notRelTypes` only. */
  relTypes?: readonly string[]
  notRelTypes: readonly string[]
  /** Events to which one of these users relates. Needs the store: see `needsRelations`. */
  relatedBySenders?: readonly string[]
  /** Events to which some event relates in one of these ways. */
  relatedByRelTypes?: readonly string[]
  lazyLoadMembers: boolean
  includeRedundantMembers: boolean
  unreadThreadNotifications: boolean
}>

export type SyncFilter = Readonly<{
  /** Paths of the properties to keep; undefined keeps all. */
  eventFields?: readonly string[]
  eventFormat: 'client' | 'federation'
  presence: EventFilter
  accountData: EventFilter
  room: Readonly<{
    rooms?: readonly string[]
    notRooms: readonly string[]
    includeLeave: boolean
    state: EventFilter
    timeline: EventFilter
    ephemeral: EventFilter
    accountData: EventFilter
  }>
}>

/** Events in the timeline of a room that asks for nothing else. */
export const TIMELINE_LIMIT_DEFAULT = 10
/** The most events in the timeline of a room, whatever the filter asks for. */
export const TIMELINE_LIMIT = 100
/** How many items a list in a filter may have. */
export const FILTER_LIST_LIMIT = 1000

export const NO_EVENT_FILTER: EventFilter = {
  notTypes: [],
  notSenders: [],
  notRooms: [],
  notRelTypes: [],
  lazyLoadMembers: false,
  includeRedundantMembers: false,
  unreadThreadNotifications: false,
}

/**
 * Parses a filter definition as it came from the client. 400 `M_BAD_JSON` where something is of the wrong
 * type and 400 `M_INVALID_PARAM` where a value makes no sense. Unknown keys are ignored.
 */
export function parseFilter(definition: unknown): SyncFilter | MatrixError {
  const problems: MatrixError[] = []
  const filter = reader(definition, 'filter', problems)
  const room = filter.child('room')
  const parsed = {
    ...optional('eventFields', filter.strings('event_fields')),
    eventFormat: filter.oneOf('event_format', ['client', 'federation'] as const) ?? 'client',
    presence: readEventFilter(filter.child('presence')),
    accountData: readEventFilter(filter.child('account_data')),
    room: {
      ...optional('rooms', room.strings('rooms', isRoomId)),
      notRooms: room.strings('not_rooms', isRoomId) ?? [],
      includeLeave: room.boolean('include_leave') ?? false,
      state: readEventFilter(room.child('state')),
      timeline: readEventFilter(room.child('timeline')),
      ephemeral: readEventFilter(room.child('ephemeral')),
      accountData: readEventFilter(room.child('account_data')),
    },
  }
  return problems[0] ?? parsed
}

/**
 * Parses the filter of one list of events, as `/messages`, `/context` and `/search` take it. Errors as
 * `parseFilter`.
 */
export function parseEventFilter(definition: unknown): EventFilter | MatrixError {
  const problems: MatrixError[] = []
  const parsed = readEventFilter(reader(definition, 'filter', problems))
  return problems[0] ?? parsed
}

const readEventFilter = (filter: Reader): EventFilter => ({
  ...optional('limit', filter.count('limit')),
  ...optional('types', filter.strings('types')),
  notTypes: filter.strings('not_types') ?? [],
  ...optional('senders', filter.strings('senders', isUserId)),
  notSenders: filter.strings('not_senders', isUserId) ?? [],
  ...optional('rooms', filter.strings('rooms', isRoomId)),
  notRooms: filter.strings('not_rooms', isRoomId) ?? [],
  ...optional('containsUrl', filter.boolean('contains_url')),
  ...optional('relTypes', filter.strings('rel_types') ?? filter.strings('org.matrix.msc3874.rel_types')),
  notRelTypes: filter.strings('not_rel_types') ?? filter.strings('org.matrix.msc3874.not_rel_types') ?? [],
  ...optional('relatedBySenders', filter.strings('related_by_senders')),
  ...optional('relatedByRelTypes', filter.strings('related_by_rel_types')),
  lazyLoadMembers: filter.boolean('lazy_load_members') ?? false,
  includeRedundantMembers: filter.boolean('include_redundant_members') ?? false,
  unreadThreadNotifications:
    (filter.boolean('unread_thread_notifications') ?? false) ||
    (filter.boolean('org.matrix.msc3773.unread_thread_notifications') ?? false),
})

const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }

/** Reads the keys of one object and notes what is wrong with them; what is absent or wrong is undefined. */
type Reader = Readonly<{
  strings: (key: string, isFit?: (text: string) => boolean) => readonly string[] | undefined
  boolean: (key: string) => boolean | undefined
  count: (key: string) => number | undefined
  oneOf: <const Word extends string>(key: string, words: readonly Word[]) => Word | undefined
  child: (key: string) => Reader
}>

function reader(value: unknown, name: string, problems: MatrixError[]): Reader {
  if (!isObject(value)) problems.push(badJson(`${name} must be an object`))
  const object: JsonObject = isObject(value) ? value : {}
  const at = (key: string): Json | undefined => (Object.hasOwn(object, key) ? object[key] : undefined)
  const wrong = (problem: MatrixError): undefined => void problems.push(problem)

  return {
    strings(key, isFit = () => true) {
      const list = at(key)
      if (list === undefined) return undefined
      if (!isStringList(list)) return wrong(badJson(`${name}.${key} must be a list of strings`))
      if (list.length > FILTER_LIST_LIMIT) return wrong(invalidParam(`${name}.${key} is too long`))
      return list.every(isFit) ? list : wrong(invalidParam(`${name}.${key} has an entry that is no valid id`))
    },
    boolean(key) {
      const flag = at(key)
      if (flag === undefined || typeof flag === 'boolean') return flag
      return wrong(badJson(`${name}.${key} must be a boolean`))
    },
    count(key) {
      const count = at(key)
      if (count === undefined) return undefined
      if (typeof count !== 'number') return wrong(badJson(`${name}.${key} must be a number`))
      // The spec wants more than 0, but clients ask for 0 where they want no events at all.
      return Number.isSafeInteger(count) && count >= 0
        ? count
        : wrong(invalidParam(`${name}.${key} must not be negative`))
    },
    oneOf(key, words) {
      const word = at(key)
      if (word === undefined) return undefined
      return (
        words.find((known) => known === word) ??
        wrong(invalidParam(`${name}.${key} must be one of ${words.join(', ')}`))
      )
    },
    child(key) {
      const inner = at(key)
      return reader(inner === undefined ? {} : inner, `${name}.${key}`, problems)
    },
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isStringList = (value: Json): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

/**
 * How many events to return: what the filter asks for, `fallback` if it does not, and never more than `most`.
 */
export const limitOf = (
  { limit }: EventFilter,
  fallback = TIMELINE_LIMIT_DEFAULT,
  most = TIMELINE_LIMIT,
): number => Math.min(limit ?? fallback, most)

/** Whether any event can be kept out by anything but the limit. */
export const isSelective = ({ types, notTypes, senders, notSenders, rooms, notRooms, containsUrl, relTypes, notRelTypes, ...rest }: EventFilter): boolean =>
  [types, senders, rooms, containsUrl, relTypes].some((wanted) => wanted !== undefined) ||
  [notTypes, notSenders, notRooms, notRelTypes].some((unwanted) => unwanted.length > 0) ||
  needsRelations(rest)

/** Events, account data, presence and the rest, as far as filters look at them. */
export type FilterableEvent = Readonly<{ type: string; sender?: string; roomId?: string; content?: unknown }>

/** Does the event pass? All but `related_by_…`, which the store has to answer: see `needsRelations`. */
export function matchesEventFilter(filter: EventFilter, event: FilterableEvent): boolean {
  const { type, sender, roomId } = event
  return (
    passes(filter.types, filter.notTypes, (pattern) => matchesType(pattern, type)) &&
    passes(filter.senders, filter.notSenders, (id) => id === sender) &&
    passes(filter.rooms, filter.notRooms, (id) => id === roomId) &&
    passesRelTypes(filter, event) &&
    (filter.containsUrl === undefined || filter.containsUrl === hasUrl(event.content))
  )
}

/** What is excluded stays out even if it is included. */
const passes = (
  included: readonly string[] | undefined,
  excluded: readonly string[],
  is: (entry: string) => boolean,
): boolean => !excluded.some(is) && (included === undefined || included.some(is))

const matchesType = (pattern: string, type: string): boolean =>
  pattern === type || (pattern.includes('*') && compileGlob(pattern, { wildcards: 'star' })(type))

// Content is read last: for stored events that means parsing it.
function passesRelTypes({ relTypes, notRelTypes }: EventFilter, event: FilterableEvent): boolean {
  if (relTypes === undefined && notRelTypes.length === 0) return true
  const relatesTo = isObject(event.content) ? event.content['m.relates_to'] : undefined
  const relType = isObject(relatesTo) ? relatesTo.rel_type : undefined
  return passes(relTypes, notRelTypes, (wanted) => wanted === relType)
}

const hasUrl = (content: unknown): boolean => isObject(content) && typeof content.url === 'string'

/** Whether the answer also depends on the events that relate to an event; presence and the rest are no events. */
export const needsRelations = ({ relatedBySenders, relatedByRelTypes }: Pick<EventFilter, 'relatedBySenders' | 'relatedByRelTypes'>): boolean =>
  relatedBySenders !== undefined || relatedByRelTypes !== undefined

/** Does some event that relates to this one fit both `related_by_senders` and `related_by_rel_types`? */
export const matchesRelations = (
  { relatedBySenders, relatedByRelTypes }: EventFilter,
  children: readonly Readonly<{ sender: string; relType: string }>[],
): boolean =>
  children.some(
    ({ sender, relType }) =>
      (relatedBySenders?.includes(sender) ?? true) && (relatedByRelTypes?.includes(relType) ?? true),
  )

/** Are events of this room wanted at all? Applied before the filters of its parts. */
export const matchesRoom = (
  { rooms, notRooms }: Pick<EventFilter, 'rooms' | 'notRooms'>,
  roomId: string,
): boolean => passes(rooms, notRooms, (id) => id === roomId)

/** Whether nothing can pass, so that there is no need to look. */
export const letsNothingThrough = ({ types, notTypes, senders, rooms, limit }: EventFilter): boolean =>
  types?.length === 0 || senders?.length === 0 || rooms?.length === 0 || limit === 0 || notTypes.includes('*')

/**
 * The properties of a client event that `event_fields` ask for; parts of objects are put together again. A
 * path that leads nowhere adds nothing. spec: appendices#dot-separated-property-paths
 */
export function selectFields(event: JsonObject, eventFields: readonly string[] | undefined): JsonObject {
  if (eventFields === undefined || eventFields.length === 0) return event
  const wanted: Wanted = new Map()
  for (const path of eventFields) want(wanted, splitPath(path))
  return selected(event, wanted)
}

/** Which properties are wanted: whole, or of an object only some. */
type Wanted = Map<string, Wanted | 'whole'>

function want(wanted: Wanted, names: readonly string[]): void {
  let level = wanted
  for (const [at, name] of names.entries()) {
    const known = level.get(name)
    if (known === 'whole') return
    if (at === names.length - 1) return void level.set(name, 'whole')
    const inner: Wanted = known ?? new Map()
    level.set(name, inner)
    level = inner
  }
}

function selected(source: JsonObject, wanted: Wanted): JsonObject {
  // From entries, since `__proto__` is a key like any other.
  return Object.fromEntries([...wanted].flatMap(([name, how]): [string, Json][] => {
    const value = ownValue(source, name)
    if (value === undefined) return []
    if (how === 'whole') return [[name, value]]
    const inner = isObject(value) ? selected(value, how) : {}
    return Object.keys(inner).length === 0 ? [] : [[name, inner]]
  }))
}

/**
 * Is this event kept from a reader who ignores its sender? State never is, so that the room looks the same to
 * everyone (G-71). spec: client-server-api#ignoring-users
 */
export const isIgnored = (
  { sender, stateKey }: Readonly<{ sender: UserId; stateKey?: string | undefined }>,
  ignored: ReadonlySet<UserId>,
): boolean => stateKey === undefined && ignored.has(sender)
