import { type PushFeatures, type Ruleset } from '#core/push-rules/defaults.ts'
import { NO_PUSH_RULE_CHOICES, rulesetFor } from '#core/push-rules/ruleset.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { PushRulesChanged } from '#schema/journal/push.ts'
import type { PushRuleChoices } from '#schema/push-rules.ts'
import type { AccountDataRow } from './account-data.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Which proposals bring default rules of their own: the same for those who read the rules and those who count by them. */
export const PUSH_FEATURES: PushFeatures = {}

/** Table `push_rules`: what users have chosen; the default rules are added when the rules are read. */
export const projectPushRulesChanged: Project<PushRulesChanged> = ({ db, names }, { userId, choices }, position) => {
  db.query('INSERT OR REPLACE INTO push_rules (user, choices, position) VALUES (?, ?, ?)')
    .run(names.numberOf(userId), JSON.stringify(choices), position)
}

export const deletePushRulesOf = ({ db, names }: Store, userId: UserId): void =>
  void db.query('DELETE FROM push_rules WHERE user = ?').run(names.numberOf(userId))

type Row = { choices: string; position: number }

const findRow = ({ db, names }: Store, userId: UserId): Row | null =>
  db.query<Row, [number]>('SELECT choices, position FROM push_rules WHERE user = ?').get(names.find(userId) ?? -1)

/** All rules of a user, the default ones among them. spec: client-server-api#push-rules */
export function findPushRules(store: Store, userId: UserId): Ruleset {
  const row = findRow(store, userId)
  return rulesetFor(row ? (JSON.parse(row.choices) as PushRuleChoices) : NO_PUSH_RULE_CHOICES, userId, PUSH_FEATURES)
}

export const PUSH_RULES_TYPE = 'm.push_rules'

/** The content of the account data `m.push_rules`, as JSON. spec: client-server-api#push-rules-events */
export const pushRulesJson = (store: Store, userId: UserId): string => JSON.stringify({ global: findPushRules(store, userId) })

/** Whether the rules changed after `since`, up to and including `until`. */
export function havePushRulesChanged(store: Store, userId: UserId, since: number, until: number): boolean {
  const { position } = findRow(store, userId) ?? { position: 0 }
  return position > since && position <= until
}

/** The rules as one more piece of account data, for a sync: always at first (`since` 0), and then when they have changed. */
export function listPushRulesBetween(store: Store, userId: UserId, since: number, until: number): AccountDataRow[] {
  if (since > 0 && !havePushRulesChanged(store, userId, since, until)) return []
  return [{ roomId: null, type: PUSH_RULES_TYPE, json: pushRulesJson(store, userId), position: until }]
}
