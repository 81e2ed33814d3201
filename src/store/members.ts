import { joinRuleOf, ownValue } from '#core/event-content.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import { isRoomId, type RoomId, serverNameOf, type ServerName, type UserId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import { findMembership, type Membership } from './memberships.ts'
import { findStateEvent } from './room-state.ts'
import type { Store } from './store.ts'

/**
 * Up to which position someone may see the state of a room: `Infinity` while they are in it, the end of their last stay
 * when they have left, `Infinity` for anyone where the room is world readable, undefined for everyone else.
 * spec: client-server-api#get_matrixclientv3roomsroomidstate
 */
export function findReach(store: Store, roomId: RoomId, userId: UserId): number | undefined {
  const now = findMembership(store, roomId, userId)
  if (now?.membership === 'join') return Infinity
  const left = now && !now.isForgotten ? endOfLastStay(store, roomId, userId) : undefined
  if (left !== undefined) return left
  return isWorldReadable(store, roomId) ? Infinity : undefined
}

export const isWorldReadable = (store: Store, roomId: RoomId): boolean =>
  ownValue(findStateEvent(store, roomId, 'm.room.history_visibility', '')?.pdu.content, 'history_visibility') === 'world_readable'

/** The event that ended the newest membership `join`; undefined for someone who never joined. */
function endOfLastStay({ db, names }: Store, roomId: RoomId, userId: UserId): number | undefined {
  const [room, type, key] = [names.find(roomId), names.find('m.room.member'), names.find(userId)]
  if (room === undefined || type === undefined || key === undefined) return undefined
  const changes = db
    .query<{ position: number; membership: string | null }, [number, number, number]>(`
      SELECT c.position, e.json ->> '$.content.membership' AS membership FROM state_changes c LEFT JOIN events e ON e.num = c.event
       WHERE c.room = ? AND c.type = ? AND c.state_key = ? ORDER BY c.position`)
    .all(room, type, key)
  const lastJoin = changes.findLastIndex(({ membership }) => membership === 'join')
  return lastJoin < 0 ? undefined : changes[lastJoin + 1]?.position
}

export type MembersQuery = Readonly<{
  roomId: RoomId
  /** The state after everything up to this position; `Infinity` for now. */
  until: number
  membership?: Membership | undefined
  notMembership?: Membership | undefined
}>

const WANTED = `
  (?1 IS NULL OR e.json ->> '$.content.membership' = ?1) AND (?2 IS NULL OR e.json ->> '$.content.membership' <> ?2)`

const MEMBERS_NOW = `
  SELECT ${CLIENT_EVENT} FROM room_state s JOIN events e ON e.num = s.event WHERE s.room = ?3 AND s.type = ?4 AND ${WANTED}`

const MEMBERS_THEN = `
  SELECT ${CLIENT_EVENT} FROM (
    SELECT c.event, max(c.position) FROM state_changes c
     WHERE c.room = ?3 AND c.type = ?4 AND c.position <= ?5 GROUP BY c.state_key
  ) n JOIN events e ON e.num = n.event WHERE ${WANTED}`

/** The member events of a room. */
export function listMemberEvents(store: Store, { roomId, until, membership, notMembership }: MembersQuery): ClientEvent[] {
  const [room, type] = [store.names.find(roomId), store.names.find('m.room.member')]
  if (room === undefined || type === undefined) return []
  const [only, not] = [membership ?? null, notMembership ?? null]
  const rows = until === Infinity
    ? store.db.query<ClientEventRow, [string | null, string | null, number, number]>(MEMBERS_NOW).all(only, not, room, type)
    : store.db.query<ClientEventRow, [string | null, string | null, number, number, number]>(MEMBERS_THEN).all(only, not, room, type, until)
  return rows.map((row) => clientEventOf(store, row))
}

export type JoinedMember = Readonly<{ userId: UserId; displayname: string | null; avatarUrl: string | null }>

/** Who is in a room now, by the name and picture they have in it. */
export function listJoinedMembers({ db, names }: Store, roomId: RoomId): JoinedMember[] {
  const room = names.find(roomId)
  if (room === undefined) return []
  return db
    .query<{ user: number; content: string }, [number]>(`
      SELECT m.user, e.json -> '$.content' AS content FROM memberships m JOIN events e ON e.num = m.event
       WHERE m.room = ? AND m.membership = 'join'`)
    .all(room)
    .map(({ user, content }) => {
      const { displayname, avatar_url: avatarUrl } = JSON.parse(content) as Record<string, unknown>
      return {
        userId: names.textOf(user) as UserId,
        displayname: typeof displayname === 'string' ? displayname : null,
        avatarUrl: typeof avatarUrl === 'string' ? avatarUrl : null,
      }
    })
}

/** The guests of this server who are in a room now. */
export function listJoinedGuests({ db, names }: Store, roomId: RoomId): UserId[] {
  const room = names.find(roomId)
  if (room === undefined) return []
  return db
    .query<{ user: number }, [number]>(`
      SELECT m.user FROM memberships m JOIN users u ON u.user = m.user
       WHERE m.room = ? AND m.membership = 'join' AND u.is_guest = 1`)
    .all(room)
    .map(({ user }) => names.textOf(user) as UserId)
}

/** The servers with joined users, those with the most of them first. */
export function listServersIn({ db, names }: Store, roomId: RoomId): ServerName[] {
  const room = names.find(roomId)
  if (room === undefined) return []
  const counts = new Map<ServerName, number>()
  for (const { user } of db.query<{ user: number }, [number]>("SELECT user FROM memberships WHERE room = ? AND membership = 'join'").all(room)) {
    const server = serverNameOf(names.textOf(user))
    counts.set(server, (counts.get(server) ?? 0) + 1)
  }
  return [...counts].toSorted(([, one], [, other]) => other - one).map(([server]) => server)
}

/**
 * Whether a restricted join rule lets someone in: they are in one of the rooms that it names.
 * spec: client-server-api#restricted-rooms
 */
export function isVouchedFor(store: Store, roomId: RoomId, userId: UserId): boolean {
  const rules = findStateEvent(store, roomId, 'm.room.join_rules', '')
  const rule = joinRuleOf(rules)
  const conditions = ownValue(rules?.pdu.content, 'allow')
  if ((rule !== 'restricted' && rule !== 'knock_restricted') || !Array.isArray(conditions)) return false
  return conditions.some((condition) => {
    const { type, room_id: allowed } = Object(condition) as Record<string, unknown>
    return type === 'm.room_membership' && isRoomId(allowed) && findMembership(store, allowed, userId)?.membership === 'join'
  })
}
