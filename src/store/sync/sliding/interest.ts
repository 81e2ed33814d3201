import { compileSlidingFilter, type FilterableRoom } from '#core/sync/sliding-filter.ts'
import { unionOf } from '#core/sync/required-state.ts'
import type { ListAnswer } from '#core/sync/sliding-answer.ts'
import type { RoomConfig, SlidingList, SlidingRequest } from '#core/sync/sliding-request.ts'
import { placesIn } from '#core/sync/window.ts'
import { isRoomId, type RoomId } from '#schema/identifiers.ts'
import { findMembership } from '#store/memberships.ts'
import { findRoomMembership, listMembershipsBetween } from '#store/sync/memberships.ts'
import { childrenOf, factsOf, type KnownRooms, roomOf } from './known-rooms.ts'
import type { SlidingReading } from './reading.ts'
import type { WantedRoom } from './room.ts'
import { hasEverJoined, type ListedRoom, type RoomList } from './room-list.ts'

/** Which room is at which place is told of windows of up to so many; clients that have all rooms do not look at it. */
const TOLD_PLACES = 100

/** The rooms that a request is about, in the order of the lists, and how long each list is. */
export type Interest = Readonly<{
  wanted: ReadonlyMap<RoomId, WantedRoom>
  lists: ReadonlyMap<string, ListAnswer>
  /** Rooms are among them that the next answer will not list. */
  hasLeaving: boolean
}>

export type InterestOf = Readonly<{
  list: RoomList
  known: KnownRooms
  request: SlidingRequest
  /** The only rooms of which there can be something to tell; undefined: that may be any. */
  only: ReadonlySet<RoomId> | undefined
}>

export function readInterest(reading: SlidingReading, { list, known, request, only }: InterestOf): Interest {
  const left = readLeftRooms(reading, list, known)
  const rooms = visibleRooms(reading, left.length === 0 ? list.order : [...list.order, ...left].sort((one, other) => other.place - one.place))
  const wanted = new Map<RoomId, Mutable>()
  const lists = new Map<string, ListAnswer>()
  const leaving = new Set(left)
  for (const [name, asked] of request.lists) lists.set(name, addList(wanted, filterRooms(reading, rooms, asked), { name, asked, only, leaving }))
  for (const [roomId, config] of request.subscriptions) {
    const listed = list.byId.get(roomId) ?? left.find(({ room }) => room.roomId === roomId) ?? formerRoom(reading, known, roomId)
    if (listed && isAmong(only, listed) && !isUnwelcome(reading, listed)) add(wanted, listed, config, undefined)
  }
  return { wanted, lists, hasLeaving: left.length > 0 }
}

type Mutable = { listed: ListedRoom; config: RoomConfig; lists: readonly string[] }

type Added = Readonly<{
  name: string
  asked: SlidingList
  only: ReadonlySet<RoomId> | undefined
  /** Rooms that are told of once, so wherever they stand. */
  leaving: ReadonlySet<ListedRoom>
}>

function addList(wanted: Map<RoomId, Mutable>, rooms: readonly ListedRoom[], { name, asked: { ranges, ...config }, only, leaving }: Added): ListAnswer {
  const names = [name]
  const windows = placesIn(ranges, rooms.length)
  for (const [from, to] of windows) {
    for (let place = from; place <= to; place++) {
      const listed = rooms[place]
      if (listed && isAmong(only, listed)) add(wanted, listed, config, names)
    }
  }
  const isShown = (place: number): boolean => windows.some(([from, to]) => from <= place && place <= to)
  if (leaving.size > 0) rooms.forEach((listed, place) => {
    if (leaving.has(listed) && !isShown(place)) add(wanted, listed, config, names)
  })
  const isShort = windows.every(([from, to]) => to - from < TOLD_PLACES)
  const ops = windows.map((range) => ({ range, get roomIds() { return rooms.slice(range[0], range[1] + 1).map(({ room }) => room.roomId) } }))
  return { count: rooms.length, ops: isShort ? ops : undefined }
}

const isAmong = (only: ReadonlySet<RoomId> | undefined, { room }: ListedRoom): boolean => only === undefined || only.has(room.roomId)

