import type { ClientEvent } from '#core/sync/client-event.ts'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { SCAN_LIMIT } from '#http/history.ts'
import { page } from '#http/page.ts'
import { type RoomReader, roomReader } from '#http/room-reader.ts'
import { getEventByTimestamp } from '#schema/client/timestamp-to-event.ts'
import { notFound } from '#schema/matrix-error.ts'
import { listEventsByTime } from '#store/event-times.ts'
import type { Store } from '#store/store.ts'

/** Events that one look takes; the first of them is nearly always the answer. */
const BATCH = 20

export const timestampToEventPage = (server: Homeserver) => {
  const find = signedIn(server, getEventByTimestamp, ({ params: { roomId }, query, requester }) => {
    const reader = roomReader(server, roomId, requester)
    const event = closestTo(server.store, reader, Number(query.ts), query.dir)
    if (!event) throw notFound(`There is no event that you may see ${query.dir === 'f' ? 'after' : 'before'} ${query.ts}`)
    return { event_id: event.eventId, origin_server_ts: event.ts }
  })
  return page()
    .get('/_matrix/client/v1/rooms/:roomId/timestamp_to_event', find)
    .get('/_matrix/client/unstable/org.matrix.msc3030/rooms/:roomId/timestamp_to_event', find)
}

function closestTo(store: Store, { roomId, maySee }: RoomReader, ts: number, dir: 'b' | 'f'): ClientEvent | undefined {
  for (let offset = 0; offset < SCAN_LIMIT; offset += BATCH) {
    const events = listEventsByTime(store, { roomId, ts, dir, limit: BATCH, offset })
    const found = events.find(maySee)
    if (found || events.length < BATCH) return found
  }
  return undefined
}
