import type { Apply, Decide, AnyCommand, Kinded } from '#actors/kernel/actor.ts'
import type { Effect } from '#actors/effects.ts'
import type { WorldTurn } from '#actors/world.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { splitStateKey, type StateKey, type StateLookup, stateKeyOf } from '#core/state-key.ts'
import { type EventId, type RoomId, serverNameOf, type ServerName, type UserId } from '#schema/identifiers.ts'
import type { DelayedEventScheduled } from '#schema/journal/delayed-event.ts'
import type { RoomFact } from '#schema/journal/room.ts'

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban'

/**
 * What has been decided and may not have been in the tables when the sender of the next command looked there, so no
 * snapshot needs it. Oldest first.
 */
export type Unwritten<Key, Value> = Map<Key, Readonly<{ value: Value; position: number }>>

/** What a room must remember in order to decide. What is only ever read lives in the store. */
export type Room = {
  roomId: RoomId
  /** Absent until the room has a create event here. */
  rules: RoomVersionRules | undefined
  /** The current state: event ids by type and state key. */
  state: Map<StateKey, EventId>
  members: Map<UserId, Membership>
  joined: number
  invited: number
  /** Joined users of each server. */
  servers: Map<ServerName, number>
  /** Events that no other event follows yet. */
  extremities: EventId[]
  depth: number
  isPublished: boolean
  typing: Map<UserId, number>
  /** Requests of devices and what they have made. */
  transactions: Unwritten<string, EventId>
  /** Events that wait to be sent, by their delay id. */
  delayed: Map<string, DelayedEvent>
  /** What annotations say, by their ids. */
  annotations: Unwritten<EventId, string>
}

/** An event that waits; `runningTs` is when its delay last began. */
export type DelayedEvent = Readonly<Omit<DelayedEventScheduled, 'kind' | 'roomId' | 'delayId' | 'ts'> & { runningTs: number }>

export type RoomDecide<C extends AnyCommand, F extends Kinded = never, N extends Kinded = never> = Decide<Room, C, F, N, Effect, WorldTurn>
export type RoomApply<F extends Kinded> = Apply<Room, F>
export type { RoomFact }

export const emptyRoom = (id: string): Room => ({
  roomId: id as RoomId,
  rules: undefined,
  state: new Map(),
  members: new Map(),
  joined: 0,
  invited: 0,
  servers: new Map(),
  extremities: [],
  depth: 0,
  isPublished: false,
  typing: new Map(),
  transactions: new Map(),
  delayed: new Map(),
  annotations: new Map(),
})

/** An event of this room by its id. */
export function eventOf(room: Room, turn: WorldTurn, eventId: EventId): RoomEvent | undefined {
  const event = turn.event(eventId)
  return event?.roomId === room.roomId ? event : undefined
}

export const stateOf =
  (room: Room, turn: WorldTurn): StateLookup =>
  (type, stateKey) => {
    const eventId = room.state.get(stateKeyOf(type, stateKey))
    return eventId === undefined ? undefined : eventOf(room, turn, eventId)
  }

export const membershipOf = (room: Room, userId: UserId): Membership | undefined => room.members.get(userId)

export const isJoined = (room: Room, userId: UserId): boolean => room.members.get(userId) === 'join'

/** Adds an entry and drops those that every later sender finds in the tables. */
export function remember<Key, Value>(entries: Unwritten<Key, Value>, key: Key, value: Value, { position, written }: At): void {
  for (const [oldest, entry] of entries) {
    if (entry.position > written) break
    entries.delete(oldest)
  }
  if (position > written) entries.set(key, { value, position })
}

/** Where a fact stands, and up to where the tables were written when its command was sent. */
export type At = Readonly<{ position: number; written: number }>

/** Moves a user between memberships and keeps the counts. */
export function setMembership(room: Room, userId: UserId, membership: Membership): void {
  const before = room.members.get(userId)
  room.members.set(userId, membership)
  room.invited += Number(membership === 'invite') - Number(before === 'invite')
  const joins = Number(membership === 'join') - Number(before === 'join')
  if (joins === 0) return
  room.joined += joins
  const server = serverNameOf(userId)
  const count = (room.servers.get(server) ?? 0) + joins
  if (count > 0) room.servers.set(server, count)
  else room.servers.delete(server)
}

/** What a snapshot keeps of a room; notes and caches are left out. */
export type FrozenRoom = Readonly<{
  version: string | null
  state: readonly (readonly [StateKey, EventId])[]
  members: readonly (readonly [UserId, Membership])[]
  extremities: readonly EventId[]
  depth: number
  isPublished: boolean
  delayed: readonly (readonly [string, DelayedEvent])[]
}>

export const freezeRoom = (room: Room): FrozenRoom => ({
  version: room.rules?.version ?? null,
  state: [...room.state],
  members: [...room.members],
  extremities: room.extremities,
  depth: room.depth,
  isPublished: room.isPublished,
  delayed: [...room.delayed],
})

export function thawRoom(frozen: FrozenRoom, id: string, rules: RoomVersionRules | undefined): Room {
  const { state, members, extremities, depth, isPublished, delayed } = frozen
  const room: Room = {
    ...emptyRoom(id),
    rules,
    state: new Map(state),
    extremities: [...extremities],
    depth,
    isPublished,
    delayed: new Map(delayed),
  }
  for (const [userId, membership] of members) setMembership(room, userId, membership)
  return room
}

/** The users whose member event is in the state, for those who need more than the counts. */
export const stateKeysOfType = (room: Room, wanted: string): string[] =>
  [...room.state.keys()].flatMap((key) => {
    const [type, stateKey] = splitStateKey(key)
    return type === wanted ? [stateKey] : []
  })
