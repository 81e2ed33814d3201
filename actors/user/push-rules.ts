import { ringUsers } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { addRule, NO_PUSH_RULE_CHOICES, removeRule, type RulePlace, setActions, setEnabled } from '#core/push-rules/ruleset.ts'
import type { Json } from '#schema/pdu.ts'
import type { PushFact } from '#schema/journal/push.ts'
import { MatrixError, tooLarge } from '#schema/matrix-error.ts'
import type { PushRuleChoices } from '#schema/push-rules.ts'
import { whyNotActive } from './account.ts'
import type { User, UserApply, UserDecide } from './memory.ts'

/** All that one user chose, as JSON: every change writes it anew. */
export const PUSH_RULES_LIMIT_BYTES = 524_288

type Rule = { ruleKind: string; ruleId: string }

/** What clients send is checked where it is understood. spec: client-server-api#push-rules-api */
export type PushRuleCommand =
  | Command<'setPushRule', Rule & { body: Json; place: RulePlace }>
  | Command<'deletePushRule', Rule>
  | Command<'setPushRuleEnabled', Rule & { enabled: Json | undefined }>
  | Command<'setPushRuleActions', Rule & { actions: Json | undefined }>

type PushRuleFact = OfKind<PushFact, 'pushRulesChanged'>

export const decide = {
  setPushRule: (user, { ruleKind, ruleId, body, place }) =>
    change(user, addRule(user.pushRules, ruleKind, ruleId, body, place)),

  deletePushRule: (user, { ruleKind, ruleId }) => change(user, removeRule(user.pushRules, ruleKind, ruleId)),

  setPushRuleEnabled: (user, { ruleKind, ruleId, enabled }) =>
    change(user, setEnabled(user.pushRules, { kind: ruleKind, ruleId }, enabled)),

  setPushRuleActions: (user, { ruleKind, ruleId, actions }) =>
    change(user, setActions(user.pushRules, { kind: ruleKind, ruleId }, actions)),
} satisfies UserDecide<PushRuleCommand, PushRuleFact>

export const apply = {
  pushRulesChanged(user, { choices }) {
    user.pushRules = choices
  },
} satisfies UserApply<PushRuleFact>

/** An account that ends has the default rules. */
export const forgetPushRules = (user: User): void => void (user.pushRules = NO_PUSH_RULE_CHOICES)

function change(user: User, choices: PushRuleChoices | MatrixError) {
  const why = whyNotActive(user)
  if (why) return { refuse: why }
  if (choices instanceof MatrixError) return { refuse: choices }
  const json = JSON.stringify(choices)
  if (json === JSON.stringify(user.pushRules)) return { reply: undefined }
  if (Buffer.byteLength(json) > PUSH_RULES_LIMIT_BYTES)
    return { refuse: tooLarge(`Push rules may have at most ${PUSH_RULES_LIMIT_BYTES} bytes in all`) }
  const { userId } = user
  const changed: PushRuleFact = { kind: 'pushRulesChanged', userId, choices }
  return { facts: [changed], effects: [ringUsers([userId], 'account-data')], reply: undefined }
}
