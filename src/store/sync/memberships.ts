import { type StatePlace, STRIPPED_STATE } from '#core/stripped-state.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { findClientEventByNum } from '#store/client-events.ts'
import type { Membership } from '#store/memberships.ts'
import { findStateAt, listStateAt } from '#store/state-at.ts'
import type { Store } from '#store/store.ts'
import type { Reading } from './reading.ts'

export type RoomMembership = Readonly<{
  roomId: RoomId
  membership: Membership
  /** Number of the member event. */
  event: number
  position: number
  isForgotten: boolean
  sender: UserId
}>

type Row = { room: number; membership: Membership; event: number; position: number; is_forgotten: number; sender: number }

const MEMBERSHIP = `
  SELECT m.room, m.membership, m.event, m.position, m.is_forgotten, e.sender
    FROM memberships m JOIN events e ON e.num = m.event`

const fromRow = ({ names }: Store, { room, sender, is_forgotten, ...rest }: Row): RoomMembership => ({
  ...rest,
  roomId: names.textOf(room) as RoomId,
  sender: names.textOf(sender) as UserId,
  isForgotten: is_forgotten === 1,
})

/** All rooms a user has anything to do with. */
export function listMemberships(store: Store, userId: UserId): RoomMembership[] {
  return store.db
    .query<Row, [number]>(`${MEMBERSHIP} WHERE m.user = ? AND m.is_forgotten = 0`)
    .all(store.names.find(userId) ?? -1)
    .map((row) => fromRow(store, row))
}

/** The rooms in which the user's own membership has changed; one that was left and forgotten has been left all the same. */
export function listMembershipsBetween(store: Store, userId: UserId, since: number, until: number): RoomMembership[] {
  return store.db
    .query<Row, [number, number, number]>(`${MEMBERSHIP} WHERE m.user = ? AND m.position > ? AND m.position <= ?`)
    .all(store.names.find(userId) ?? -1, since, until)
    .map((row) => fromRow(store, row))
}

export function findRoomMembership(store: Store, userId: UserId, roomId: RoomId): RoomMembership | undefined {
  const row = store.db
    .query<Row, [number, number]>(`${MEMBERSHIP} WHERE m.user = ? AND m.room = ?`)
    .get(store.names.find(userId) ?? -1, store.names.find(roomId) ?? -1)
  return row ? fromRow(store, row) : undefined
}

/** The membership that the client knew at its token. */
export function membershipAtToken({ store, userId, since }: Reading, { roomId }: RoomMembership): Membership | undefined {
  const known = findStateAt(store, roomId, 'm.room.member', userId, since)
  return known && membershipOf(known.body)
}

/**
 * The same, but someone who has left and come back in the meantime counts as having
 * been outside, so that the room is sent anew.
 */
export function membershipBefore(reading: Reading, membership: RoomMembership): Membership | undefined {
  const { roomId } = membership
  const before = membershipAtToken(reading, membership)
  const hasLeft = before === 'join' && membershipsBetween(reading, roomId).slice(0, -1).some((membership) => membership !== 'join')
  return hasLeft ? 'leave' : before
}

/** Whether the reader has been in the room for a while since the token, however short. */
export const hasJoinedBetween = (window: OwnWindow, { roomId }: RoomMembership): boolean =>
  membershipsBetween(window, roomId).includes('join')

/** Up to where the reader's clients know a room that they are out of or come into again; undefined: they never were in it. */
export function knownUpTo({ store, userId, since }: Pick<Reading, 'store' | 'userId' | 'since'>, roomId: RoomId): number | undefined {
  const changes = ownChanges(store, { roomId, userId, since: 0, until: since })
  if (changes.at(-1)?.membership === 'join') return since
  return changes.findLast(({ membership }, index) => membership !== 'join' && changes[index - 1]?.membership === 'join')?.position
}

/** Who has asked the reader in: their member events came with the invitation and may have changed since. */
export const listInviters = ({ store: { db, names }, userId }: Pick<Reading, 'store' | 'userId'>, roomId: RoomId): UserId[] =>
  db
    .query<{ sender: number }, [number, number, number]>(`
      SELECT DISTINCT e.sender FROM state_changes c JOIN events e ON e.num = c.event
       WHERE c.room = ? AND c.type = ? AND c.state_key = ? AND e.json ->> '$.content.membership' = 'invite'`)
    .all(names.find(roomId) ?? -1, names.find('m.room.member') ?? -1, names.find(userId) ?? -1)
    .map(({ sender }) => names.textOf(sender) as UserId)

type OwnWindow = Pick<Reading, 'store' | 'userId' | 'since' | 'until'>

const membershipsBetween = ({ store, userId, since, until }: OwnWindow, roomId: RoomId): Membership[] =>
  ownChanges(store, { roomId, userId, since, until }).map(({ membership }) => membership)

type OwnChange = Readonly<{ position: number; membership: Membership }>

const ownChanges = ({ db, names }: Store, { roomId, userId, since, until }: { roomId: RoomId; userId: UserId; since: number; until: number }): OwnChange[] =>
  db
    .query<OwnChange, [number, number, number, number, number]>(`
      SELECT c.position, e.json ->> '$.content.membership' AS membership FROM state_changes c JOIN events e ON e.num = c.event
       WHERE c.room = ? AND c.type = ? AND c.state_key = ? AND c.position > ? AND c.position <= ? ORDER BY c.position`)
    .all(names.find(roomId) ?? -1, names.find('m.room.member') ?? -1, names.find(userId) ?? -1, since, until)

const membershipOf = (body: string): Membership => (JSON.parse(`${body}}`) as { content: { membership: Membership } }).content.membership

/** The stripped state of an invitation or knock, as it was then, the reader's own member event last. */
export function strippedStateFor(
  { store, userId, prejoinState = STRIPPED_STATE }: Pick<Reading, 'store' | 'userId' | 'prejoinState'>,
  { roomId, event, position, sender }: RoomMembership,
): string[] {
  const places: StatePlace[] = [...prejoinState, ...(sender === userId ? [] : [['m.room.member', sender] as const])]
  const events = places.flatMap(([type, stateKey]) =>
    stateKey === null
      ? listStateAt(store, roomId, position).filter((each) => each.type === type && each.num !== event)
      : (findStateAt(store, roomId, type, stateKey, position) ?? []))
  const own = findClientEventByNum(store, event)
  return [...events, ...(own ? [own] : [])].map(({ body }) => {
    const { content, sender: from, state_key, type } = JSON.parse(`${body}}`) as Record<string, unknown>
    return JSON.stringify({ content, sender: from, state_key, type })
  })
}
