import type { RoomId } from '#schema/identifiers.ts'
import type { SentAlike } from '#schema/journal/sliding-sync.ts'

/**
 * What one sliding-sync connection has been sent. Two states of it count: the one that the client has shown to have
 * (`base`) and what the newest answer, which may be lost, made of it (`pending`). A room that is LIVE was sent up to the
 * position of the client's token, so that an answer about live rooms changes nothing here. spec: MSC4186
 */

export const LIVE = -1
export const NEVER = 0
/** Different required states that one connection may have asked for; then it has to begin anew. */
export const WISHES_PER_CONNECTION = 200
/** Member events that a connection is remembered to have been sent. */
const REMEMBERED_MEMBERS = 5_000

export type SentRoom = SentAlike

/** What an answer changes: this part outlives the process … */
export type DurableMove = {
  readonly rooms: Map<RoomId, SentRoom>
  last?: SentRoom
  readonly wishes: string[]
  globalAccountData: number
}

/** Whose profiles the client has, as far as it asked for fields. */
export type SentProfiles = Readonly<{ fields: string; users: Set<string> }>
/** `gone`: those whom it may forget. Undefined: nothing to tell of profiles; `off`: none are asked for. */
export type ProfilesMove = (SentProfiles & Readonly<{ gone: readonly string[] }>) | 'off' | undefined

/** … and this part does not: who forgets it sends something once more. */
export type VolatileMove = {
  /** Member events by `room user`. */
  readonly members: Map<string, number>
  /** What the client knows of who types, as a mark of the notifier's board. */
  readonly typing: Map<RoomId, number>
  /** The counts that the client was told of a room, as `countMark` writes them. */
  readonly counts: Map<RoomId, number>
  profiles?: ProfilesMove
}

export type Pending = DurableMove & VolatileMove & { readonly version: number; readonly pos: string }

export type Connection = {
  readonly start: string
  version: number
  readonly rooms: Map<RoomId, SentRoom>
  readonly wishes: string[]
  globalAccountData: number
  readonly members: Map<string, number>
  /** The client may have been told of members that are not among `members`. */
  isForgetful: boolean
  readonly typing: Map<RoomId, number>
  readonly counts: Map<RoomId, number>
  profiles: SentProfiles | undefined
  pending: Pending | undefined
  /** The newest version that was given out. */
  newest: number
  /** What the newest answer was asked by, and the lists that the same request gets next, as long as nothing moves. */
  settled: { request: string; lists: string } | undefined
  /** When its use was last written down, in milliseconds since 1970. */
  usedTs: number
}

export const newConnection = (start: string): Connection => ({
  start,
  version: 0,
  rooms: new Map(),
  wishes: [],
  globalAccountData: NEVER,
  members: new Map(),
  isForgetful: false,
  typing: new Map(),
  counts: new Map(),
  profiles: undefined,
  pending: undefined,
  newest: 0,
  settled: undefined,
  usedTs: 0,
})

/**
 * Goes to the state that the client has by its token: either the newest answer has arrived, or it is to be forgotten.
 * False: the token is of a state that is not kept.
 */
export function resume(connection: Connection, version: number, pos: string): boolean {
  const { pending } = connection
  const hasArrived = pending !== undefined && pending.version === version && (version !== connection.version || pending.pos === pos)
  if (!hasArrived && version !== connection.version) return false
  connection.pending = undefined
  if (pending && hasArrived) accept(connection, pending)
  else connection.settled = undefined
  return true
}

function accept(connection: Connection, pending: Pending): void {
  connection.version = pending.version
  connection.globalAccountData = pending.globalAccountData
  connection.wishes.push(...pending.wishes)
  for (const [roomId, sent] of pending.rooms) connection.rooms.set(roomId, sent)
  if (connection.members.size + pending.members.size > REMEMBERED_MEMBERS) {
    connection.members.clear()
    connection.isForgetful = true
  }
  for (const [key, event] of pending.members) connection.members.set(key, event)
  for (const [roomId, mark] of pending.typing) connection.typing.set(roomId, mark)
  for (const [roomId, mark] of pending.counts) connection.counts.set(roomId, mark)
  if (pending.profiles) connection.profiles = acceptProfiles(connection.profiles, pending.profiles)
}

function acceptProfiles(before: SentProfiles | undefined, move: NonNullable<ProfilesMove>): SentProfiles | undefined {
  if (move === 'off') return undefined
  const isGoingOn = before?.fields === move.fields && before.users.size + move.users.size <= REMEMBERED_MEMBERS
  const users = isGoingOn ? before.users.union(move.users) : move.users
  for (const userId of move.gone) users.delete(userId)
  return { fields: move.fields, users }
}

export type Move = DurableMove & VolatileMove

export const newMove = ({ globalAccountData }: Connection): Move =>
  ({ rooms: new Map(), wishes: [], globalAccountData, members: new Map(), typing: new Map(), counts: new Map() })

/** Both counts of a room as one number. */
export const countMark = ({ notify, highlight }: Readonly<{ notify: number; highlight: number }>): number => notify * 2 ** 20 + Math.min(highlight, 2 ** 20 - 1)

/** Whether the move has to be written down. */
export const isDurable = ({ rooms, wishes, globalAccountData }: DurableMove, connection: Connection): boolean =>
  rooms.size > 0 || wishes.length > 0 || globalAccountData !== connection.globalAccountData

/** The place of a wish in the connection's list, where it is put if need be. */
export function placeOfWish(connection: Connection, move: DurableMove, text: string): number {
  const known = connection.wishes.indexOf(text)
  if (known >= 0) return known
  const fresh = move.wishes.indexOf(text)
  if (fresh >= 0) return connection.wishes.length + fresh
  return connection.wishes.length + move.wishes.push(text) - 1
}

export const hasTooManyWishes = (connection: Connection, move: DurableMove): boolean =>
  connection.wishes.length + move.wishes.length > WISHES_PER_CONNECTION

const isAlike = (one: SentRoom, other: SentRoom): boolean =>
  one.sent === other.sent && one.covered === other.covered && one.wish === other.wish && one.receipts === other.receipts &&
  one.accountData === other.accountData && one.isDm === other.isDm

/** Notes what the client will have of a room; rooms that are sent alike one after the other share one object. */
export function noteSent(connection: Connection, move: DurableMove, roomId: RoomId, sent: SentRoom): void {
  const before = connection.rooms.get(roomId)
  if (before && isAlike(before, sent)) return void move.rooms.delete(roomId)
  const shared = move.last && isAlike(move.last, sent) ? move.last : sent
  move.last = shared
  move.rooms.set(roomId, shared)
}

/** Rooms that were sent alike together, as they are written down. */
export function groupSent(rooms: ReadonlyMap<RoomId, SentRoom>): [SentRoom, RoomId[]][] {
  const groups = new Map<string, [SentRoom, RoomId[]]>()
  for (const [roomId, sent] of rooms) {
    const { sent: upTo, covered, wish, receipts, accountData, isDm } = sent
    const key = `${upTo} ${covered} ${wish} ${receipts} ${accountData} ${isDm}`
    const group = groups.get(key)
    if (group) group[1].push(roomId)
    else groups.set(key, [sent, [roomId]])
  }
  return [...groups.values()]
}
