import { NO_EVENT_FILTER } from '#core/sync/filter.ts'
import { printSyncToken, printTimelineToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { readHistory } from '#http/history.ts'
import { oldAccountData, oldPresence, oldReceipts, printOldEvent, usersInSight } from '#http/old-events.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { noticeSync, shownMembers } from '#http/presence.ts'
import { roomReader } from '#http/room-reader.ts'
import type { Seen } from '#notifier'
import { initialSync, roomInitialSync } from '#schema/client/initial-sync.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { listAccountDataOf } from '#store/account-data.ts'
import { findClientEventByNum, printFor } from '#store/client-events.ts'
import { findReach } from '#store/members.ts'
import { findMembership } from '#store/memberships.ts'
import { findPublished } from '#store/public-rooms.ts'
import { listCurrentState, listStateAt } from '#store/state-at.ts'
import { listMemberships, type RoomMembership } from '#store/sync/memberships.ts'
import { placeAt } from '#store/timeline.ts'

const LIMIT_DEFAULT = 10
const LIMIT = 100

/** What clients called before there was /sync, and some still call to look into a room from outside. */
export const initialSyncPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/initialSync',
      signedIn(server, initialSync, async ({ query, requester, request: { signal }, cause }) => {
        await noticeSync(server, requester, { presence: 'online', waitMs: 0, signal, cause })
        return readEverything(server, requester, limitOf(query.limit), query.archived === 'true')
      }),
    )
    .get(
      '/_matrix/client/v3/rooms/:roomId/initialSync',
      signedIn(server, roomInitialSync, ({ params: { roomId }, query, requester }) => {
        const { seen } = server.notifier
        const reader = roomReader(server, roomId, requester)
        const isInside = reader.until === Infinity
        return {
          ...readRoom(server, requester, roomId, { limit: limitOf(query.limit), seen }),
          receipts: isInside ? oldReceipts(server, reader, roomId, 0, seen.position) : [],
          presence: isInside ? oldPresence(server, shownMembers(server, roomId)) : [],
        }
      }),
    )

const limitOf = (text: string | undefined): number => readLimit(text === undefined ? undefined : Number(text), LIMIT_DEFAULT, LIMIT)

const printEnd = ({ bootId }: Homeserver, { position, volatile }: Seen): string => printSyncToken({ position, boot: bootId, volatile })

/** spec: client-server-api#get_matrixclientv3initialsync */
function readEverything(server: Homeserver, requester: Requester, limit: number, isWithArchived: boolean): object {
  const { store, notifier } = server
  const { seen } = notifier
  const { userId } = requester
  const memberships = listMemberships(store, userId)
  const joined = memberships.filter(({ membership }) => membership === 'join')
  const isShown = ({ membership }: RoomMembership): boolean =>
    membership === 'join' || membership === 'invite' || (isWithArchived && (membership === 'leave' || membership === 'ban'))
  return {
    end: printEnd(server, seen),
    rooms: memberships.filter(isShown).map((room) => (wasInside(server, userId, room) ? readRoom(server, requester, room.roomId, { limit, seen }) : printOutside(server, room))),
    presence: oldPresence(server, usersInSight(server, userId)),
    receipts: joined.flatMap(({ roomId }) => oldReceipts(server, roomReader(server, roomId, requester), roomId, 0, seen.position)),
    account_data: oldAccountData(listAccountDataOf(store, userId, null)),
  }
}

/** Invitations show nothing of the room, also when they were turned down. */
const wasInside = ({ store }: Homeserver, userId: UserId, { membership, roomId }: RoomMembership): boolean =>
  membership !== 'invite' && findReach(store, roomId, userId) !== undefined

function printOutside(server: Homeserver, { roomId, membership, event, sender }: RoomMembership): object {
  const own = findClientEventByNum(server.store, event)
  const print = { print: (shown: NonNullable<typeof own>) => printFor(server.store, shown, { now: server.clock.now() }, roomId) }
  return { room_id: roomId, membership, inviter: sender, ...(own && membership === 'invite' ? { invite: printOldEvent(print, own) } : {}) }
}

/** spec: client-server-api#get_matrixclientv3roomsroomidinitialsync */
function readRoom(server: Homeserver, requester: Requester, roomId: RoomId, { limit, seen }: { limit: number; seen: Seen }): object {
  const { store } = server
  const reader = roomReader(server, roomId, requester)
  const membership = findMembership(store, roomId, requester.userId)
  const until = Math.min(reader.until, seen.position)
  const { events, end } = readHistory(store, reader, { from: placeAt(store, roomId, until), dir: 'b', limit, filter: NO_EVENT_FILTER })
  const state = reader.until === Infinity ? listCurrentState(store, roomId) : listStateAt(store, roomId, until)
  return {
    room_id: roomId,
    ...(membership && !membership.isForgotten ? { membership: membership.membership } : {}),
    visibility: findPublished(store, roomId) ? 'public' : 'private',
    messages: {
      start: printTimelineToken(end),
      end: printEnd(server, { ...seen, position: until }),
      chunk: events.map((event) => printOldEvent(reader, event)).toReversed(),
    },
    state: state.map((event) => printOldEvent(reader, event)),
    account_data: oldAccountData(listAccountDataOf(store, requester.userId, roomId).map((row) => ({ ...row, roomId: null }))),
  }
}
