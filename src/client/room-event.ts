import type { Homeserver } from '#homeserver'
import { rawJson, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { readerOrNone } from '#http/room-reader.ts'
import { getOneRoomEvent } from '#schema/client/room-event.ts'
import { notFound } from '#schema/matrix-error.ts'
import { findClientEvent } from '#store/client-events.ts'

export const roomEventPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/rooms/:roomId/event/:eventId',
    signedIn(server, getOneRoomEvent, ({ params: { roomId, eventId }, requester }) => {
      // Here the spec wants 404 for what may not be seen as well.
      const reader = readerOrNone(server, roomId, requester)
      const event = reader && findClientEvent(server.store, roomId, eventId)
      if (!event || !reader.maySee(event)) throw notFound('There is no such event, or you may not see it')
      return rawJson(reader.printAll([event]))
    }),
  )
