import type { JsonObject } from '#schema/pdu.ts'
import { parseFilter } from '#core/sync/filter.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { defineFilter, getFilter } from '#schema/client/filter.ts'
import type { UserId } from '#schema/identifiers.ts'
import { forbidden, MatrixError, notFound } from '#schema/matrix-error.ts'
import { findFilter } from '#store/filters.ts'

export const filterPage = (server: Homeserver) =>
  page()
    .post(
      '/_matrix/client/v3/user/:userId/filter',
      signedIn(server, defineFilter, async ({ params: { userId }, body, requester, cause }) => {
        checkOwner(userId, requester)
        const parsed = parseFilter(body)
        if (parsed instanceof MatrixError) throw parsed
        const { filterId } = await server.user(userId).ask({ kind: 'defineFilter', filter: body as JsonObject }, cause)
        return { filter_id: filterId }
      }),
    )
    .get(
      '/_matrix/client/v3/user/:userId/filter/:filterId',
      signedIn(server, getFilter, ({ params: { userId, filterId }, requester }) => {
        checkOwner(userId, requester)
        const filter = findFilter(server.store, userId, filterId)
        if (!filter) throw notFound('There is no such filter')
        return filter
      }),
    )

function checkOwner(userId: UserId, requester: Requester): void {
  if (userId !== requester.userId) throw forbidden('Filters are defined and read by their owner only')
}
