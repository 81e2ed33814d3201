import { getByPath } from '#core/dot-path.ts'
import { compileGlob } from '#core/glob.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'

/** What rules look at: the event as clients see it. The room's id is taken from the context. */
export type PushEvent = Readonly<{
  type: string
  sender: UserId
  state_key?: string
  content: JsonObject
}>

/** What rules may know of the room besides the event, as it was at that event (G-73). */
export type PushContext = Readonly<{
  roomId: RoomId
  /** How many are joined. */
  memberCount: number
  /** The sender's power level; `Infinity` for a creator in room version 12. */
  senderPowerLevel: number
  /** `notifications` of the room's power levels. */
  notificationLevels: Readonly<Record<string, Json>>
  /** The event belongs to a thread other than the main timeline. */
  isInThread: boolean
}>

/** What differs from reader to reader besides their rules. */
export type Reader = Readonly<{
  /** The name the reader goes by in this room. */
  displayName?: string
  /** Whether the reader subscribed to the event's thread (MSC4306). */
  isSubscribed?: boolean
}>

/** One event on its way through many rule sets. It remembers what has been looked up and decided already. */
export type PushSubject = Readonly<{
  event: PushEvent
  context: PushContext
  values: Map<string, Json | undefined>
  results: Map<string, boolean>
}>

export const pushSubject = (event: PushEvent, context: PushContext): PushSubject => ({
  event,
  context,
  values: new Map(),
  results: new Map(),
})

/**
 * Whom a condition can tell apart:
 * - `nobody`: it has one answer for the whole room;
 * - `named`: it holds for those whom the event names by user id, or who subscribed to its thread;
 * - `watcher`: it looks for words in the body, a sender or a display name, which anybody may choose freely.
 */
export type Scope = 'nobody' | 'named' | 'watcher'

export type CompiledCondition = Readonly<{
  /** Equal for conditions that ask the same; the reader's own id counts as one and the same word. */
  identity: string
  scope: Scope
  /** The answer depends on who reads, and so cannot be remembered for the next reader. */
  isPerReader?: boolean
  /** For `named`: where in the event the reader's id is looked for. */
  namedAt?: string
  /** The property that the condition reads, if it reads one. */
  path?: string
  holds: (subject: PushSubject, reader: Reader, userId: UserId) => boolean
}>

const NOTIFICATION_LEVEL_DEFAULT = 50
const BODY = 'content.body'

/**
 * Compiles one condition of a rule that belongs to `userId`. Undefined if the condition is unknown or
 * malformed: such a condition matches nothing, and so the rule never applies. spec:
 * client-server-api#conditions-1
 */
export function compileCondition(condition: unknown, userId: UserId): CompiledCondition | undefined {
  if (typeof condition !== 'object' || condition === null) return undefined
  const { kind, key, pattern, value, is, subscribed } = condition as Record<string, unknown>
  const isKeyed = typeof key === 'string'
  switch (kind) {
    case 'event_match':
      return isKeyed && typeof pattern === 'string' ? eventMatch(key, pattern, userId) : undefined
    case 'event_property_is':
      return isKeyed && isSimple(value) ? propertyIs(key, value, userId) : undefined
    case 'event_property_contains':
      return isKeyed && isSimple(value) ? propertyContains(key, value, userId) : undefined
    case 'contains_display_name':
      return containsDisplayName
    case 'room_member_count':
      return typeof is === 'string' ? roomMemberCount(is) : undefined
    case 'sender_notification_permission':
      return isKeyed ? senderNotificationPermission(key) : undefined
    case 'io.element.msc4306.thread_subscription':
      return typeof subscribed === 'boolean' ? threadSubscription(subscribed) : undefined
    default:
      return undefined
  }
}

/** Does the condition hold? What is the same for every reader is worked out once per event. */
export function conditionHolds(
  condition: CompiledCondition,
  subject: PushSubject,
  reader: Reader,
  userId: UserId,
): boolean {
  if (condition.isPerReader) return condition.holds(subject, reader, userId)
  const known = subject.results.get(condition.identity)
  if (known !== undefined) return known
  const result = condition.holds(subject, reader, userId)
  subject.results.set(condition.identity, result)
  return result
}

/** The value of a property of the event, looked up once. */
export function valueAt({ event, context, values }: PushSubject, path: string): Json | undefined {
  if (path === 'room_id') return context.roomId
  if (values.has(path)) return values.get(path)
  // A PushEvent is JSON, but its optional key keeps TypeScript from seeing it.
  const value = getByPath(event as unknown as JsonObject, path)
  values.set(path, value)
  return value
}

