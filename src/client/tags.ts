import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import * as schema from '#schema/client/tags.ts'
import type { UserId } from '#schema/identifiers.ts'
import { forbidden } from '#schema/matrix-error.ts'
import { findAccountData } from '#store/account-data.ts'

const TAG = '/_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag'

export const tagsPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/user/:userId/rooms/:roomId/tags',
      signedIn(server, schema.getRoomTags, ({ params: { userId, roomId }, requester }) => {
        checkOwner(userId, requester)
        return { tags: findAccountData(server.store, userId, roomId, 'm.tag')?.tags ?? {} }
      }),
    )
    .put(
      TAG,
      signedIn(server, schema.setRoomTag, async ({ params: { userId, roomId, tag }, body, requester, cause }) => {
        checkOwner(userId, requester)
        await server.user(userId).ask({ kind: 'setRoomTag', roomId, tag, content: body as JsonObject }, cause)
        return {}
      }),
    )
    .delete(
      TAG,
      signedIn(server, schema.deleteRoomTag, async ({ params: { userId, roomId, tag }, requester, cause }) => {
        checkOwner(userId, requester)
        await server.user(userId).ask({ kind: 'deleteRoomTag', roomId, tag }, cause)
        return {}
      }),
    )

function checkOwner(userId: UserId, requester: Requester): void {
  if (userId !== requester.userId) throw forbidden('Tags are seen and changed by their owner only')
}
