import type { UserId } from '#schema/identifiers.ts'
import type { MonthlyUseNoticed } from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Whoever was seen within this time is active. */
export const MONTH_MS = 30 * 24 * 60 * 60_000

export const projectMonthlyUseNoticed: Project<MonthlyUseNoticed> = ({ db, names }, { userId, ts }) => {
  db.query('INSERT OR REPLACE INTO monthly_users (user, seen_ts) VALUES (?, ?)').run(names.numberOf(userId), ts)
  db.query('DELETE FROM monthly_users WHERE seen_ts <= ?').run(ts - MONTH_MS)
}

/** Who was seen after `since`, the latest first. */
export const listMonthlyUsers = ({ db, names }: Store, since: number): { userId: UserId; seenTs: number }[] =>
  db
    .query<{ user: number; seen_ts: number }, [number]>('SELECT user, seen_ts FROM monthly_users WHERE seen_ts > ? ORDER BY seen_ts DESC, user')
    .all(since)
    .map(({ user, seen_ts: seenTs }) => ({ userId: names.textOf(user) as UserId, seenTs }))
