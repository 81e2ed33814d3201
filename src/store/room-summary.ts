import { isRoomId, type RoomId, type UserId } from '#schema/identifiers.ts'
import { roomVersionRules } from '#core/room-version.ts'
import { type Membership, findMembership } from './memberships.ts'
import type { Store } from './store.ts'

/** What somebody outside is told of a room, and what decides whether they are; what the room has not set is null. */
export type RoomSummary = Readonly<{
  roomId: RoomId
  version: string
  name: string | null
  topic: string | null
  canonicalAlias: string | null
  avatarUrl: string | null
  joinRule: string
  /** The rooms whose members a restricted join rule lets in. */
  allowedRoomIds: readonly RoomId[]
  roomType: string | null
  encryption: string | null
  joined: number
  isWorldReadable: boolean
  guestsCanJoin: boolean
}>

/** Each place of the state that a summary shows, under the name of its column. */
const SHOWN = {
  name: ['m.room.name', 'name'],
  topic: ['m.room.topic', 'topic'],
  canonicalAlias: ['m.room.canonical_alias', 'alias'],
  avatarUrl: ['m.room.avatar', 'url'],
  joinRule: ['m.room.join_rules', 'join_rule'],
  roomType: ['m.room.create', 'type'],
  encryption: ['m.room.encryption', 'algorithm'],
  visibility: ['m.room.history_visibility', 'history_visibility'],
  guestAccess: ['m.room.guest_access', 'guest_access'],
} as const

type Row = { [K in keyof typeof SHOWN]: string | null } & { version: string; joined: number; allow: string | null }

const stateOf = (type: number, value: string): string => `(SELECT ${value} FROM room_state s JOIN events e ON e.num = s.event
  WHERE s.room = ?1 AND s.type = ?${type + 3} AND s.state_key = ?2)`

const shownTypes = Object.values(SHOWN).map(([type]) => type)

/** A text that is not one in the event counts as not set. */
const SUMMARY = `SELECT version, joined, ${Object.entries(SHOWN).map(([column, [, key]], type) =>
  `${stateOf(type, `CASE json_type(e.json, '$.content.${key}') WHEN 'text' THEN e.json ->> '$.content.${key}' END`)} AS ${column}`).join(', ')},
  ${stateOf(shownTypes.indexOf('m.room.join_rules'), `CASE json_type(e.json, '$.content.allow') WHEN 'array' THEN e.json -> '$.content.allow' END`)} AS allow
  FROM rooms WHERE room = ?1`

/** Undefined for a room that this server does not know. */
export function findRoomSummary({ db, names }: Store, roomId: RoomId): RoomSummary | undefined {
  const room = names.find(roomId)
  if (room === undefined) return undefined
  const row = db.query<Row, number[]>(SUMMARY).get(room, names.find('') ?? -1, ...shownTypes.map((type) => names.find(type) ?? -1))
  if (!row) return undefined
  const { visibility, guestAccess, allow, joinRule, ...rest } = row
  return {
    ...rest,
    roomId,
    joinRule: joinRule ?? 'invite',
    allowedRoomIds: isRestricted(joinRule) ? allowedIn(allow) : [],
    isWorldReadable: visibility === 'world_readable',
    guestsCanJoin: guestAccess === 'can_join',
  }
}

const isRestricted = (joinRule: string | null): boolean => joinRule === 'restricted' || joinRule === 'knock_restricted'

/** spec: client-server-api#restricted-rooms */
function allowedIn(allow: string | null): RoomId[] {
  const conditions = allow === null ? [] : (JSON.parse(allow) as unknown[])
  return conditions.flatMap((condition) => {
    const { type, room_id: roomId } = Object(condition) as Record<string, unknown>
    return type === 'm.room_membership' && isRoomId(roomId) ? [roomId] : []
  })
}

/**
 * Whether somebody may know of a room (G-86): they are in it, could enter it or knock, or anyone may read it. Who is
 * banned may do neither. `userId` null: somebody without an account here.
 * spec: client-server-api#get_matrixclientv1roomsroomidhierarchy
 */
export function maySeeSummary(store: Store, summary: RoomSummary, userId: UserId | null): boolean {
  if (summary.isWorldReadable) return true
  const membership = userId === null ? undefined : membershipOf(store, summary.roomId, userId)
  if (membership === 'join' || membership === 'invite') return true
  if (membership === 'ban') return false
  return summary.joinRule === 'public' || mayKnock(summary) || (userId !== null && isAllowed(store, summary, userId))
}

/** A join rule that the room's version does not know lets nobody in. */
function mayKnock({ joinRule, version }: RoomSummary): boolean {
  const rules = roomVersionRules(version)
  return (joinRule === 'knock' && rules?.knock === true) || (joinRule === 'knock_restricted' && rules?.knockRestricted === true)
}

function isAllowed(store: Store, { allowedRoomIds, version }: RoomSummary, userId: UserId): boolean {
  if (!roomVersionRules(version)?.restrictedJoin) return false
  return allowedRoomIds.some((roomId) => membershipOf(store, roomId, userId) === 'join')
}

export const membershipOf = (store: Store, roomId: RoomId, userId: UserId): Membership | undefined =>
  findMembership(store, roomId, userId)?.membership