type Simple = string | number | boolean | null
const isSimple = (value: unknown): value is Simple =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)

function eventMatch(path: string, pattern: string, userId: UserId): CompiledCondition {
  // A user id is a name and no pattern: it is compared as it is, so that readers can be found by it.
  if (pattern === userId && path !== BODY) return namedBy('is', path, (found, id) => found === id)
  const matches = compileGlob(pattern, { ignoreCase: true, wholeWord: path === BODY })
  return {
    identity: JSON.stringify(['match', path, pattern]),
    scope: scopeOf(path),
    path,
    holds(subject) {
      const found = valueAt(subject, path)
      return typeof found === 'string' && matches(found)
    },
  }
}

function propertyIs(path: string, value: Simple, userId: UserId): CompiledCondition {
  if (value === userId && path !== BODY) return namedBy('is', path, (found, id) => found === id)
  return {
    identity: JSON.stringify(['is', path, value]),
    scope: scopeOf(path),
    path,
    holds: (subject) => valueAt(subject, path) === value,
  }
}

function propertyContains(path: string, value: Simple, userId: UserId): CompiledCondition {
  if (value === userId)
    return namedBy('contains', path, (found, id) => Array.isArray(found) && found.includes(id))
  return {
    identity: JSON.stringify(['contains', path, value]),
    scope: scopeOf(path),
    path,
    holds(subject) {
      const found = valueAt(subject, path)
      return Array.isArray(found) && found.includes(value)
    },
  }
}

const scopeOf = (path: string): Scope => (path === BODY || path === 'sender' ? 'watcher' : 'nobody')

function namedBy(
  how: string,
  path: string,
  test: (found: Json | undefined, id: UserId) => boolean,
): CompiledCondition {
  return {
    identity: JSON.stringify([how, path, { me: true }]),
    scope: 'named',
    isPerReader: true,
    namedAt: path,
    holds: (subject, _reader, userId) => test(valueAt(subject, path), userId),
  }
}

/** An empty display name would be found in everything, and so is never looked for. */
const containsDisplayName: CompiledCondition = {
  identity: 'displayName',
  scope: 'watcher',
  isPerReader: true,
  holds(subject, { displayName }) {
    const body = valueAt(subject, BODY)
    if (!displayName || typeof body !== 'string') return false
    return compileGlob(displayName, { ignoreCase: true, wholeWord: true, wildcards: 'none' })(body)
  },
}

const COMPARISON = /^(==|<=|>=|<|>)?([0-9]{1,15})$/

function roomMemberCount(is: string): CompiledCondition | undefined {
  const [, operator = '==', digits] = COMPARISON.exec(is) ?? []
  if (digits === undefined) return undefined
  const bound = Number(digits)
  const compare = COMPARE[operator as keyof typeof COMPARE]
  return {
    identity: JSON.stringify(['members', operator, bound]),
    scope: 'nobody',
    holds: ({ context }) => compare(context.memberCount, bound),
  }
}

const COMPARE = {
  '==': (count: number, bound: number) => count === bound,
  '<': (count: number, bound: number) => count < bound,
  '>': (count: number, bound: number) => count > bound,
  '<=': (count: number, bound: number) => count <= bound,
  '>=': (count: number, bound: number) => count >= bound,
}

/** spec: client-server-api#mroompower_levels (`notifications`) */
const senderNotificationPermission = (key: string): CompiledCondition => ({
  identity: JSON.stringify(['permission', key]),
  scope: 'nobody',
  holds: ({ context: { senderPowerLevel, notificationLevels } }) =>
    senderPowerLevel >= levelOf(Object.hasOwn(notificationLevels, key) ? notificationLevels[key] : undefined),
})

// Rooms before version 10 may hold levels as strings.
function levelOf(value: Json | undefined): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)
    ? Number(value)
    : NOTIFICATION_LEVEL_DEFAULT
}

const subscriptionIs = (wanted: boolean): CompiledCondition => ({
  identity: JSON.stringify(['subscribed', wanted]),
  scope: 'named',
  isPerReader: true,
  holds: ({ context }, { isSubscribed = false }) => context.isInThread && isSubscribed === wanted,
})

const SUBSCRIBED = subscriptionIs(true)
const UNSUBSCRIBED = subscriptionIs(false)
const threadSubscription = (wanted: boolean): CompiledCondition => (wanted ? SUBSCRIBED : UNSUBSCRIBED)
