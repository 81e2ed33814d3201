import type { ClientEvent } from '#core/sync/client-event.ts'
import { parseSyncToken, printSyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { connectionOf } from '#http/connection.ts'
import { type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { oldAccountData, oldPresence, oldReceipts, printOldEvent, usersInRoom, usersInSight } from '#http/old-events.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { noticeSync } from '#http/presence.ts'
import { readerOrNone, type RoomReader, roomReader } from '#http/room-reader.ts'
import type { Seen } from '#notifier'
import { getEvents, getOneEvent } from '#schema/client/events.ts'
import { readInteger } from '#schema/client/query.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, notFound } from '#schema/matrix-error.ts'
import { listAccountDataBetween } from '#store/account-data.ts'
import { findClientEvent, findClientEventByNum, printFor } from '#store/client-events.ts'
import { findEvent } from '#store/events.ts'
import { listEventsAfter } from '#store/event-times.ts'
import { listMembershipsBetween } from '#store/sync/memberships.ts'

/** Who names no time is kept waiting for this long, and nobody for longer than the other. */
const TIMEOUT_DEFAULT_MS = 30_000
const LONGEST_WAIT_MS = 5 * 60_000
const LIMIT_DEFAULT = 100
const LIMIT = 1_000
/** Rooms that one is not in wake nobody, so those who look in from outside look again this often. */
const PEEK_EVERY_MS = 500

export const eventsPage = (server: Homeserver) =>
  page()
    .get('/_matrix/client/v3/events', signedIn(server, getEvents, (call) => listen(server, call)))
    .get(
      '/_matrix/client/v3/events/:eventId',
      signedIn(server, getOneEvent, ({ params: { eventId }, requester }) => {
        const roomId = findEvent(server.store, eventId)?.roomId
        const reader = roomId && readerOrNone(server, roomId, requester)
        const event = reader && findClientEvent(server.store, reader.roomId, eventId)
        if (!event || !reader.maySee(event)) throw notFound('There is no such event, or you may not see it')
        return printOldEvent(reader, event)
      }),
    )

/** spec: client-server-api#get_matrixclientv3events */
async function listen(server: Homeserver, { query, requester, request, cause }: SignedInCall<typeof getEvents>): Promise<object> {
  const { notifier, clock } = server
  const limit = readLimit(query.limit === undefined ? undefined : Number(query.limit), LIMIT_DEFAULT, LIMIT)
  if (requester.isGuest && query.room_id === undefined) throw new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', 'Guests name the room that they look into')
  const peeked = query.room_id === undefined ? undefined : roomReader(server, query.room_id, requester)
  connectionOf(request).keepOpen()
  const waitMs = Math.min(readInteger(query.timeout, TIMEOUT_DEFAULT_MS), LONGEST_WAIT_MS)
  const deadline = clock.now() + waitMs
  await noticeSync(server, requester, { presence: 'online', waitMs, signal: request.signal, cause })
  const start = query.from ? readPlace(server, query.from) : notifier.seen
  const watch = notifier.watch(requester.userId)
  for (let from = start; ;) {
    const { seen } = notifier
    const { chunk, end } = peeked ? readPeeked(server, peeked, { from, seen, limit }) : readNews(server, requester, { from, seen, limit })
    const left = deadline - clock.now()
    // A page that was full of what this user may not see is followed by the next one.
    const isGap = chunk.length === 0 && end.position < seen.position
    if (!isGap && (chunk.length > 0 || left <= 0 || request.signal.aborted || notifier.isStopping)) return { start: query.from ?? printPlace(server, start), chunk, end: printPlace(server, end) }
    from = end
    if (!isGap) await notifier.wait(watch, seen, peeked ? Math.min(left, PEEK_EVERY_MS) : left, request.signal)
  }
}

const printPlace = ({ bootId }: Homeserver, { position, volatile }: Seen): string => printSyncToken({ position, boot: bootId, volatile })

function readPlace({ bootId }: Homeserver, text: string): Seen {
  const token = parseSyncToken(text)
  if (!token) throw invalidParam('from is not a token of this server')
  return { position: token.position, volatile: token.boot === bootId ? token.volatile : 0 }
}

type Window = Readonly<{ from: Seen; seen: Seen; limit: number }>
type News = Readonly<{ chunk: object[]; end: Seen }>

/** Everything that is new in the rooms a user is in, and what became of the others. */
function readNews(server: Homeserver, requester: Requester, window: Window): News {
  const { store, notifier } = server
  const { userId } = requester
  const { from, seen } = window
  const rooms = [...notifier.watch(userId).rooms]
  const moved = rooms.filter((roomId) => from.position < notifier.floor || (notifier.movedAt(roomId) ?? 0) > from.position)
  const readers = moved.flatMap((roomId) => readerOrNone(server, roomId, requester) ?? [])
  const own = listMembershipsBetween(store, userId, from.position, seen.position)
    .filter(({ membership }) => membership !== 'join')
    .flatMap(({ roomId, event }): Found[] => {
      const found = findClientEventByNum(store, event)
      return found ? [{ event: found, print: () => printOldEvent({ print: (shown) => printFor(store, shown, { now: server.clock.now() }, roomId) }, found) }] : []
    })
  const { events, end, isCut } = firstOf([...readers.flatMap((reader) => readRoom(server, reader, window)), ...own], window)
  if (isCut) return { chunk: events, end }
  const others = [
    ...rooms.flatMap((roomId) => typingIn(server, roomId, from)),
    ...readers.flatMap((reader) => oldReceipts(server, reader, reader.roomId, from.position, seen.position)),
    ...oldPresence(server, usersInSight(server, userId, from.volatile)),
    ...oldAccountData(listAccountDataBetween(store, userId, from.position, seen.position)),
  ]
  return { chunk: [...events, ...others], end }
}

/** What is new in one room, whether one is in it or only looks in. spec: client-server-api#room-previews */
function readPeeked(server: Homeserver, reader: RoomReader, window: Window): News {
  const { from, seen } = window
  const { roomId } = reader
  const { events, end, isCut } = firstOf(readRoom(server, reader, window), window)
  if (isCut || reader.until !== Infinity) return { chunk: events, end }
  const others = [
    ...typingIn(server, roomId, from),
    ...oldReceipts(server, reader, roomId, from.position, seen.position),
    ...oldPresence(server, usersInRoom(server, roomId, from.volatile)),
  ]
  return { chunk: [...events, ...others], end }
}

type Found = Readonly<{ event: ClientEvent; print: () => object }>

/** One more than is wanted, so that it shows whether there is more. */
const readRoom = ({ store }: Homeserver, reader: RoomReader, { from, seen, limit }: Window): Found[] =>
  listEventsAfter(store, { roomId: reader.roomId, since: from.position, until: seen.position, limit: limit + 1 })
    .map((event) => ({ event, print: () => (reader.maySee(event) ? printOldEvent(reader, event) : HIDDEN) }))

const HIDDEN = {}

/** The oldest of them; what is cut off comes with the next call. */
function firstOf(found: readonly Found[], { from, seen, limit }: Window): { events: object[]; end: Seen; isCut: boolean } {
  const inOrder = found.toSorted((one, other) => one.event.num - other.event.num)
  const distinct = inOrder.filter(({ event }, at) => event.num !== inOrder[at - 1]?.event.num)
  const shown = distinct.slice(0, limit)
  const isCut = shown.length > 0 && distinct.length > limit
  const last = shown.at(-1)
  return {
    events: shown.map(({ print }) => print()).filter((event) => event !== HIDDEN),
    end: isCut && last ? { position: last.event.num, volatile: from.volatile } : seen,
    isCut,
  }
}

function typingIn({ notifier }: Homeserver, roomId: RoomId, { volatile }: Seen): object[] {
  const typing = notifier.typingIn(roomId)
  return typing && typing.volatile > volatile ? [{ type: 'm.typing', room_id: roomId, content: { user_ids: typing.userIds } }] : []
}
