/**
 * What a user chose about their push rules, and edits of it. Only the user's own rules and what they changed
 * about default rules are kept; the defaults themselves are added when the rules are read, so that new ones
 * reach everyone. Edits answer the new choices, or the error to send to the client. spec:
 * client-server-api#push-rules-api
 */
import type { JsonObject } from '#schema/pdu.ts'
import type { UserId } from '#schema/identifiers.ts'
import { badJson, invalidParam, MatrixError, missingParam, notFound, unknown } from '#schema/matrix-error.ts'
import { type PushAction, type PushCondition, type PushRule, type PushRuleChoices, RULE_KINDS, type RuleKind } from '#schema/push-rules.ts'
import { defaultRules, MASTER_RULE, type PushFeatures, type Ruleset } from './defaults.ts'

export const NO_PUSH_RULE_CHOICES: PushRuleChoices = {
  own: { override: [], content: [], room: [], sender: [], underride: [] },
  changes: {},
}

/** How many rules of one kind a user may have; a room list of that length is far out of the ordinary. */
export const OWN_RULES_LIMIT = 10_000
/** How many conditions, and how many actions, a rule may have. */
export const RULE_PARTS_LIMIT = 100
/** How long a rule id, a pattern, or a condition or action as JSON may be, in UTF-16 units. */
export const RULE_TEXT_LIMIT = 1000

export const isRuleKind = (kind: string): kind is RuleKind => RULE_KINDS.some((known) => known === kind)

/** All rules of a user, in the order that counts. spec: client-server-api#predefined-rules */
export function rulesetFor(choices: PushRuleChoices, userId: UserId, features: PushFeatures = {}): Ruleset {
  const { own, changes } = choices
  const defaults = defaultRules(userId, features)
  const changed = (rule: PushRule): PushRule =>
    Object.hasOwn(changes, rule.rule_id) ? { ...rule, ...changes[rule.rule_id] } : rule
  const postcontent = defaults.postcontent?.map(changed)
  return {
    override: [changed(MASTER_RULE), ...own.override, ...defaults.override.map(changed)],
    content: [...own.content, ...defaults.content.map(changed)],
    ...(postcontent ? { postcontent } : {}),
    room: [...own.room, ...defaults.room.map(changed)],
    sender: [...own.sender, ...defaults.sender.map(changed)],
    underride: [...own.underride, ...defaults.underride.map(changed)],
  }
}

/** One rule as its owner sees it, or 404 `M_NOT_FOUND`. `kind` may be any word. */
export function findRule(ruleset: Ruleset, kind: string, ruleId: string): PushRule | MatrixError {
  const rules = kind === 'postcontent' || isRuleKind(kind) ? ruleset[kind] : undefined
  return (
    rules?.find(({ rule_id }) => rule_id === ruleId) ??
    notFound(`There is no push rule ${ruleId} of kind ${kind}`)
  )
}

export type RulePlace = Readonly<{ before?: string; after?: string }>

/**
 * Adds a rule, or replaces the one with the same kind and id, which keeps its place and whether it is
 * enabled. `body` is the client's, unchecked. A new rule is enabled and, without `before` or `after`, the
 * most important.
 * spec: client-server-api#put_matrixclientv3pushrulesglobalkindruleid
 */
export function addRule(
  choices: PushRuleChoices,
  kind: string,
  ruleId: string,
  body: unknown,
  place: RulePlace = {},
): PushRuleChoices | MatrixError {
  if (!isRuleKind(kind)) return invalidParam(`Rules of kind ${kind} cannot be added`)
  const rules = choices.own[kind]
  const existing = rules.find(({ rule_id }) => rule_id === ruleId)
  const rule = parseRule(kind, ruleId, body, existing?.enabled ?? true)
  if (rule instanceof MatrixError) return rule
  if (!existing && rules.length >= OWN_RULES_LIMIT)
    return invalidParam(`More than ${OWN_RULES_LIMIT} rules of one kind`)

  const { before, after } = place
  if (existing && !before && !after) {
    return withRules(
      choices,
      kind,
      rules.map((other) => (other === existing ? rule : other)),
    )
  }
  const others = rules.filter((other) => other !== existing)
  const at = placeAmong(others, place)
  if (at instanceof MatrixError) return at
  return withRules(choices, kind, others.toSpliced(at, 0, rule))
}

/** With both given, `before` decides. Both can name own rules only. */
function placeAmong(rules: readonly PushRule[], { before, after }: RulePlace): number | MatrixError {
  const neighbour = before || after
  if (!neighbour) return 0
  const at = rules.findIndex(({ rule_id }) => rule_id === neighbour)
  if (at < 0) return unknown(`before/after rule not found: ${neighbour}`)
  return before ? at : at + 1
}

const withRules = (
  choices: PushRuleChoices,
  kind: RuleKind,
  rules: readonly PushRule[],
): PushRuleChoices => ({ ...choices, own: { ...choices.own, [kind]: rules } })

/**
 * Removes an own rule. Default rules cannot be removed: 404 `M_NOT_FOUND`, as for rules that are not there.
 */
