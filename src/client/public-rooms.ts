import type { Homeserver } from '#homeserver'
import { mayPublishRoom } from '#http/directory-rules.ts'
import { maybeSignedIn, open, type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { refuseSuspended } from '#http/suspension.ts'
import {
  getPublicRooms, getRoomVisibilityOnDirectory, queryPublicRooms, setRoomVisibilityOnDirectory,
} from '#schema/client/public-rooms.ts'
import { forbidden, invalidParam, MatrixError, missingToken, notFound } from '#schema/matrix-error.ts'
import { listAliasesOf } from '#store/aliases.ts'
import { type DirectoryPlace, findPublished, listPublished, type PublicRoom, readPublicRoom } from '#store/public-rooms.ts'
import type { Store } from '#store/store.ts'

/** Rooms on one page, for those who name no number and at most. */
const LIMIT_DEFAULT = 100
const LIMIT = 500

export const publicRoomsPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/directory/list/room/:roomId',
      open(server, getRoomVisibilityOnDirectory, ({ params: { roomId } }) => {
        const isPublished = findPublished(server.store, roomId)
        if (isPublished === undefined) throw notFound('This server does not know that room')
        return { visibility: isPublished ? 'public' : 'private' }
      }),
    )
    .put(
      '/_matrix/client/v3/directory/list/room/:roomId',
      signedIn(server, setRoomVisibilityOnDirectory, (call) => publish(server, call)),
    )
    .get(
      '/_matrix/client/v3/publicRooms',
      maybeSignedIn(server, getPublicRooms, ({ query: { limit, since, server: name }, requester }) => {
        refuseStrangers(server, requester)
        refuseOtherServers(server, name)
        return listRooms(server, { limit: limit === undefined ? undefined : Number(limit), since })
      }),
    )
    .post(
      '/_matrix/client/v3/publicRooms',
      signedIn(server, queryPublicRooms, ({ query, body: { limit, since, filter, ...network } }) => {
        refuseOtherServers(server, query.server)
        if (network.include_all_networks && network.third_party_instance_id)
          throw invalidParam('include_all_networks and third_party_instance_id exclude each other')
        return listRooms(server, {
          limit,
          since: since ?? undefined,
          term: filter?.generic_search_term || undefined,
          roomTypes: filter?.room_types ?? undefined,
        })
      }),
    )

async function publish(
  server: Homeserver,
  { params: { roomId }, body, requester, cause }: SignedInCall<typeof setRoomVisibilityOnDirectory>,
): Promise<object> {
  refuseSuspended(requester)
  const { userId, isAdmin } = requester
  const isPublished = (body.visibility ?? 'public') === 'public'
  if (findPublished(server.store, roomId) === undefined) throw notFound('This server does not know that room')
  const aliases = listAliasesOf(server.store, roomId)
  if (isPublished && !mayPublishRoom(server.config, isAdmin, { userId, roomId, aliases }))
    throw forbidden('You may not publish this room')
  await server.room(roomId).ask({ kind: 'setRoomVisibilityOnDirectory', userId, isAdmin, isPublished }, cause)
  return {}
}

function refuseStrangers({ config }: Homeserver, requester: Requester | null): void {
  if (!requester && !config.allowPublicRoomsWithoutAuth) throw missingToken()
}

function refuseOtherServers({ serverName }: Homeserver, name: string | undefined): void {
  if (name !== undefined && name !== '' && name !== serverName)
    throw new MatrixError(502, 'M_UNKNOWN', `The room directory of ${name} cannot be reached from here`)
}

type DirectoryQuery = Readonly<{
  limit?: number | undefined
  since?: string | undefined
  term?: string | undefined
  /** `null` stands for rooms without a type. */
  roomTypes?: readonly (string | null)[] | undefined
}>

