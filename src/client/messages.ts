import { printTimelineToken, type TimelineToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { membersOf, readHistory } from '#http/history.ts'
import { page } from '#http/page.ts'
import { earlier, placeIn, readEventFilter, readLimit, readPlace } from '#http/pagination.ts'
import { type RoomReader, roomReader } from '#http/room-reader.ts'
import { getRoomEvents } from '#schema/client/messages.ts'
import { placeAt } from '#store/timeline.ts'

const LIMIT_DEFAULT = 10
const LIMIT = 1_000

export const messagesPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/rooms/:roomId/messages',
    signedIn(server, getRoomEvents, (call) => rawJson(readMessages(server, call))),
  )

/** spec: client-server-api#get_matrixclientv3roomsroomidmessages */
function readMessages(server: Homeserver, { params: { roomId }, query, requester }: SignedInCall<typeof getRoomEvents>): string {
  const { store } = server
  const limit = readLimit(query.limit === undefined ? undefined : Number(query.limit), LIMIT_DEFAULT, LIMIT)
  const filter = readEventFilter(query.filter)
  const reader = roomReader(server, roomId, requester)
  const { from, to } = boundsOf(server, reader, query)
  const { events, end, isLast } = readHistory(store, reader, { from, to, dir: query.dir, limit, filter })
  const state = filter.lazyLoadMembers && events[0] ? membersOf(store, roomId, events, events[0].num) : []
  // Whoever gets events may ask for more; nothing at all and nothing further is the end of what they can see (G-78).
  const isEnd = isLast && events.length === 0
  return `{"chunk":[${reader.printAll(events)}],"start":${JSON.stringify(query.from || printTimelineToken(from))}${
    isEnd ? '' : `,"end":"${printTimelineToken(end)}"`}${state.length > 0 ? `,"state":[${reader.printAll(state)}]` : ''}}`
}

const BEGINNING: TimelineToken = { depth: 0, num: 0 }

/** Whoever has left sees what came until then, whichever way they read. */
function boundsOf(
  { store }: Homeserver,
  { roomId, until }: RoomReader,
  { dir, from, to }: SignedInCall<typeof getRoomEvents>['query'],
): { from: TimelineToken; to: TimelineToken | undefined } {
  const start = from ? placeIn(store, roomId, readPlace(from, 'from')) : undefined
  const stop = to ? placeIn(store, roomId, readPlace(to, 'to')) : undefined
  const edge = until === Infinity ? undefined : placeAt(store, roomId, until)
  if (dir === 'f') return { from: start ?? BEGINNING, to: edge && stop ? earlier(edge, stop) : (edge ?? stop) }
  const newest = start ?? placeAt(store, roomId, Number.MAX_SAFE_INTEGER)
  return { from: edge ? earlier(edge, newest) : newest, to: stop }
}
