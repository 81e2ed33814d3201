import type { Json } from '#schema/pdu.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { ProfileFieldDeleted, ProfileFieldSet } from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Removed fields of one user that are remembered. */
export const REMOVED_FIELDS_KEPT = 100

/** Table `profiles`: the fields of local users; `removed_profile_fields`: what is no longer among them. */
export const projectProfileFieldSet: Project<ProfileFieldSet> = ({ db, names }, { userId, field, value }, position) => {
  const user = names.numberOf(userId)
  db.query('INSERT OR REPLACE INTO profiles (user, field, value, position) VALUES (?, ?, ?, ?)').run(user, field, JSON.stringify(value), position)
  db.query('DELETE FROM removed_profile_fields WHERE user = ? AND field = ?').run(user, field)
}

export const projectProfileFieldDeleted: Project<ProfileFieldDeleted> = ({ db, names }, { userId, field }, position) => {
  const user = names.numberOf(userId)
  db.query('DELETE FROM profiles WHERE user = ? AND field = ?').run(user, field)
  db.query('INSERT OR REPLACE INTO removed_profile_fields (user, field, position) VALUES (?, ?, ?)').run(user, field, position)
  db.query(`
    DELETE FROM removed_profile_fields WHERE user = ?1 AND position <= (
      SELECT position FROM removed_profile_fields WHERE user = ?1 ORDER BY position DESC LIMIT 1 OFFSET ${REMOVED_FIELDS_KEPT})
  `).run(user)
}

/** `value` is JSON text; null: the field was removed. */
export type ProfileChange = Readonly<{ userId: UserId; field: string; value: string | null }>

const IN_SIGHT = `(c.user = ?3 OR EXISTS (
  SELECT 1 FROM memberships a JOIN memberships b ON b.room = a.room AND b.user = ?3 AND b.membership = 'join'
   WHERE a.user = c.user AND a.membership = 'join'))`
const CHANGES = `
  SELECT c.user, c.field, c.value FROM profiles c WHERE c.position > ?1 AND c.position <= ?2 AND ${IN_SIGHT}
   UNION ALL
  SELECT c.user, c.field, NULL FROM removed_profile_fields c WHERE c.position > ?1 AND c.position <= ?2 AND ${IN_SIGHT}`

/** What the reader, and those who are in a room with them, have changed about themselves. */
export const listProfileChanges = ({ db, names }: Store, { userId, since, until }: Readonly<{ userId: UserId; since: number; until: number }>): ProfileChange[] =>
  db
    .query<{ user: number; field: string; value: string | null }, [number, number, number]>(CHANGES)
    .all(since, until, names.find(userId) ?? -1)
    .map(({ user, field, value }) => ({ userId: names.textOf(user) as UserId, field, value }))

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
      SELECT a.room FROM memberships AS a JOIN memberships AS b ON b.room = a.room AND b.user = ?2
       WHERE a.user = ?1 AND a.membership = 'join' AND b.membership = 'join' LIMIT 1
    `)
    .get(first, second)
  return row !== null
}
