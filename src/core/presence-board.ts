import type { UserId } from '#schema/identifiers.ts'

/** `busy` is MSC3026, which clients know by its longer name. */
export const PRESENCES = ['offline', 'unavailable', 'online', 'org.matrix.msc3026.busy', 'busy'] as const
export type Presence = (typeof PRESENCES)[number]

export const isPresence = (text: string): text is Presence => (PRESENCES as readonly string[]).includes(text)

/** What others are shown of a user. */
export type ShownPresence = Readonly<{
  presence: Presence
  statusMsg: string | null
  /** Milliseconds since 1970; null: never seen. */
  lastActiveTs: number | null
  /** Of users of other servers: without news by then they count as offline. */
  expiresTs?: number
}>

export type PostedPresence = ShownPresence & Readonly<{ volatile: number }>

/** Changes that are remembered in their order; who missed more than that looks at everyone. */
export const REMEMBERED_CHANGES = 10_000
/** Users on the board; of more, those whose presence changed longest ago go. */
export const POSTED_PRESENCES = 100_000

/** Who is online, as far as this run of the process knows. `volatile` is the notifier's count of such changes. */
export type PresenceBoard = Readonly<{
  post: (userId: UserId, shown: ShownPresence, volatile: number) => void
  find: (userId: UserId) => PostedPresence | undefined
  /** Whose presence changed after `volatile`, the newest change first, each once. */
  changedSince: (volatile: number) => UserId[]
  /** Everyone, the newest change first; at most `limit`. */
  newest: (limit: number) => UserId[]
  /** Users of other servers from whom there was no news in time. */
  expired: (now: number) => UserId[]
}>

export function presenceBoard(): PresenceBoard {
  const posted = new Map<UserId, PostedPresence>()
  let changes: Readonly<{ userId: UserId; volatile: number }>[] = []
  const newest = (limit: number): UserId[] => [...posted.keys()].slice(-limit).toReversed()
  return {
    find: (userId) => posted.get(userId),
    newest,
    post(userId, shown, volatile) {
      posted.delete(userId)
      posted.set(userId, { ...shown, volatile })
      const [oldest] = posted.keys()
      if (posted.size > POSTED_PRESENCES && oldest) posted.delete(oldest)
      changes.push({ userId, volatile })
      if (changes.length > 2 * REMEMBERED_CHANGES) changes = changes.slice(-REMEMBERED_CHANGES)
    },
    changedSince(volatile) {
      if (changes.length >= REMEMBERED_CHANGES && volatile < (changes[0]?.volatile ?? 0)) return newest(POSTED_PRESENCES)
      const users = new Set<UserId>()
      for (let at = changes.length - 1; at >= 0; at--) {
        const change = changes[at]
        if (!change || change.volatile <= volatile) break
        users.add(change.userId)
      }
      return [...users]
    },
    expired: (now) => [...posted].filter(([, { expiresTs, presence }]) => expiresTs !== undefined && expiresTs <= now && presence !== 'offline').map(([userId]) => userId),
  }
}

/**
 * The event that a sync shows. How long ago the user was active is counted when it is sent (G-88).
 * spec: client-server-api#mpresence
 */
export function presenceContent({ presence, statusMsg, lastActiveTs }: ShownPresence, now: number, activeForMs: number): Record<string, unknown> {
  const ago = lastActiveTs === null ? undefined : Math.max(0, now - lastActiveTs)
  return {
    presence,
    ...(ago === undefined ? {} : { last_active_ago: ago }),
    ...(statusMsg === null ? {} : { status_msg: statusMsg }),
    ...(presence === 'online' ? { currently_active: ago !== undefined && ago < activeForMs } : {}),
  }
}
