import type { ClientEvent } from '#core/sync/client-event.ts'
import type { EventFilter } from '#core/sync/filter.ts'
import { printTimelineToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { after, before, membersOf, readHistory } from '#http/history.ts'
import { page } from '#http/page.ts'
import { readEventFilter, readLimit } from '#http/pagination.ts'
import { type RoomReader, roomReader } from '#http/room-reader.ts'
import { getEventContext } from '#schema/client/event-context.ts'
import { notFound } from '#schema/matrix-error.ts'
import { findClientEvent } from '#store/client-events.ts'
import { passesFilter } from '#store/event-filter.ts'
import { listStateAt } from '#store/state-at.ts'
import { placeAt } from '#store/timeline.ts'

const LIMIT_DEFAULT = 10
const LIMIT = 100

export const eventContextPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/rooms/:roomId/context/:eventId',
    signedIn(server, getEventContext, (call) => rawJson(readContext(server, call))),
  )

/** spec: client-server-api#get_matrixclientv3roomsroomidcontexteventid */
function readContext(server: Homeserver, { params: { roomId, eventId }, query, requester }: SignedInCall<typeof getEventContext>): string {
  const { store } = server
  const limit = readLimit(query.limit === undefined ? undefined : Number(query.limit), LIMIT_DEFAULT, LIMIT)
  const filter = readEventFilter(query.filter)
  const reader = roomReader(server, roomId, requester)
  const event = findClientEvent(store, roomId, eventId)
  if (!event || !reader.maySee(event)) throw notFound('There is no such event, or you may not see it')

  const edge = reader.until === Infinity ? undefined : placeAt(store, roomId, reader.until)
  const earlier = readHistory(store, reader, { from: before(event), dir: 'b', limit: Math.floor(limit / 2), filter })
  const later = readHistory(store, reader, { from: after(event), to: edge, dir: 'f', limit: Math.ceil(limit / 2), filter })
  const state = stateAround(server, reader, { event, earlier: earlier.events, later: later.events, filter })
  const print = (events: readonly ClientEvent[]): string => `[${reader.printAll(events)}]`
  return `{"event":${reader.printAll([event])},"events_before":${print(earlier.events)},"events_after":${print(later.events)}` +
    `,"start":"${printTimelineToken(earlier.end)}","end":"${printTimelineToken(later.end)}","state":${print(state)}}`
}

type Around = Readonly<{ event: ClientEvent; earlier: readonly ClientEvent[]; later: readonly ClientEvent[]; filter: EventFilter }>

/** The state at the last event that is shown; the filter counts for it too. */
function stateAround({ store }: Homeserver, { roomId }: RoomReader, { event, earlier, later, filter }: Around): ClientEvent[] {
  const { num } = later.at(-1) ?? event
  const state = filter.lazyLoadMembers
    ? [
        ...listStateAt(store, roomId, num).filter(({ type }) => type !== 'm.room.member'),
        ...membersOf(store, roomId, [...earlier, event, ...later], num),
      ]
    : listStateAt(store, roomId, num)
  return state.filter((each) => passesFilter(store, filter, each, roomId))
}
