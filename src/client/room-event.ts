import type { ClientEvent } from '#core/sync/client-event.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { findLevels } from '#http/room-levels.ts'
import { eventReader } from '#http/room-reader.ts'
import { readBoolean } from '#schema/client/query.ts'
import { getOneRoomEvent } from '#schema/client/room-event.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { forbidden, MatrixError, notFound } from '#schema/matrix-error.ts'
import { findClientEvent, findUnredactedEvent } from '#store/client-events.ts'
import { findMembership } from '#store/memberships.ts'

export const roomEventPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/rooms/:roomId/event/:eventId',
    signedIn(server, getOneRoomEvent, ({ params: { roomId, eventId }, query, requester }) => {
      // Here the spec wants 404 for what may not be seen as well.
      const reader = eventReader(server, roomId, requester)
      const event = reader && findClientEvent(server.store, roomId, eventId)
      if (!event || !reader.maySee(event)) throw notFound('There is no such event, or you may not see it')
      const asked = query.include_unredacted_content ?? query['fi.mau.msc2815.include_unredacted_content']
      return rawJson(reader.printAll([readBoolean(asked) ? unredacted(server, roomId, event, requester) : event]))
    }),
  )

/** What a redacted event said, for those who may redact others' (MSC2815), as long as it is kept. */
function unredacted(server: Homeserver, roomId: RoomId, event: ClientEvent, { userId, isAdmin }: Requester): ClientEvent {
  const { store, config } = server
  const levels = findLevels(server, roomId)
  const isModerator = levels !== undefined && levels.user(userId) >= levels.redact && findMembership(store, roomId, userId)?.membership === 'join'
  if (!isAdmin && !isModerator) throw forbidden('You may not see what redacted events of this room said')
  if (event.redactedBy === null) return event
  const original = findUnredactedEvent(store, event.num)
  if (original) return original
  const kept = config.redactionRetentionPeriod === null ? {} : { 'fi.mau.msc2815.content_keep_ms': config.redactionRetentionPeriod }
  throw new MatrixError(404, 'FI.MAU.MSC2815_UNREDACTED_CONTENT_DELETED', 'What this event said is not kept any more', kept)
}
