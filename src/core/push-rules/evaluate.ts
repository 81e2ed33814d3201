import type { RoomId, UserId } from '#schema/identifiers.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { PushAction, PushRule } from '#schema/push-rules.ts'
import {
  compileCondition,
  conditionHolds,
  type CompiledCondition,
  type PushSubject,
  type Reader,
} from './conditions.ts'
import type { Ruleset } from './defaults.ts'

/** What happens to one user because of one event. Without `notify` there is neither highlight nor sound. */
export type PushOutcome = Readonly<{
  notify: boolean
  highlight: boolean
  sound?: string
  /** The actions of the rule that applied, for the push gateway; empty if none applied or it is silent. */
  actions: readonly PushAction[]
}>

export const SILENT: PushOutcome = { notify: false, highlight: false, actions: [] }

export type CompiledRule = Readonly<{
  conditions: readonly CompiledCondition[]
  outcome: PushOutcome
  /** Equal for rules that ask the same and do the same. */
  identity: string
  isWatching: boolean
}>

/** The rules of one user that can apply at all, most important first. */
export type CompiledRuleset = Readonly<{ userId: UserId; rules: readonly CompiledRule[] }>

/** The rules of one user as far as they matter in one room. */
export type RoomRuleset = CompiledRuleset &
  Readonly<{
    /** Equal for users whose rules here are equal but for what is personal; 43 characters, lasting. */
    classKey: string
    /** The rules that make the class: all but those of a watcher. */
    classRules: readonly CompiledRule[]
  }>

/** Compiles all enabled rules of `userId`. Rules with unknown conditions are left out: they never match. */
export function compileRuleset(ruleset: Ruleset, userId: UserId): CompiledRuleset {
  const { override, content, postcontent = [], room, sender, underride } = ruleset
  const rules = [
    ...compileAll(override, userId, conditionsOf),
    ...compileAll(content, userId, ({ pattern }) => [{ kind: 'event_match', key: 'content.body', pattern }]),
    ...compileAll(postcontent, userId, conditionsOf),
    ...compileAll(room, userId, ({ rule_id }) => [
      { kind: 'event_property_is', key: 'room_id', value: rule_id },
    ]),
    ...compileAll(sender, userId, ({ rule_id }) => [
      { kind: 'event_property_is', key: 'sender', value: rule_id },
    ]),
    ...compileAll(underride, userId, conditionsOf),
  ]
  return { userId, rules }
}

const conditionsOf = (rule: PushRule): readonly unknown[] => rule.conditions ?? []

function compileAll(
  rules: readonly PushRule[],
  userId: UserId,
  conditionsOf: (rule: PushRule) => readonly unknown[],
): CompiledRule[] {
  return rules
    .filter(({ enabled }) => enabled)
    .flatMap((rule) => {
      const known = compiledDefaults.get(rule)
      if (known) return [known]
      const fresh = compileRule(rule, conditionsOf(rule), userId)
      if (fresh && rule.default) compiledDefaults.set(rule, fresh)
      return fresh ?? []
    })
}

// A default rule is the same object for all users, unless it names the user whose rule it is.
const compiledDefaults = new WeakMap<PushRule, CompiledRule>()

function compileRule(
  rule: PushRule,
  conditions: readonly unknown[],
  userId: UserId,
): CompiledRule | undefined {
  const compiled = conditions.map((condition) => compileCondition(condition, userId))
  const known = compiled.filter((condition) => condition !== undefined)
  return known.length === compiled.length ? compiledRule(known, outcomeOf(rule.actions)) : undefined
}

// Equal rules of all users are one object, so a member of a room costs references and no more.
const shared = new Map<string, CompiledRule>()
const SHARED_RULES_LIMIT = 1000

function compiledRule(conditions: readonly CompiledCondition[], outcome: PushOutcome): CompiledRule {
  const identity = JSON.stringify([conditions.map((condition) => condition.identity), outcome.actions])
  const known = shared.get(identity)
  if (known) return known
  const rule = {
    conditions,
    outcome,
    identity,
    isWatching: conditions.some(({ scope }) => scope === 'watcher'),
  }
  if (shared.size < SHARED_RULES_LIMIT) shared.set(identity, rule)
  return rule
}

/**
 * What a list of actions comes to. Unknown and historical actions are ignored.
 * spec: client-server-api#actions
 */
