import type { JsonObject } from '#schema/pdu.ts'

/**
 * `notify`, or a tweak such as `{ set_tweak: 'sound', value: 'default' }`.
 * spec: client-server-api#actions
 */
export type PushAction = string | JsonObject
export type PushCondition = JsonObject

/** A rule as clients see it. spec: client-server-api#push-rules */
export type PushRule = Readonly<{
  rule_id: string
  default: boolean
  enabled: boolean
  actions: readonly PushAction[]
  /** Kinds `override`, `underride` and `postcontent`. */
  conditions?: readonly PushCondition[]
  /** Kind `content`. */
  pattern?: string
}>

/** The kinds that a user may add rules to, in the order in which they are checked. */
export const RULE_KINDS = ['override', 'content', 'room', 'sender', 'underride'] as const
export type RuleKind = (typeof RULE_KINDS)[number]

/** The user's own rules by kind, most important first, and their changes to default rules by rule id. */
export type PushRuleChoices = Readonly<{
  own: Readonly<Record<RuleKind, readonly PushRule[]>>
  changes: Readonly<Record<string, Readonly<{ enabled?: boolean; actions?: readonly PushAction[] }>>>
}>