function add(wanted: Map<RoomId, Mutable>, listed: ListedRoom, config: RoomConfig, lists: readonly string[] | undefined): void {
  const { roomId } = listed.room
  const known = wanted.get(roomId)
  if (!known) return void wanted.set(roomId, { listed, config, lists: lists ?? [] })
  known.config = together(known.config, config)
  if (lists) known.lists = [...known.lists, ...lists]
}

/** A room that several rules name is shown as the widest of them wants it. */
function together(one: RoomConfig, other: RoomConfig): RoomConfig {
  if (one === other) return one
  const wish = one.wish === other.wish ? one.wish : unionOf(one.wish, other.wish)
  return { wish, timelineLimit: Math.max(one.timelineLimit, other.timelineLimit) }
}

/** Rooms that the client has and that are not listed any more: that the user has left is told once. */
function readLeftRooms({ store, userId, since, until, isFirst, connection }: SlidingReading, { byId }: RoomList, known: KnownRooms): ListedRoom[] {
  if (isFirst || connection.rooms.size === 0) return []
  return listMembershipsBetween(store, userId, since, until)
    .filter(({ roomId, membership }) => membership !== 'join' && connection.rooms.has(roomId) && !byId.has(roomId))
    .map((own) => ({ room: roomOf(known, store, own.roomId), place: own.position, membership: own }))
}

/** A room that the user was in once is in no list, but may be looked at by name. */
function formerRoom({ store, userId, until }: SlidingReading, known: KnownRooms, roomId: RoomId): ListedRoom | undefined {
  const own = findRoomMembership(store, userId, roomId)
  const isFormer = own !== undefined && (own.membership === 'leave' || own.membership === 'ban') && own.position <= until && !own.isForgotten
  return isFormer && hasEverJoined(store, userId, roomId) ? { room: roomOf(known, store, roomId), place: own.position, membership: own } : undefined
}

/** Invitations of ignored users are not shown (G-71). */
const isUnwelcome = ({ ignored }: SlidingReading, { membership }: ListedRoom): boolean =>
  membership?.membership === 'invite' && ignored.has(membership.sender)

const visibleRooms = (reading: SlidingReading, rooms: readonly ListedRoom[]): readonly ListedRoom[] =>
  reading.ignored.size === 0 ? rooms : rooms.filter((listed) => !isUnwelcome(reading, listed))

function filterRooms(reading: SlidingReading, rooms: readonly ListedRoom[], { filter }: SlidingList): readonly ListedRoom[] {
  const passes = compileSlidingFilter(filter)
  if (!passes) return rooms
  const { store, userId, direct } = reading
  const spaces = new Map<string, ReadonlySet<string>>()
  let tags: ReadonlyMap<string, ReadonlySet<string>> | undefined
  const childrenIn = (space: string): ReadonlySet<string> => {
    const isIn = isRoomId(space) && findMembership(store, space, userId)?.membership === 'join'
    const children = spaces.get(space) ?? (isIn ? childrenOf(store, space) : new Set<string>())
    spaces.set(space, children)
    return children
  }
  return rooms.filter(({ room, place, membership }) => {
    const facts = () => factsOf(store, room, place)
    const filterable: FilterableRoom = {
      isInvited: membership?.membership === 'invite',
      isDm: () => direct.has(room.roomId),
      isEncrypted: () => facts().isEncrypted,
      roomType: () => facts().roomType,
      name: () => facts().name,
      tags: () => (tags ??= readTags(reading)).get(room.roomId) ?? NO_TAGS,
      isInSpace: (space) => childrenIn(space).has(room.roomId),
    }
    return passes(filterable)
  })
}

const NO_TAGS: ReadonlySet<string> = new Set()

function readTags({ store: { db, names }, userId }: SlidingReading): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = db
    .query<{ room: number; content: string }, [number]>("SELECT room, content FROM account_data WHERE user = ? AND room <> 0 AND type = 'm.tag'")
    .all(names.find(userId) ?? -1)
  return new Map(rows.map(({ room, content }) => {
    const { tags } = Object(JSON.parse(content)) as { tags?: unknown }
    return [names.textOf(room), new Set(typeof tags === 'object' && tags !== null ? Object.keys(tags) : [])]
  }))
}
