import { ownValue } from '#core/event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { roomVersionRules } from '#core/room-version.ts'
import { isRoomId, type RoomId, type UserId } from '#schema/identifiers.ts'
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

const TYPES = [
  'm.room.name', 'm.room.topic', 'm.room.canonical_alias', 'm.room.avatar', 'm.room.join_rules', 'm.room.create',
  'm.room.encryption', 'm.room.history_visibility', 'm.room.guest_access',
] as const
type Shown = (typeof TYPES)[number]

const SHOWN_STATE = `
  SELECT s.type, e.json, e.content_start, e.content_end FROM room_state s JOIN events e ON e.num = s.event
   WHERE s.room = ? AND s.state_key = ? AND s.type IN (${TYPES.map(() => '?').join(', ')})`

type Row = { type: number; json: string; content_start: number; content_end: number }

/** Undefined for a room that this server does not know. */
export function findRoomSummary({ db, names }: Store, roomId: RoomId): RoomSummary | undefined {
  const room = names.find(roomId)
  if (room === undefined) return undefined
  const row = db.query<{ version: string; joined: number }, [number]>('SELECT version, joined FROM rooms WHERE room = ?').get(room)
  if (!row) return undefined
  const state = new Map<string, JsonObject>()
  const rows = db.query<Row, number[]>(SHOWN_STATE).all(room, names.find('') ?? -1, ...TYPES.map((type) => names.find(type) ?? -1))
  for (const { type, json, content_start, content_end } of rows) state.set(names.textOf(type), JSON.parse(json.slice(content_start, content_end)) as JsonObject)
  /** A text that is not one in the event counts as not set. */
  const text = (type: Shown, key: string): string | null => {
    const value = ownValue(state.get(type), key)
    return typeof value === 'string' ? value : null
  }
  const joinRule = text('m.room.join_rules', 'join_rule')
  return {
    ...row,
    roomId,
    name: text('m.room.name', 'name'),
    topic: text('m.room.topic', 'topic'),
    canonicalAlias: text('m.room.canonical_alias', 'alias'),
    avatarUrl: text('m.room.avatar', 'url'),
    joinRule: joinRule ?? 'invite',
    allowedRoomIds: isRestricted(joinRule) ? allowedIn(ownValue(state.get('m.room.join_rules'), 'allow')) : [],
    roomType: text('m.room.create', 'type'),
    encryption: text('m.room.encryption', 'algorithm'),
    isWorldReadable: text('m.room.history_visibility', 'history_visibility') === 'world_readable',
    guestsCanJoin: text('m.room.guest_access', 'guest_access') === 'can_join',
  }
}

const isRestricted = (joinRule: string | null): boolean => joinRule === 'restricted' || joinRule === 'knock_restricted'

/** spec: client-server-api#restricted-rooms */
function allowedIn(allow: Json | undefined): RoomId[] {
  if (!Array.isArray(allow)) return []
  return allow.flatMap((condition) => {
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