function listRooms({ store, config }: Homeserver, query: DirectoryQuery): object {
  const limit = readLimit(query.limit, LIMIT_DEFAULT, LIMIT)
  if (!config.enableRoomListSearch) return { chunk: [], total_room_count_estimate: 0 }
  const all = listPublished(store)
  const since = query.since === undefined || query.since === '' ? undefined : readSince(query.since)
  const { rooms, start, end } = pageOf(store, all, { ...query, limit, since })
  const first = all[start]
  const last = all[end - 1]
  const isSearch = query.term !== undefined || query.roomTypes !== undefined
  return {
    chunk: rooms.map(printRoom),
    ...(end < all.length && last ? { next_batch: printSince('n', last) } : {}),
    ...(start > 0 && first ? { prev_batch: printSince('p', first) } : {}),
    total_room_count_estimate: isSearch ? countMatching(store, all, query) : all.length,
  }
}

type Since = DirectoryPlace & { dir: 'n' | 'p' }
const SINCE = /^([np])(\d{1,9})-(\d{1,15})$/

const printSince = (dir: 'n' | 'p', { joined, room }: DirectoryPlace): string => `${dir}${joined}-${room}`

function readSince(text: string): Since {
  const [, dir, joined, room] = SINCE.exec(text) ?? []
  if (dir !== 'n' && dir !== 'p') throw invalidParam('since is not a token of this server')
  return { dir, joined: Number(joined), room: Number(room) }
}

const isAfter = (one: DirectoryPlace, other: DirectoryPlace): boolean =>
  one.joined < other.joined || (one.joined === other.joined && one.room > other.room)

type Paged = Pick<DirectoryQuery, 'term' | 'roomTypes'> & { limit: number }
type Page = Readonly<{ rooms: readonly PublicRoom[]; start: number; end: number }>

/** Reads on from the token until the page is full; `start` and `end` say what stretch of the directory it covers. */
function pageOf(store: Store, all: readonly DirectoryPlace[], query: Paged & { since: Since | undefined }): Page {
  const { limit, since } = query
  if (since?.dir === 'p') return pageBefore(store, all, query, all.filter((place) => isAfter(since, place)).length)
  const start = since ? all.findIndex((place) => isAfter(place, since)) : 0
  if (start < 0) return { rooms: [], start: all.length, end: all.length }
  const rooms: PublicRoom[] = []
  let end = start
  for (; end < all.length && rooms.length < limit; end++) rooms.push(...matching(store, all[end], query))
  return { rooms, start, end }
}

function pageBefore(store: Store, all: readonly DirectoryPlace[], query: Paged, end: number): Page {
  const rooms: PublicRoom[] = []
  let start = end
  for (; start > 0 && rooms.length < query.limit; start--) rooms.unshift(...matching(store, all[start - 1], query))
  return { rooms, start, end }
}

const countMatching = (store: Store, all: readonly DirectoryPlace[], query: DirectoryQuery): number =>
  all.reduce((count, place) => count + matching(store, place, query).length, 0)

/** The room of that place as a list of one, or of none when it does not fit. */
function matching(store: Store, place: DirectoryPlace | undefined, { term, roomTypes }: Pick<DirectoryQuery, 'term' | 'roomTypes'>): PublicRoom[] {
  const room = place && readPublicRoom(store, place)
  if (!room || (roomTypes && !roomTypes.includes(room.roomType))) return []
  if (term === undefined) return [room]
  const wanted = term.toLowerCase()
  const isFound = [room.name, room.topic, room.canonicalAlias].some((text) => text?.toLowerCase().includes(wanted))
  return isFound ? [room] : []
}

const printRoom = (room: PublicRoom): object => ({
  room_id: room.roomId,
  num_joined_members: room.joined,
  world_readable: room.isWorldReadable,
  guest_can_join: room.guestsCanJoin,
  join_rule: room.joinRule,
  ...(room.name === null ? {} : { name: room.name }),
  ...(room.topic === null ? {} : { topic: room.topic }),
  ...(room.canonicalAlias === null ? {} : { canonical_alias: room.canonicalAlias }),
  ...(room.avatarUrl === null ? {} : { avatar_url: room.avatarUrl }),
  ...(room.roomType === null ? {} : { room_type: room.roomType }),
})
