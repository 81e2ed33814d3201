import type { Ring } from '#actors/effects.ts'
import type { Unsigned } from '#core/sync/client-event.ts'
import type { Connection, Move } from '#core/sync/connection.ts'
import type { SlidingForm } from '#core/sync/sliding-request.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'
import type { ChangedAccountData } from '#store/sync/account-data.ts'

/** Everything that one sliding-sync answer is read by. */
export type SlidingReading = Readonly<{
  store: Store
  userId: UserId
  /** `user device`, for transaction ids. */
  device: string
  form: SlidingForm
  /** The position of the token; 0 in the first answer of a connection. */
  since: number
  /** The position this answer goes up to. */
  until: number
  isFirst: boolean
  now: number
  ignored: ReadonlySet<string>
  connection: Connection
  move: Move
  /** The first event that is shown of each room. */
  shownFrom: Map<RoomId, number>
  /** Rooms of which older events are shown than before. */
  expanded: Set<RoomId>
  /** What moved at or before this position, `mayHaveMoved` does not know. */
  floor: number
  /** False when nothing of that sort has happened in the room after a position. */
  mayHaveMoved: (roomId: RoomId, about: Ring, since: number) => boolean
  /** What changed after the token. */
  accountData: ChangedAccountData
  /** The rooms that the user has marked as direct. */
  direct: ReadonlySet<string>
  typingIn: (roomId: RoomId) => Readonly<{ userIds: readonly UserId[]; volatile: number }> | undefined
}>

export const unsignedFor = ({ now, device }: SlidingReading, membership: string): Unsigned => ({ now, device, membership })

const memberKey = (roomId: string, userId: string): string => `${roomId} ${userId}`

/** Whether the client has this member event of the user. */
export const hasMember = ({ connection, move }: SlidingReading, roomId: RoomId, userId: string, event: number): boolean =>
  (move.members.get(memberKey(roomId, userId)) ?? connection.members.get(memberKey(roomId, userId))) === event

/** Whether the client was told of the user in this room before, as they are or as they were. */
export const knowsMember = ({ connection, move }: SlidingReading, roomId: RoomId, userId: string): boolean =>
  move.members.has(memberKey(roomId, userId)) || connection.members.has(memberKey(roomId, userId))

export const noteMember = ({ move }: SlidingReading, roomId: RoomId, userId: string, event: number): void =>
  void move.members.set(memberKey(roomId, userId), event)

/** A member of whom the client was told before it began the room anew: it may have kept them, or not. */
const TOLD_BEFORE = 0

/** Members of a room of whom the client was told, and the member event that it has of each. */
export function* toldMembers({ connection, move }: SlidingReading, roomId: RoomId): Generator<[userId: string, event: number]> {
  const prefix = memberKey(roomId, '')
  for (const [key, event] of connection.members)
    if (key.startsWith(prefix)) yield [key.slice(prefix.length), move.members.get(key) ?? event]
}

/** From here on the client is told again of whoever appears in the room, and still of what changes about those it knew. */
export function beginAnew(reading: SlidingReading, roomId: RoomId): void {
  for (const [userId] of toldMembers(reading, roomId)) noteMember(reading, roomId, userId, TOLD_BEFORE)
}
