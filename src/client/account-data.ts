import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import * as schema from '#schema/client/account-data.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { forbidden, MatrixError, notFound } from '#schema/matrix-error.ts'
import { findAccountDataJson } from '#store/account-data.ts'
import { PUSH_RULES_TYPE, pushRulesJson } from '#store/push-rules.ts'

const OF_ACCOUNT = '/user/:userId/account_data/:type'
const OF_ROOM = '/user/:userId/rooms/:roomId/account_data/:type'

export const accountDataPage = (server: Homeserver) => {
  const read = (userId: UserId, roomId: RoomId | null, type: string): Response => {
    if (roomId === null && type === PUSH_RULES_TYPE) return rawJson(pushRulesJson(server.store, userId))
    const json = findAccountDataJson(server.store, userId, roomId, type)
    if (json === undefined) throw notFound('There is no account data of this type')
    return rawJson(json)
  }

  return page()
    .get(
      `/_matrix/client/v3${OF_ACCOUNT}`,
      signedIn(server, schema.getAccountData, ({ params: { userId, type }, requester }) => {
        checkOwner(userId, requester)
        return read(userId, null, type)
      }),
    )
    .get(
      `/_matrix/client/v3${OF_ROOM}`,
      signedIn(server, schema.getAccountDataPerRoom, ({ params: { userId, roomId, type }, requester }) => {
        checkOwner(userId, requester)
        return read(userId, roomId, type)
      }),
    )
    .put(
      `/_matrix/client/v3${OF_ACCOUNT}`,
      signedIn(server, schema.setAccountData, async ({ params: { userId, type }, body, requester, cause }) => {
        checkOwner(userId, requester)
        checkType(type)
        await server.user(userId).ask({ kind: 'setAccountData', roomId: null, type, content: body as JsonObject }, cause)
        return {}
      }),
    )
    .put(
      `/_matrix/client/v3${OF_ROOM}`,
      signedIn(server, schema.setAccountDataPerRoom, async ({ params, body, requester, cause }) => {
        const { userId, roomId, type } = params
        checkOwner(userId, requester)
        checkType(type)
        await server.user(userId).ask({ kind: 'setAccountData', roomId, type, content: body as JsonObject }, cause)
        return {}
      }),
    )
    .delete(
      `/_matrix/client/unstable/org.matrix.msc3391${OF_ACCOUNT}`,
      signedIn(server, schema.deleteAccountData, async ({ params: { userId, type }, requester, cause }) => {
        checkOwner(userId, requester)
        checkType(type)
        await server.user(userId).ask({ kind: 'deleteAccountData', roomId: null, type }, cause)
        return {}
      }),
    )
    .delete(
      `/_matrix/client/unstable/org.matrix.msc3391${OF_ROOM}`,
      signedIn(server, schema.deleteAccountDataPerRoom, async ({ params: { userId, roomId, type }, requester, cause }) => {
        checkOwner(userId, requester)
        checkType(type)
        await server.user(userId).ask({ kind: 'deleteAccountData', roomId, type }, cause)
        return {}
      }),
    )
}

function checkOwner(userId: UserId, requester: Requester): void {
  if (userId !== requester.userId) throw forbidden('Account data are seen and changed by their owner only')
}

/** These have endpoints of their own. spec: client-server-api#client-config */
const MADE_HERE: readonly string[] = ['m.fully_read', PUSH_RULES_TYPE]

function checkType(type: string): void {
  if (MADE_HERE.includes(type)) throw new MatrixError(405, 'M_BAD_JSON', `${type} cannot be changed through this endpoint`)
}
