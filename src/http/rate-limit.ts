import type { RateLimit } from '#config'
import { limitExceeded } from '#schema/matrix-error.ts'

/** Buckets that one limiter keeps; of more, the one that was used longest ago is forgotten. */
export const BUCKET_LIMIT = 20_000
/** What is told where nothing would ever leak away. */
const LONGEST_WAIT_MS = 60 * 60_000

/** So many actions per second in the long run and so many at once, for each key: a user, an address, a room. */
export type RateLimiter = Readonly<{
  /** Counts one action of `key`. Throws `M_LIMIT_EXCEEDED` (429) with the time to wait, and then counts nothing. */
  take(key: string): void
  /** As `take`, but counts nothing: whether an action would be let through. */
  check(key: string): void
}>

/**
 * Leaky buckets: each action fills one, `perSecond` of them leak away, and `burstCount` fit in.
 * spec: client-server-api#rate-limiting
 */
export function rateLimiter({ perSecond, burstCount }: RateLimit, now: () => number): RateLimiter {
  const buckets = new Map<string, { level: number; at: number }>()

  const levelOf = (key: string): number => {
    const bucket = buckets.get(key)
    return bucket ? Math.max(0, bucket.level - ((now() - bucket.at) / 1000) * perSecond) : 0
  }

  const check = (key: string): number => {
    const level = levelOf(key)
    const tooMuch = level + 1 - burstCount
    // A millisecond's worth of rounding must not cost another wait.
    if (tooMuch <= 1e-9) return level
    const waitMs = perSecond > 0 ? (tooMuch / perSecond) * 1000 : LONGEST_WAIT_MS
    throw limitExceeded('Too many requests', Math.min(waitMs, LONGEST_WAIT_MS))
  }

  return {
    check: (key) => void check(key),
    take(key) {
      const level = check(key)
      // Taken out and put in again, a bucket stands last: the first one is then the one to forget.
      buckets.delete(key)
      buckets.set(key, { level: level + 1, at: now() })
      const [oldest] = buckets.keys()
      if (buckets.size > BUCKET_LIMIT && oldest !== undefined) buckets.delete(oldest)
    },
  }
}
