import type { UserId } from '#schema/identifiers.ts'
import type {
  AdminChanged, GuestUpgraded, LockChanged, PasswordChanged, SuspensionChanged,
  UserDeactivated, UserReactivated, UserRegistered,
} from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** An account of this server. */
export type UserRow = Readonly<{
  userId: UserId
  isAdmin: boolean
  isGuest: boolean
  isDeactivated: boolean
  isErased: boolean
  isLocked: boolean
  isSuspended: boolean
  createdTs: number
}>

export const projectUserRegistered: Project<UserRegistered> = ({ db, names }, fact) => {
  const { userId, passwordHash, isAdmin, isGuest, ts } = fact
  db.query('INSERT INTO users (user, password_hash, is_admin, is_guest, created_ts) VALUES (?, ?, ?, ?, ?)')
    .run(names.numberOf(userId), passwordHash, Number(isAdmin), Number(isGuest), ts)
}

export const projectGuestUpgraded: Project<GuestUpgraded> = ({ db, names }, { userId, passwordHash }) => {
  db.query('UPDATE users SET is_guest = 0, password_hash = ? WHERE user = ?').run(passwordHash, names.numberOf(userId))
}

export const projectPasswordChanged: Project<PasswordChanged> = ({ db, names }, { userId, passwordHash }) => {
  db.query('UPDATE users SET password_hash = ? WHERE user = ?').run(passwordHash, names.numberOf(userId))
}

export const projectAdminChanged: Project<AdminChanged> = ({ db, names }, { userId, isAdmin }) => {
  db.query('UPDATE users SET is_admin = ? WHERE user = ?').run(Number(isAdmin), names.numberOf(userId))
}

export const projectLockChanged: Project<LockChanged> = ({ db, names }, { userId, isLocked }) => {
  db.query('UPDATE users SET is_locked = ? WHERE user = ?').run(Number(isLocked), names.numberOf(userId))
}

export const projectSuspensionChanged: Project<SuspensionChanged> = ({ db, names }, { userId, isSuspended }) => {
  db.query('UPDATE users SET is_suspended = ? WHERE user = ?').run(Number(isSuspended), names.numberOf(userId))
}

/** The profile, account data and filters go too. */
export const projectUserDeactivated: Project<UserDeactivated> = ({ db, names }, { userId, isErased }) => {
  const user = names.numberOf(userId)
  db.query(`
    UPDATE users SET is_deactivated = 1, is_admin = 0, password_hash = NULL, is_erased = max(is_erased, ?) WHERE user = ?
  `).run(Number(isErased), user)
  db.query('DELETE FROM profiles WHERE user = ?').run(user)
  db.query('DELETE FROM removed_profile_fields WHERE user = ?').run(user)
  db.query('DELETE FROM account_data WHERE user = ?').run(user)
  db.query('DELETE FROM filters WHERE user = ?').run(user)
}

export const projectUserReactivated: Project<UserReactivated> = ({ db, names }, { userId, passwordHash }) => {
  db.query('UPDATE users SET is_deactivated = 0, is_erased = 0, password_hash = ? WHERE user = ?')
    .run(passwordHash, names.numberOf(userId))
}

type FlagsRow = {
  user: number
  is_admin: number
  is_guest: number
  is_deactivated: number
  is_erased: number
  is_locked: number
  is_suspended: number
  created_ts: number
}

const COLUMNS = 'user, is_admin, is_guest, is_deactivated, is_erased, is_locked, is_suspended, created_ts'

const readRow = ({ names }: Store, row: FlagsRow): UserRow => ({
  userId: names.textOf(row.user) as UserId,
  isAdmin: row.is_admin === 1,
  isGuest: row.is_guest === 1,
  isDeactivated: row.is_deactivated === 1,
  isErased: row.is_erased === 1,
  isLocked: row.is_locked === 1,
  isSuspended: row.is_suspended === 1,
  createdTs: row.created_ts,
})

/** The account of a local user, deactivated or not. */
export function findUser(store: Store, userId: UserId): UserRow | undefined {
  const user = store.names.find(userId)
  if (user === undefined) return undefined
  const row = store.db.query<FlagsRow, [number]>(`SELECT ${COLUMNS} FROM users WHERE user = ?`).get(user)
  return row ? readRow(store, row) : undefined
}

/** The stored hash; null when there is no login by password. */
export function findPasswordHash({ db, names }: Store, userId: UserId): string | null {
  const user = names.find(userId)
  if (user === undefined) return null
  const row = db
    .query<{ password_hash: string | null }, [number]>('SELECT password_hash FROM users WHERE user = ?')
    .get(user)
  return row?.password_hash ?? null
}

export const hasUser = ({ db, names }: Store, userId: UserId): boolean => {
  const user = names.find(userId)
  return user !== undefined && db.query('SELECT 1 FROM users WHERE user = ?').get(user) !== null
}

/** `from` rows are passed over; `search` is part of a user id; deactivated accounts only when asked for. */
export type UserPage = Readonly<{ from: number; limit: number; search: string | null; deactivated: boolean }>

/** Accounts in the order of their ids, and how many there are in all. */
export function listUsers(store: Store, page: UserPage): { users: UserRow[]; total: number } {
  const { from, limit, search, deactivated } = page
  const matching = `
    FROM users JOIN names ON names.num = users.user
    WHERE (?1 OR is_deactivated = 0) AND (?2 IS NULL OR instr(lower(name), lower(?2)) > 0)
  `
  const some: [number, string | null] = [Number(deactivated), search]
  const users = store.db
    .query<FlagsRow, [...typeof some, number, number]>(`SELECT ${COLUMNS} ${matching} ORDER BY name LIMIT ?3 OFFSET ?4`)
    .all(...some, limit, from)
    .map((row) => readRow(store, row))
  const counted = store.db.query<{ total: number }, typeof some>(`SELECT count(*) AS total ${matching}`).get(...some)
  return { users, total: counted?.total ?? 0 }
}

export const countUsers = ({ db }: Store): number =>
  db.query<{ total: number }, []>('SELECT count(*) AS total FROM users WHERE is_deactivated = 0').get()?.total ?? 0

/** Accounts that are neither guests nor deactivated. */
export const countPeople = ({ db }: Store): number =>
  db.query<{ total: number }, []>('SELECT count(*) AS total FROM users WHERE is_deactivated = 0 AND is_guest = 0').get()?.total ?? 0
