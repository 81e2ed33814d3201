import type { EventAppended, RoomForgotten } from '#schema/journal/room.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban'
export type MembershipRow = Readonly<{ membership: Membership; event: number; position: number; isForgotten: boolean }>

/** Table `memberships` and the counts in `rooms`; called for `m.room.member` only. */
export const projectMembership: Project<EventAppended> = ({ db, names }, { roomId, pdu }, position) => {
  const user = names.numberOf(pdu.state_key ?? '')
  const room = names.numberOf(roomId)
  const membership = pdu.content.membership as Membership
  const before = db
    .query<{ membership: Membership }, [number, number]>('SELECT membership FROM memberships WHERE user = ? AND room = ?')
    .get(user, room)?.membership
  db.query(`
    INSERT OR REPLACE INTO memberships (user, room, membership, event, position, is_forgotten) VALUES (?1, ?2, ?3, ?4, ?4, 0)
  `).run(user, room, membership, position)
  const joined = Number(membership === 'join') - Number(before === 'join')
  const invited = Number(membership === 'invite') - Number(before === 'invite')
  if (joined !== 0 || invited !== 0)
    db.query('UPDATE rooms SET joined = joined + ?, invited = invited + ? WHERE room = ?').run(joined, invited, room)
}

export const projectRoomForgotten: Project<RoomForgotten> = ({ db, names }, { roomId, userId }) => {
  db.query('UPDATE memberships SET is_forgotten = 1 WHERE user = ? AND room = ?').run(names.numberOf(userId), names.numberOf(roomId))
}

export function findMembership({ db, names }: Store, roomId: RoomId, userId: UserId): MembershipRow | undefined {
  const [user, room] = [names.find(userId), names.find(roomId)]
  if (user === undefined || room === undefined) return undefined
  const row = db
    .query<Omit<MembershipRow, 'isForgotten'> & { is_forgotten: number }, [number, number]>(
      'SELECT membership, event, position, is_forgotten FROM memberships WHERE user = ? AND room = ?',
    )
    .get(user, room)
  return row ? { membership: row.membership, event: row.event, position: row.position, isForgotten: row.is_forgotten === 1 } : undefined
}

/** The rooms in which a user has this membership now. */
export function listRoomsOf({ db, names }: Store, userId: UserId, membership: Membership): RoomId[] {
  const user = names.find(userId)
  if (user === undefined) return []
  return db
    .query<{ name: RoomId }, [number, string]>(
      'SELECT n.name FROM memberships m JOIN names n ON n.num = m.room WHERE m.user = ? AND m.membership = ?',
    )
    .all(user, membership)
    .map(({ name }) => name)
}

/** The rooms whose members encrypt for a user: those that the user is in and those that the user is invited to. */
export function listRoomsInSightOf({ db, names }: Store, userId: UserId): RoomId[] {
  const user = names.find(userId)
  if (user === undefined) return []
  return db
    .query<{ name: RoomId }, [number]>(
      "SELECT n.name FROM memberships m JOIN names n ON n.num = m.room WHERE m.user = ? AND m.membership IN ('join', 'invite')",
    )
    .all(user)
    .map(({ name }) => name)
}

/** The users who have this membership in a room now, or so many of them. */
export function listMembersOf({ db, names }: Store, roomId: RoomId, membership: Membership, limit = -1): UserId[] {
  const room = names.find(roomId)
  if (room === undefined) return []
  return db
    .query<{ name: UserId }, [number, string, number]>(
      'SELECT n.name FROM memberships m JOIN names n ON n.num = m.user WHERE m.room = ? AND m.membership = ? LIMIT ?',
    )
    .all(room, membership, limit)
    .map(({ name }) => name)
}
