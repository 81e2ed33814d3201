import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { markFullyRead, mayGoBack } from '#http/read-marks.ts'
import { setReadMarker } from '#schema/client/read-markers.ts'

export const readMarkersPage = (server: Homeserver) =>
  page().post(
    '/_matrix/client/v3/rooms/:roomId/read_markers',
    signedIn(server, setReadMarker, async ({ params: { roomId }, body, requester: { userId }, cause }) => {
      const fullyRead = body['m.fully_read']
      if (fullyRead) await markFullyRead(server, { roomId, userId, eventId: fullyRead, mayGoBack: mayGoBack(body), cause })
      for (const receiptType of ['m.read', 'm.read.private'] as const) {
        const eventId = body[receiptType]
        if (!eventId) continue
        await server.room(roomId).ask({ kind: 'postReceipt', userId, receiptType, eventId, threadId: null }, cause)
      }
      return {}
    }),
  )
