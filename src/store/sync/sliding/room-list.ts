import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'
import { findRoomMembership, listMembershipsBetween, type RoomMembership } from '#store/sync/memberships.ts'
import { type KnownRoom, type KnownRooms, knownRooms, roomOf } from './known-rooms.ts'

/** Rooms in the lists that one process keeps at hand; the lists of who synced longest ago go first. */
export const LISTED_ROOMS = 300_000

/** A room in the list of one user. */
export type ListedRoom = Readonly<{
  room: KnownRoom
  /** Position of its last event, or of the user's own membership where they see no more than that. */
  place: number
  /** Undefined: joined. */
  membership: RoomMembership | undefined
}>

/** The rooms of a user, the one that moved last first. spec: MSC4186 (activity ordering) */
export type RoomList = {
  readonly userId: UserId
  asOf: number
  order: readonly ListedRoom[]
  byId: Map<RoomId, ListedRoom>
}

/** What has moved, as the notifier knows it. */
export type Moves = Readonly<{
  until: number
  /** The rooms, of those that the user is in, in which something moved after a position. */
  movedSince: (position: number) => readonly RoomId[]
  /** Whether the user's own memberships may have changed after a position. */
  mayHaveMoved: (since: number) => boolean
}>

export type RoomLists = Readonly<{ listOf: (userId: UserId, moves: Moves) => RoomList; known: KnownRooms }>

/** Lists are read once for each user who syncs, and then follow what moves: no poll looks at all rooms (D27). */
export function roomLists(store: Store): RoomLists {
  const lists = new Map<UserId, RoomList>()
  const known = knownRooms()
  let total = 0
  const forget = (userId: UserId): void => {
    total -= lists.get(userId)?.order.length ?? 0
    lists.delete(userId)
  }
  return {
    known,
    listOf(userId, moves) {
      const kept = lists.get(userId)
      const list = kept ?? readList(store, known, userId, moves.until)
      total -= kept?.order.length ?? 0
      if (kept) follow(store, known, list, moves)
      // Taken out and put in again it stands last.
      lists.delete(userId)
      lists.set(userId, list)
      total += list.order.length
      for (const oldest of lists.keys()) {
        if (total <= LISTED_ROOMS || oldest === userId) break
        forget(oldest)
      }
      return list
    },
  }
}

const byPlace = (one: ListedRoom, other: ListedRoom): number => other.place - one.place

function readList(store: Store, known: KnownRooms, userId: UserId, until: number): RoomList {
  const rows = store.db
    .query<{ room: number; membership: string; last: number | null }, [number, number]>(`
      SELECT m.room, m.membership, (SELECT max(e.position) FROM events e WHERE e.room = m.room AND e.position <= ?2) AS last
        FROM memberships m
       WHERE m.user = ?1 AND m.is_forgotten = 0 AND m.membership <> 'leave' AND m.membership <> 'ban'
       UNION ALL
      SELECT m.room, m.membership, NULL FROM memberships m JOIN events e ON e.num = m.event
       WHERE m.user = ?1 AND m.is_forgotten = 0 AND m.membership IN ('leave', 'ban') AND e.sender <> ?1`)
    .all(store.names.find(userId) ?? -1, until)
  const order = rows.flatMap(({ room, membership, last }) => {
    const roomId = store.names.textOf(room) as RoomId
    if (membership === 'join') return [{ room: roomOf(known, store, roomId), place: last ?? 0, membership: undefined }]
    const own = findRoomMembership(store, userId, roomId)
    return own && isListed(store, userId, own) ? [outside(known, store, own)] : []
  })
  return { userId, asOf: until, order: order.sort(byPlace), byId: new Map(order.map((listed) => [listed.room.roomId, listed])) }
}

const outside = (known: KnownRooms, store: Store, membership: RoomMembership): ListedRoom =>
  ({ room: roomOf(known, store, membership.roomId), place: membership.position, membership })

/** Whom others have put out, after they were in, is told so; who left knows it. */
function isListed(store: Store, userId: UserId, { roomId, membership, sender, isForgotten }: RoomMembership): boolean {
  if (isForgotten) return false
  if (membership !== 'leave' && membership !== 'ban') return true
  return sender !== userId && hasEverJoined(store, userId, roomId)
}

export const hasEverJoined = ({ db, names }: Store, userId: UserId, roomId: RoomId): boolean =>
  db
    .query(`
      SELECT 1 FROM state_changes c JOIN events e ON e.num = c.event
       WHERE c.room = ? AND c.type = ? AND c.state_key = ? AND e.json ->> '$.content.membership' = 'join' LIMIT 1`)
    .get(names.find(roomId) ?? -1, names.find('m.room.member') ?? -1, names.find(userId) ?? -1) !== null

const lastEventOf = ({ db }: Store, { num }: KnownRoom, until: number): number =>
  db.query<{ last: number | null }, [number, number]>('SELECT max(position) AS last FROM events WHERE room = ? AND position <= ?').get(num, until)?.last ?? 0

/** Brings a list up to `until`, looking only at what has moved since. */
function follow(store: Store, known: KnownRooms, list: RoomList, { until, movedSince, mayHaveMoved }: Moves): void {
  if (until <= list.asOf) return
  const fresh = new Map<RoomId, ListedRoom | undefined>()
  for (const roomId of movedSince(list.asOf)) {
    const room = roomOf(known, store, roomId)
    fresh.set(roomId, { room, place: lastEventOf(store, room, until), membership: undefined })
  }
  if (mayHaveMoved(list.asOf)) followMemberships(store, known, list, { until, fresh })
  list.asOf = until
  if (fresh.size === 0) return
  const moved = [...fresh.values()].filter((listed) => listed !== undefined)
  list.order = merge(moved.sort(byPlace), list.order.filter(({ room }) => !fresh.has(room.roomId)))
  for (const [roomId, listed] of fresh) {
    if (listed) list.byId.set(roomId, listed)
    else list.byId.delete(roomId)
  }
}

type Fresh = { until: number; fresh: Map<RoomId, ListedRoom | undefined> }

function followMemberships(store: Store, known: KnownRooms, list: RoomList, { until, fresh }: Fresh): void {
  const { userId } = list
  for (const own of listMembershipsBetween(store, userId, list.asOf, until)) {
    if (own.membership === 'join') {
      const room = roomOf(known, store, own.roomId)
      fresh.set(own.roomId, { room, place: lastEventOf(store, room, until), membership: undefined })
    } else fresh.set(own.roomId, isListed(store, userId, own) ? outside(known, store, own) : undefined)
  }
  // Forgetting moves no membership; only rooms from which someone was put out can be forgotten while they are listed.
  for (const { room: { roomId }, membership } of list.order) {
    const isOut = membership?.membership === 'leave' || membership?.membership === 'ban'
    if (isOut && !fresh.has(roomId) && findRoomMembership(store, userId, roomId)?.isForgotten) fresh.set(roomId, undefined)
  }
}

/** What has moved is nearly always in front of what has not. */
function merge(moved: readonly ListedRoom[], others: readonly ListedRoom[]): ListedRoom[] {
  const [last, first] = [moved.at(-1), others[0]]
  if (!last || !first || last.place >= first.place) return [...moved, ...others]
  return [...moved, ...others].sort(byPlace)
}
