import { findRule, isRuleKind } from '#core/push-rules/ruleset.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, signedIn } from '#http/endpoint.ts'
import { type Page, page } from '#http/page.ts'
import * as schema from '#schema/client/push-rules.ts'
import type { UserId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, unrecognized } from '#schema/matrix-error.ts'
import type { PushRule } from '#schema/push-rules.ts'
import { findPushRules, pushRulesJson } from '#store/push-rules.ts'

const ALL = '/_matrix/client/v3/pushrules/'
const OF_KIND = '/_matrix/client/v3/pushrules/global/:kind/'
const RULE = '/_matrix/client/v3/pushrules/global/:kind/:ruleId'
/** Scope, kind and attribute are words of the path: a wrong one is a mistake in the question and no other endpoint. */
const ANYTHING = '/_matrix/client/v3/pushrules/*'

export const pushRulesPage = (server: Homeserver) => page([...reading(server).routes, ...writing(server).routes, ...misnamed(server).routes])

function reading(server: Homeserver): Page {
  const read = (userId: UserId, { kind, ruleId }: { kind: string; ruleId: string }): PushRule => {
    const rule = findRule(findPushRules(server.store, userId), kind, ruleId)
    if (rule instanceof MatrixError) throw rule
    return rule
  }

  return page()
    .get(
      ALL,
      signedIn(server, schema.getPushRules, ({ request, requester }) => {
        refuseWithoutSlash(request, 404)
        return rawJson(pushRulesJson(server.store, requester.userId))
      }),
    )
    .get(
      `${ALL}global/`,
      signedIn(server, schema.getPushRulesGlobal, ({ request, requester }) => {
        refuseWithoutSlash(request, 400)
        return findPushRules(server.store, requester.userId)
      }),
    )
    .get(
      OF_KIND,
      signedIn(server, schema.getPushRulesOfKind, ({ params: { kind }, request, requester }) => {
        refuseWithoutSlash(request, 400)
        if (!isRuleKind(kind)) throw invalidParam(`There are no push rules of kind ${kind}`)
        return findPushRules(server.store, requester.userId)[kind]
      }),
    )
    .get(RULE, signedIn(server, schema.getPushRule, ({ params, requester }) => read(requester.userId, params)))
    .get(
      `${RULE}/enabled`,
      signedIn(server, schema.isPushRuleEnabled, ({ params, requester }) => ({ enabled: read(requester.userId, params).enabled })),
    )
    .get(
      `${RULE}/actions`,
      signedIn(server, schema.getPushRuleActions, ({ params, requester }) => ({ actions: read(requester.userId, params).actions })),
    )
}

function writing(server: Homeserver): Page {
  return page()
    .put(
      RULE,
      signedIn(server, schema.setPushRule, async ({ params, query, body, requester, cause }) => {
        const { kind: ruleKind, ruleId } = params
        const rule = { ruleKind, ruleId, body: body as JsonObject, place: query }
        await server.user(requester.userId).ask({ kind: 'setPushRule', ...rule }, cause)
        return {}
      }),
    )
    .delete(
      RULE,
      signedIn(server, schema.deletePushRule, async ({ params: { kind: ruleKind, ruleId }, requester, cause }) => {
        await server.user(requester.userId).ask({ kind: 'deletePushRule', ruleKind, ruleId }, cause)
        return {}
      }),
    )
    .put(
      `${RULE}/enabled`,
      signedIn(server, schema.setPushRuleEnabled, async ({ params: { kind: ruleKind, ruleId }, body, requester, cause }) => {
        const { enabled } = body as JsonObject
        await server.user(requester.userId).ask({ kind: 'setPushRuleEnabled', ruleKind, ruleId, enabled }, cause)
        return {}
      }),
    )
    .put(
      `${RULE}/actions`,
      signedIn(server, schema.setPushRuleActions, async ({ params: { kind: ruleKind, ruleId }, body, requester, cause }) => {
        const { actions } = body as JsonObject
        await server.user(requester.userId).ask({ kind: 'setPushRuleActions', ruleKind, ruleId, actions }, cause)
        return {}
      }),
    )
}

function misnamed(server: Homeserver): Page {
  const refuse = signedIn(server, schema.misnamedPushRule, () => {
    throw unrecognized('No push rules and nothing about one lie at this path', 400)
  })
  return page().get(ANYTHING, refuse).put(ANYTHING, refuse).delete(ANYTHING, refuse)
}

/** The router takes a path with and without its last slash for the same; here only one of them is in the specification. */
function refuseWithoutSlash(request: Request, status: 400 | 404): void {
  if (!new URL(request.url).pathname.endsWith('/')) throw unrecognized('This path ends with a slash', status)
}