export function outcomeOf(actions: readonly PushAction[]): PushOutcome {
  if (!actions.includes('notify')) return SILENT
  const tweaks = actions.filter((action) => typeof action === 'object')
  const highlight = tweaks.find(({ set_tweak }) => set_tweak === 'highlight')
  const sound = tweaks.find(({ set_tweak }) => set_tweak === 'sound')
  return {
    notify: true,
    highlight: highlight !== undefined && highlight.value !== false,
    ...(typeof sound?.value === 'string' ? { sound: sound.value } : {}),
    actions: ['notify', ...tweaks],
  }
}

/**
 * The outcome of one event for one user, asked on its own. Nobody is notified of what they sent themselves.
 * spec: client-server-api#push-rules
 */
export function evaluate(ruleset: CompiledRuleset, subject: PushSubject, reader: Reader = {}): PushOutcome {
  if (subject.event.sender === ruleset.userId) return SILENT
  return firstMatch(ruleset.rules, subject, reader, ruleset.userId)
}

/** The outcome of an event for a class: for any member whom it does not name and who watches for nothing. */
export const evaluateForClass = (classRules: readonly CompiledRule[], subject: PushSubject): PushOutcome =>
  firstMatch(classRules, subject, {}, NOBODY)

// No event can hold this id, so no rule finds "me" in it.
const NOBODY: UserId = '@\0:'

function firstMatch(
  rules: readonly CompiledRule[],
  subject: PushSubject,
  reader: Reader,
  userId: UserId,
): PushOutcome {
  const applies = ({ conditions }: CompiledRule): boolean =>
    conditions.every((condition) => conditionHolds(condition, subject, reader, userId))
  return rules.find(applies)?.outcome ?? SILENT
}

/**
 * Settles what is certain about a user's rules in one room. To be kept with the membership, not worked out
 * anew.
 */
export function rulesetForRoom(ruleset: CompiledRuleset, roomId: RoomId): RoomRuleset {
  if (ruleset.rules.some(isAboutRooms)) return classify(ruleset, roomId)
  const known = anywhere.get(ruleset)
  if (known) return known
  const fresh = classify(ruleset, roomId)
  anywhere.set(ruleset, fresh)
  return fresh
}

/**
 * The key of a user's class in a room: equal for users whose rules are equal there but for what is personal.
 */
export const rulesetClass = (ruleset: CompiledRuleset, roomId: RoomId): string =>
  rulesetForRoom(ruleset, roomId).classKey

// Rule sets that mention no room come out the same in all of them.
const anywhere = new WeakMap<CompiledRuleset, RoomRuleset>()

const isAboutRooms = ({ conditions }: CompiledRule): boolean =>
  conditions.some(({ path }) => path === 'room_id')

function classify({ userId, rules }: CompiledRuleset, roomId: RoomId): RoomRuleset {
  const left: CompiledRule[] = []
  for (const rule of rules) {
    const settled = settle(rule, roomId, userId)
    if (!settled) continue
    left.push(settled)
    if (settled.conditions.length === 0) break
  }
  const classRules = left.filter(({ isWatching }) => !isWatching)
  const classKey = sha256Base64(classRules.map(({ identity }) => identity).join('\n'), true)
  return { userId, rules: left, classRules, classKey }
}

function settle(rule: CompiledRule, roomId: RoomId, userId: UserId): CompiledRule | undefined {
  if (!isAboutRooms(rule)) return rule
  const aboutRoom = rule.conditions.filter(({ path }) => path === 'room_id')
  const others = rule.conditions.filter(({ path }) => path !== 'room_id')
  const here = subjectInRoom(roomId)
  return aboutRoom.every((condition) => condition.holds(here, {}, userId))
    ? compiledRule(others, rule.outcome)
    : undefined
}

/** Enough of a subject for a condition that reads nothing but the room's id. */
const subjectInRoom = (roomId: RoomId): PushSubject => ({
  event: { type: '', sender: '@:', content: {} },
  context: { roomId, memberCount: 0, senderPowerLevel: 0, notificationLevels: {}, isInThread: false },
  values: new Map(),
  results: new Map(),
})

/** The tweaks to send to a push gateway. spec: push-gateway-api#post_matrixpushv1notify */
export function tweaksOf({ actions }: PushOutcome): JsonObject {
  const tweaks = actions.filter((action) => typeof action === 'object')
  return Object.fromEntries(tweaks.map(({ set_tweak, value = true }) => [String(set_tweak), value]))
}
