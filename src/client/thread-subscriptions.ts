import { parseSyncToken } from '#core/sync/token.ts'
import { getByPath } from '#core/dot-path.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { roomReader } from '#http/room-reader.ts'
import { rawJson } from '#http/endpoint.ts'
import { readInteger } from '#schema/client/query.ts'
import * as schema from '#schema/client/thread-subscriptions.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, notFound } from '#schema/matrix-error.ts'
import { findClientEvent } from '#store/client-events.ts'
import { findThreadSubscription, listThreadSubscriptions, printThreadSubscriptions } from '#store/thread-subscriptions.ts'

const SUBSCRIPTION = '/_matrix/client/unstable/io.element.msc4306/rooms/:roomId/thread/:rootId/subscription'
const LIMIT_DEFAULT = 100
const LIMIT = 512

/** Threads that a user follows: MSC4306, and MSC4308 to catch up on them. */
export const threadSubscriptionsPage = (server: Homeserver) =>
  page()
    .get(
      SUBSCRIPTION,
      signedIn(server, schema.getThreadSubscription, ({ params: { roomId, rootId }, requester }) => {
        checkEvent(server, roomId, rootId, requester)
        const subscription = findThreadSubscription(server.store, requester.userId, roomId, rootId)
        if (!subscription?.isSubscribed) throw notFound('You have not subscribed to this thread')
        return { automatic: subscription.isAutomatic }
      }),
    )
    .put(
      SUBSCRIPTION,
      signedIn(server, schema.subscribeToThread, async ({ params: { roomId, rootId }, body, requester, cause }) => {
        checkEvent(server, roomId, rootId, requester)
        const automatic = body.automatic === undefined ? null : causeOf(server, roomId, rootId, body.automatic, requester)
        await server.user(requester.userId).ask({ kind: 'subscribeToThread', roomId, rootId, automatic }, cause)
        return {}
      }),
    )
    .delete(
      SUBSCRIPTION,
      signedIn(server, schema.unsubscribeFromThread, async ({ params: { roomId, rootId }, requester, cause }) => {
        checkEvent(server, roomId, rootId, requester)
        await server.user(requester.userId).ask({ kind: 'unsubscribeFromThread', roomId, rootId }, cause)
        return {}
      }),
    )
    .get(
      '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
      signedIn(server, schema.listThreadSubscriptions, ({ query, requester: { userId } }) => {
        const limit = Math.min(readInteger(query.limit, LIMIT_DEFAULT), LIMIT)
        if (limit <= 0) throw invalidParam('limit must be greater than 0')
        const until = query.from ? readPosition(query.from, 'from') : server.notifier.seen.position
        const since = query.to ? readPosition(query.to, 'to') : 0
        const { changes, more } = listThreadSubscriptions(server.store, { userId, since, until, limit })
        const members = [printThreadSubscriptions(changes), more === undefined ? '' : `"end":"${more}"`]
        return rawJson(`{${members.filter((member) => member !== '').join(',')}}`)
      }),
    )

/** Its own tokens are positions; where a listing ends may also be the `pos` of a sliding sync. */
function readPosition(text: string, name: string): number {
  const position = /^\d{1,15}$/.test(text) ? Number(text) : parseSyncToken(text)?.position
  if (position === undefined) throw invalidParam(`${name} is not a token of this server`)
  return position
}

/** Throws `M_NOT_FOUND` for what is not there or may not be seen. */
function checkEvent(server: Homeserver, roomId: RoomId, eventId: EventId, requester: Requester) {
  const event = findClientEvent(server.store, roomId, eventId)
  if (!event || !maySee(server, roomId, requester)?.maySee(event)) throw notFound('There is no such event in this room')
  return event
}

function maySee(server: Homeserver, roomId: RoomId, requester: Requester) {
  try {
    return roomReader(server, roomId, requester)
  } catch (error) {
    if (error instanceof MatrixError) return undefined
    throw error
  }
}

/** The number of the event because of which a client subscribes by itself; it must be in the thread. */
function causeOf(server: Homeserver, roomId: RoomId, rootId: EventId, eventId: EventId, requester: Requester): number {
  const { num, body } = checkEvent(server, roomId, eventId, requester)
  const event: unknown = JSON.parse(`${body}}`)
  const relation = (key: string): unknown => getByPath(event as never, `content.m\\.relates_to.${key}`)
  if (relation('rel_type') === 'm.thread' && relation('event_id') === rootId) return num
  throw new MatrixError(400, 'IO.ELEMENT.MSC4306.M_NOT_IN_THREAD', 'That event is not in this thread')
}