export function removeRule(
  choices: PushRuleChoices,
  kind: string,
  ruleId: string,
): PushRuleChoices | MatrixError {
  const rules = isRuleKind(kind) ? choices.own[kind] : []
  const left = rules.filter(({ rule_id }) => rule_id !== ruleId)
  if (!isRuleKind(kind) || left.length === rules.length)
    return notFound(`There is no push rule ${ruleId} of kind ${kind}`)
  return withRules(choices, kind, left)
}

/** Which rule an edit is about; `features` say which default rules exist. */
export type RuleName = Readonly<{ kind: string; ruleId: string; features?: PushFeatures }>

/** Switches a rule on or off, own or default. `enabled` is the client's, unchecked. */
export function setEnabled(
  choices: PushRuleChoices,
  name: RuleName,
  enabled: unknown,
): PushRuleChoices | MatrixError {
  if (enabled === undefined) return missingParam("'enabled' is missing")
  if (typeof enabled !== 'boolean') return badJson("'enabled' must be a boolean")
  return change(choices, name, { enabled })
}

/** Replaces the actions of a rule, own or default. `actions` are the client's, unchecked. */
export function setActions(
  choices: PushRuleChoices,
  name: RuleName,
  actions: unknown,
): PushRuleChoices | MatrixError {
  const parsed = parseActions(actions)
  return parsed instanceof MatrixError ? parsed : change(choices, name, { actions: parsed })
}

function change(
  choices: PushRuleChoices,
  { kind, ruleId, features = {} }: RuleName,
  to: Readonly<{ enabled?: boolean; actions?: readonly PushAction[] }>,
): PushRuleChoices | MatrixError {
  // Which user asks makes no difference to which default rules there are.
  const found = findRule(rulesetFor(choices, '@:', features), kind, ruleId)
  if (found instanceof MatrixError) return found
  if (found.default) {
    return { ...choices, changes: { ...choices.changes, [ruleId]: { ...choices.changes[ruleId], ...to } } }
  }
  if (!isRuleKind(kind)) return choices
  return withRules(
    choices,
    kind,
    choices.own[kind].map((rule) => (rule === found ? { ...rule, ...to } : rule)),
  )
}

function parseRule(kind: RuleKind, ruleId: string, body: unknown, enabled: boolean): PushRule | MatrixError {
  if (ruleId === '' || ruleId.length > RULE_TEXT_LIMIT)
    return invalidParam('The rule id is empty or too long')
  if (ruleId.startsWith('.'))
    return invalidParam('Rule ids that start with a dot are reserved for default rules')
  if (/[/\\]/.test(ruleId)) return invalidParam('Rule ids may not contain slashes')
  if (!isObject(body)) return badJson('A push rule must be an object')
  const actions = parseActions(body.actions)
  if (actions instanceof MatrixError) return actions
  const rule = { rule_id: ruleId, default: false, enabled, actions }
  if (kind === 'content') {
    const pattern = parsePattern(body.pattern)
    return pattern instanceof MatrixError ? pattern : { ...rule, pattern }
  }
  if (kind !== 'override' && kind !== 'underride') return rule
  const conditions = parseConditions(body.conditions)
  return conditions instanceof MatrixError ? conditions : { ...rule, conditions }
}

function parsePattern(pattern: unknown): string | MatrixError {
  if (pattern === undefined) return missingParam("A content rule needs a 'pattern'")
  if (typeof pattern !== 'string') return badJson("'pattern' must be a string")
  return pattern.length > RULE_TEXT_LIMIT ? invalidParam("'pattern' is too long") : pattern
}

/**
 * A rule may go without conditions, and then always matches; unknown kinds are kept for the client's own use.
 */
function parseConditions(conditions: unknown): readonly PushCondition[] | MatrixError {
  if (conditions === undefined) return []
  if (!Array.isArray(conditions)) return badJson("'conditions' must be a list")
  if (isTooMuch(conditions)) return invalidParam('The rule has too many conditions, or too long ones')
  for (const condition of conditions) {
    if (!isObject(condition) || typeof condition.kind !== 'string')
      return badJson("A condition needs a 'kind'")
  }
  return conditions
}

/**
 * The historical `dont_notify` and `coalesce` are kept as they came, for clients that compare what they wrote with what
 * they read, and mean nothing when the rule applies. spec: client-server-api#historical-actions
 */
function parseActions(actions: unknown): readonly PushAction[] | MatrixError {
  if (actions === undefined) return missingParam("'actions' is missing")
  if (!Array.isArray(actions)) return badJson("'actions' must be a list")
  if (isTooMuch(actions)) return invalidParam('The rule has too many actions, or too long ones')
  if (!actions.every(isAction)) return invalidParam('An action is neither "notify" nor a tweak')
  return actions
}

const WORDS: readonly unknown[] = ['notify', 'dont_notify', 'coalesce']

const isAction = (action: unknown): action is PushAction =>
  WORDS.includes(action) || (isObject(action) && typeof action.set_tweak === 'string')

const isTooMuch = (parts: readonly unknown[]): boolean =>
  parts.length > RULE_PARTS_LIMIT || parts.some((part) => JSON.stringify(part).length > RULE_TEXT_LIMIT)

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
