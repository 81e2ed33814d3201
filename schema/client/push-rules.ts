import { Type } from '@sinclair/typebox'

const Rule = Type.Object({ kind: Type.String(), ruleId: Type.String() })
const Anything = Type.Record(Type.String(), Type.Unknown())

/** spec: client-server-api#get_matrixclientv3pushrules */
export const getPushRules = {}

/** spec: client-server-api#get_matrixclientv3pushrulesglobal */
export const getPushRulesGlobal = {}

/** All rules of one kind. No part of the spec; SyTest and old clients read it. */
export const getPushRulesOfKind = { params: Type.Object({ kind: Type.String() }) }

/** spec: client-server-api#get_matrixclientv3pushrulesglobalkindruleid */
export const getPushRule = { params: Rule }

/** What is wrong with a rule is told by whoever understands it. spec: client-server-api#put_matrixclientv3pushrulesglobalkindruleid */
export const setPushRule = {
  params: Rule,
  query: Type.Object({ before: Type.Optional(Type.String()), after: Type.Optional(Type.String()) }),
  body: Anything,
}

/** spec: client-server-api#delete_matrixclientv3pushrulesglobalkindruleid */
export const deletePushRule = { params: Rule }

/** spec: client-server-api#get_matrixclientv3pushrulesglobalkindruleidenabled */
export const isPushRuleEnabled = { params: Rule }

/** spec: client-server-api#put_matrixclientv3pushrulesglobalkindruleidenabled */
export const setPushRuleEnabled = { params: Rule, body: Anything }

/** spec: client-server-api#get_matrixclientv3pushrulesglobalkindruleidactions */
export const getPushRuleActions = { params: Rule }

/** spec: client-server-api#put_matrixclientv3pushrulesglobalkindruleidactions */
export const setPushRuleActions = { params: Rule, body: Anything }

/** What is below `pushrules/` and none of the above: another scope, no kind or rule, an attribute that rules do not have. */
export const misnamedPushRule = {}
