import type { Json } from '#core/pdu.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { ProfileFieldDeleted, ProfileFieldSet } from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Table `profiles`: the fields of local users. */
export const projectProfileFieldSet: Project<ProfileFieldSet> = ({ db, names }, { userId, field, value }, position) => {
  db.query('INSERT OR REPLACE INTO profiles (user, field, value, position) VALUES (?, ?, ?, ?)')
    .run(names.numberOf(userId), field, JSON.stringify(value), position)
}

export const projectProfileFieldDeleted: Project<ProfileFieldDeleted> = ({ db, names }, { userId, field }) => {
  db.query('DELETE FROM profiles WHERE user = ? AND field = ?').run(names.numberOf(userId), field)
}

/** Everything a local user shows; empty also for users that there are not. */
export function findProfile({ db, names }: Store, userId: UserId): Map<string, Json> {
  const user = names.find(userId)
  if (user === undefined) return new Map()
  const rows = db
    .query<{ field: string; value: string }, [number]>('SELECT field, value FROM profiles WHERE user = ?')
    .all(user)
  return new Map(rows.map(({ field, value }) => [field, JSON.parse(value) as Json]))
}

/** One field of a local user; undefined when it is not set. */
export function findProfileField({ db, names }: Store, userId: UserId, field: string): Json | undefined {
  const user = names.find(userId)
  if (user === undefined) return undefined
  const row = db
    .query<{ value: string }, [number, string]>('SELECT value FROM profiles WHERE user = ? AND field = ?')
    .get(user, field)
  return row ? (JSON.parse(row.value) as Json) : undefined
}

/** What member events say about a local user. */
export function findMemberProfile(store: Store, userId: UserId): { displayname?: string; avatar_url?: string } {
  const displayname = findProfileField(store, userId, 'displayname')
  const avatarUrl = findProfileField(store, userId, 'avatar_url')
  return {
    ...(typeof displayname === 'string' ? { displayname } : {}),
    ...(typeof avatarUrl === 'string' ? { avatar_url: avatarUrl } : {}),
  }
}

/** Whether two users are in a room together. */
export function hasSharedRoom({ db, names }: Store, one: UserId, other: UserId): boolean {
  const [first, second] = [names.find(one), names.find(other)]
  if (first === undefined || second === undefined) return false
  const row = db
    .query<{ room: number }, [number, number]>(`
      SELECT a.room FROM memberships AS a JOIN memberships AS b ON b.room = a.room AND b.user = +?2
       WHERE a.user = +?1 AND a.membership = 'join' AND b.membership = 'join' LIMIT 1
    `)
    .get(first, second)
  return row !== null
}
