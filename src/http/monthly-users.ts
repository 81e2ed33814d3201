import type { Homeserver } from '#homeserver'
import type { UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { listMonthlyUsers, MONTH_MS } from '#store/monthly-users.ts'
import { findUser } from '#store/users.ts'
import { perServer } from './per-server.ts'

/** Someone who is counted already is written down again only after this time. */
export const NOTICED_AGAIN_MS = 60 * 60_000
const DAY_MS = 24 * 60 * 60_000

/**
 * Who counts as active: when each was seen, the one who was first in front. The list is asked at every step, so it is
 * kept in memory; what it holds is on disk as well.
 */
type Cohort = Map<UserId, number>

const cohortOf = perServer((server): Cohort => {
  const { config: { limitUsageByMau, maxMauValue }, clock, store } = server
  const known = listMonthlyUsers(store, clock.now() - MONTH_MS)
  // Where the limit is lower than it was, those who were seen last may stay.
  const kept = limitUsageByMau ? known.slice(0, maxMauValue) : known
  return new Map(kept.toReversed().map(({ userId, seenTs }) => [userId, seenTs]))
})

/** Those who were not seen for a month leave. They stand in front. */
function current(server: Homeserver): Cohort {
  const cohort = cohortOf(server)
  const until = server.clock.now() - MONTH_MS
  for (const [userId, seenTs] of cohort) {
    if (seenTs > until) break
    cohort.delete(userId)
  }
  return cohort
}

const isCounted = ({ config }: Homeserver): boolean => config.limitUsageByMau || config.mauStatsOnly

/** How many users are active this month; null where nobody counts them. */
export const countMonthlyUsers = (server: Homeserver): number | null => (isCounted(server) ? current(server).size : null)

const hasRoom = (server: Homeserver): boolean =>
  !server.config.limitUsageByMau || current(server).size < server.config.maxMauValue

/** Accounts of the last few days do not count yet. */
function isOnTrial({ config, clock, store }: Homeserver, userId: UserId): boolean {
  if (config.mauTrialDays === 0) return false
  const createdTs = findUser(store, userId)?.createdTs
  return createdTs !== undefined && clock.now() - createdTs < config.mauTrialDays * DAY_MS
}

/** To be called when a user does anything: they count from now on, if there is room. Guests never do. */
export function noteMonthlyUse(server: Homeserver, { userId, isGuest }: Readonly<{ userId: UserId; isGuest: boolean }>): void {
  if (!isCounted(server) || isGuest) return
  const now = server.clock.now()
  const cohort = current(server)
  const seenTs = cohort.get(userId)
  if (seenTs === undefined ? isOnTrial(server, userId) || !hasRoom(server) : now - seenTs < NOTICED_AGAIN_MS) return
  cohort.delete(userId)
  cohort.set(userId, now)
  server.user(userId).tell({ kind: 'noticeMonthlyUse' }, server.mintCause())
}

/**
 * Where the number of active users is limited and reached, only those go on who are counted, or are on trial. `userId`
 * is null for somebody who would be new. Throws `M_RESOURCE_LIMIT_EXCEEDED`.
 */
export function refuseBeyondLimit(server: Homeserver, userId: UserId | null): void {
  if (hasRoom(server)) return
  if (userId !== null && (current(server).has(userId) || isOnTrial(server, userId))) return
  const { adminContact } = server.config
  throw new MatrixError(403, 'M_RESOURCE_LIMIT_EXCEEDED', 'This server has reached its limit of active users this month', {
    limit_type: 'monthly_active_user',
    ...(adminContact === null ? {} : { admin_contact: adminContact }),
  })
}
