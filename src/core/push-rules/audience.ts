/**
 * Push rules against one event for all members of a room at once.
 *
 * Most members of a room have the same rules, so asking each of them costs what the room weighs. Instead
 * (D26):
 *
 * 1. `compileRuleset` turns a user's rules into a list of compiled conditions, once per change of the rules.
 *    The user's own id becomes the word "me", so that the default rules of any two users compile to the same
 *    list.
 * 2. `rulesetForRoom` settles what is certain in one room: rules about other rooms go, conditions that say
 *    "this room" are struck out, and nothing is kept below a rule that always applies. What is left without
 *    the rules of a `watcher` (keywords, senders, display names) is the user's **class** in this room; its
 *    key is equal for all users whose rules are equal but for what is personal.
 * 3. An `Audience` holds the members of one room by class. `evaluateForAudience` works out each class once,
 *    for an anonymous member: one whom the event does not name, who is not subscribed to the thread and
 *    watches for nothing. That answer is right for every member but three sorts, and those alone are asked
 *    one by one: whoever stands at a property where some rule looks for "me" (`m.mentions.user_ids`,
 *    `state_key`), the subscribers of the thread, and the watchers. Their outcome is kept only where it
 *    differs from that of their class.
 *
 * Conditions are remembered by what they ask, so a thousand watchers of one word search the body once.
 * spec: client-server-api#push-rules
 */
import type { UserId } from '#schema/identifiers.ts'
import type { Json } from '#schema/pdu.ts'
import { valueAt, type PushSubject } from './conditions.ts'
import {
  evaluate,
  evaluateForClass,
  SILENT,
  type CompiledRule,
  type PushOutcome,
  type RoomRuleset,
} from './evaluate.ts'

/**
 * The members of one room, by class. Changed in place: a room of ten thousand must not be copied for a join.
 */
export type Audience = {
  readonly members: Map<UserId, Readonly<{ ruleset: RoomRuleset; displayName?: string }>>
  /** By class key. `size` counts the members, so that an empty class can go. */
  readonly classes: Map<string, { readonly rules: readonly CompiledRule[]; size: number }>
  /** Members with rules about words, senders or display names. */
  readonly watchers: Set<UserId>
  /** The properties at which some member's rules look for that member's id, and how many rules do. */
  readonly namedAt: Map<string, number>
}

export const emptyAudience = (): Audience => ({
  members: new Map(),
  classes: new Map(),
  watchers: new Set(),
  namedAt: new Map(),
})

/** Adds a member, or replaces one whose rules or name have changed. */
export function seat(audience: Audience, ruleset: RoomRuleset, displayName?: string): void {
  const { userId, classKey, classRules, rules } = ruleset
  unseat(audience, userId)
  audience.members.set(userId, displayName === undefined ? { ruleset } : { ruleset, displayName })
  const sameClass = audience.classes.get(classKey)
  if (sameClass) sameClass.size += 1
  else audience.classes.set(classKey, { rules: classRules, size: 1 })
  const { isWatching, namedPaths } = habitsOf(rules)
  if (isWatching) audience.watchers.add(userId)
  for (const path of namedPaths) audience.namedAt.set(path, (audience.namedAt.get(path) ?? 0) + 1)
}

/** Removes a member, if there is one. */
export function unseat(audience: Audience, userId: UserId): void {
  const member = audience.members.get(userId)
  if (!member) return
  audience.members.delete(userId)
  audience.watchers.delete(userId)
  const { classKey } = member.ruleset
  const left = audience.classes.get(classKey)
  if (left && left.size > 1) left.size -= 1
  else audience.classes.delete(classKey)
  for (const path of habitsOf(member.ruleset.rules).namedPaths) decrement(audience.namedAt, path)
}

/** What a list of rules looks at besides the event; most members share one list, so it is worked out once. */
type Habits = Readonly<{ isWatching: boolean; namedPaths: readonly string[] }>
const knownHabits = new WeakMap<readonly CompiledRule[], Habits>()

function habitsOf(rules: readonly CompiledRule[]): Habits {
  const known = knownHabits.get(rules)
  if (known) return known
  const habits = {
    isWatching: rules.some(({ isWatching }) => isWatching),
    namedPaths: rules.flatMap(({ conditions }) => conditions.flatMap(({ namedAt }) => namedAt ?? [])),
  }
  knownHabits.set(rules, habits)
  return habits
}

function decrement(counts: Map<string, number>, key: string): void {
  const count = counts.get(key) ?? 0
  if (count > 1) counts.set(key, count - 1)
  else counts.delete(key)
}

export type AudienceOutcome = Readonly<{
  /** By class key: what happens to every member of the class who is not in `personal`. */
  classes: ReadonlyMap<string, PushOutcome>
  /**
   * Members whose outcome differs from that of their class. The sender is never here: counts leave them out.
   */
  personal: ReadonlyMap<UserId, PushOutcome>
}>

/**
 * The outcome of an event for all members of a room. `threadSubscribers` are those subscribed to the event's
 * thread; they matter only if it is in one.
 */
export function evaluateForAudience(
  audience: Audience,
  subject: PushSubject,
  threadSubscribers: ReadonlySet<UserId> = new Set(),
): AudienceOutcome {
  const classes = new Map<string, PushOutcome>()
  for (const [key, { rules }] of audience.classes) classes.set(key, evaluateForClass(rules, subject))

  const personal = new Map<UserId, PushOutcome>()
  const subscribers = subject.context.isInThread ? threadSubscribers : new Set<UserId>()
  for (const userId of new Set([...namedIn(audience, subject), ...subscribers, ...audience.watchers])) {
    const member = audience.members.get(userId)
    if (!member || userId === subject.event.sender) continue
    const { ruleset, displayName } = member
    const reader = {
      isSubscribed: subscribers.has(userId),
      ...(displayName === undefined ? {} : { displayName }),
    }
    const outcome = evaluate(ruleset, subject, reader)
    if (!isSameOutcome(outcome, classes.get(ruleset.classKey) ?? SILENT)) personal.set(userId, outcome)
  }
  return { classes, personal }
}

/** The outcome for one member, out of what was worked out for all. */
export function outcomeFor(
  audience: Audience,
  { classes, personal }: AudienceOutcome,
  userId: UserId,
): PushOutcome {
  const member = audience.members.get(userId)
  if (!member) return SILENT
  return personal.get(userId) ?? classes.get(member.ruleset.classKey) ?? SILENT
}

function namedIn(audience: Audience, subject: PushSubject): UserId[] {
  return [...audience.namedAt.keys()]
    .flatMap((path) => stringsIn(valueAt(subject, path)))
    .filter((text): text is UserId => audience.members.has(text as UserId))
}

const stringsIn = (value: Json | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string')

const isSameOutcome = (one: PushOutcome, other: PushOutcome): boolean =>
  one === other || JSON.stringify(one.actions) === JSON.stringify(other.actions)
