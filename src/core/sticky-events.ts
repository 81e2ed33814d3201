/** Events that stand out in sync for a while, such as who is in a call (MSC4354). */

export const LONGEST_STICKY_MS = 3_600_000

/** `msc4354_sticky.duration_ms` of an event that anyone may have written; undefined for what is no such duration. */
export const stickyDuration = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= LONGEST_STICKY_MS ? value : undefined
