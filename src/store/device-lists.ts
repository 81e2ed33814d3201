import { type RoomId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import type { Membership } from './memberships.ts'
import type { Store } from './store.ts'

/** Changes of one user's devices that are kept; only who asks with a token from before all of them could miss one. */
export const CHANGES_KEPT = 1_000
const EVERYONE = 0

/** Called inside the transaction of whatever changed the devices or the cross-signing keys of `userId`. */
export function projectDeviceListChange(
  { db, names }: Store,
  userId: UserId,
  position: number,
  observer?: UserId,
): void {
  const user = names.numberOf(userId)
  db.query('INSERT OR IGNORE INTO device_list_changes (position, user, observer) VALUES (?, ?, ?)').run(
    position,
    user,
    observer === undefined ? EVERYONE : names.numberOf(observer),
  )
  db.query(
    `
    DELETE FROM device_list_changes WHERE user = ?1 AND position <= (
      SELECT position FROM device_list_changes WHERE user = ?1 ORDER BY position DESC LIMIT 1 OFFSET ${CHANGES_KEPT})
  `,
  ).run(user)
}

/** Users whose keys the reader has to ask for anew, and users whom the reader cannot track any more. */
export type DeviceListChanges = Readonly<{ changed: readonly UserId[]; left: readonly UserId[] }>

export type DeviceListWindow = Readonly<{
  userId: UserId
  since: number
  until: number
  /** The rooms that the reader is in and in which something may have happened in between. */
  rooms: Iterable<RoomId>
}>

/** How near a user is to someone who is in the same room; who is invited will read what is encrypted for them. */
const NEARNESS: Readonly<Partial<Record<Membership, number>>> = { invite: 1, join: 2 }

/**
 * Exactly whose devices changed between two positions, or came into sight: users count while they are in a room with the
 * reader, or invited to one that the reader is in, because clients encrypt for those too; encrypted or not, because any
 * room may become encrypted. Who is invited comes into sight once more on joining. Where the reader and another user were
 * apart for a while, changes in the meantime count as well. spec: client-server-api#e2e-extensions-to-sync
 */
export function listDeviceListChanges(store: Store, window: DeviceListWindow): DeviceListChanges {
  const { userId, since, until } = window
  const reader = store.names.find(userId)
  if (reader === undefined || since >= until) return { changed: [], left: [] }
  const changes = usersWithChanges(store, reader, window)
  const moved = usersWhoMoved(store, reader, window)
  if (changes.length === 0 && moved.size === 0) return { changed: [], left: [] }
  const changed = new Set<number>()
  const left: number[] = []
  for (const { user, observer } of changes)
    if (user === reader || observer === reader || nearnessAt(store, reader, user, [until])[0] > 0) changed.add(user)
  for (const user of moved) {
    const [is, was] = nearnessAt(store, reader, user, [until, since])
    if (is > was || (is > 0 && isRemote(store, user, userId))) changed.add(user)
    if (was > 0 && is === 0) left.push(user)
  }
  const text = (user: number): UserId => store.names.textOf(user) as UserId
  return { changed: [...changed].map(text), left: left.map(text) }
}

/** What a user of another server did while apart from the reader, that server did not tell us. */
const isRemote = ({ names }: Store, user: number, userId: UserId): boolean =>
  serverNameOf(names.textOf(user)) !== serverNameOf(userId)

function usersWithChanges({ db }: Store, reader: number, { since, until }: DeviceListWindow) {
  return db
    .query<{ user: number; observer: number }, [number, number, number]>(
      `
      SELECT DISTINCT user, observer FROM device_list_changes WHERE position > ? AND position <= ? AND observer IN (${EVERYONE}, ?)`,
    )
    .all(since, until, reader)
}

/** Everyone but the reader with whom the rooms in common may be others than before. */
function usersWhoMoved(store: Store, reader: number, { since, until, rooms }: DeviceListWindow): Set<number> {
  const users = new Set<number>()
  const own = store.db
    .query<{ room: number }, [number, number]>('SELECT room FROM memberships WHERE user = ? AND position > ?')
    .all(reader, since)
  const entered = new Set(own.map(({ room }) => room))
  for (const room of entered) for (const user of membersSince(store, room, since)) users.add(user)
  for (const roomId of rooms) {
    const room = store.names.find(roomId)
    if (room !== undefined && !entered.has(room))
      for (const user of membersMoved(store, room, since, until)) users.add(user)
  }
  users.delete(reader)
  return users
}

/** Who is in the room or invited, or was at some time since. */
function membersSince({ db }: Store, room: number, since: number): number[] {
  return db
    .query<{ user: number }, [number, number]>(
      "SELECT user FROM memberships WHERE room = ? AND (membership IN ('join', 'invite') OR position > ?)",
    )
    .all(room, since)
    .map(({ user }) => user)
}

function membersMoved({ db, names }: Store, room: number, since: number, until: number): number[] {
  return db
    .query<{ user: number }, [number, number, number, number]>(
      `
      SELECT DISTINCT state_key AS user FROM state_changes WHERE room = ? AND position > ? AND position <= ? AND type = ?`,
    )
    .all(room, since, until, names.find('m.room.member') ?? -1)
    .map(({ user }) => user)
}

type Standing = { room: number; own: Membership; ownPosition: number; theirs: Membership; theirPosition: number }

/** The rooms in which both have ever been anything. */
const COMMON_ROOMS = `
  SELECT m.room, r.membership AS own, r.position AS ownPosition, m.membership AS theirs, m.position AS theirPosition
    FROM memberships m JOIN memberships r ON r.user = ?1 AND r.room = m.room WHERE m.user = ?2`

/** The nearest that a user is to the reader in any room, at each of these positions; 0: out of sight. */
function nearnessAt<const P extends readonly number[]>(store: Store, reader: number, user: number, positions: P): { [K in keyof P]: number }
function nearnessAt(store: Store, reader: number, user: number, positions: readonly number[]): number[] {
  const nearest = positions.map(() => 0)
  for (const row of store.db.query<Standing, [number, number]>(COMMON_ROOMS).iterate(reader, user)) {
    for (const [index, position] of positions.entries())
      if (nearest[index] !== NEARNESS.join) nearest[index] = Math.max(nearest[index] ?? 0, nearnessIn(store, reader, user, row, position))
    // Most who share a room at all share the first one.
    if (nearest.every((each) => each === NEARNESS.join)) break
  }
  return nearest
}

function nearnessIn(store: Store, reader: number, user: number, row: Standing, position: number): number {
  const own = row.ownPosition <= position ? row.own : membershipThen(store, reader, row.room, position)
  if (own !== 'join') return 0
  const theirs = row.theirPosition <= position ? row.theirs : membershipThen(store, user, row.room, position)
  return NEARNESS[theirs ?? 'leave'] ?? 0
}

/** What the history of the room's state says of a membership that has moved since. */
function membershipThen({ db, names }: Store, user: number, room: number, position: number): Membership | undefined {
  const then = db
    .query<{ membership: Membership | null }, [number, number, number, number]>(
      `
      SELECT e.json ->> '$.content.membership' AS membership FROM state_changes c LEFT JOIN events e ON e.num = c.event
       WHERE c.room = ? AND c.type = ? AND c.state_key = ? AND c.position <= ? ORDER BY c.position DESC LIMIT 1`,
    )
    .get(room, names.find('m.room.member') ?? -1, user, position)
  return then?.membership ?? undefined
}
