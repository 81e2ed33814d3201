/** Three crashes in ten seconds put an actor in quarantine, never the house. */
export const CRASHES_BEFORE_QUARANTINE = 3
export const CRASH_WINDOW_MS = 10_000
/** A quarantined actor is tried again after this long: the cause may have been mended by an upgrade or an admin. */
export const QUARANTINE_MS = 10 * 60_000

/** The times of an actor's latest crashes, newest last, and when its quarantine ends. */
export type Health = { crashes: number[]; quarantinedUntil: number }

export const healthy = (): Health => ({ crashes: [], quarantinedUntil: 0 })

/** Notes a crash; true when it was one too many. */
export function noteCrash(health: Health, now: number): boolean {
  health.crashes = [...health.crashes.filter((at) => now - at < CRASH_WINDOW_MS), now]
  if (health.crashes.length < CRASHES_BEFORE_QUARANTINE) return false
  health.crashes = []
  health.quarantinedUntil = now + QUARANTINE_MS
  return true
}

export const isQuarantined = (health: Health, now: number): boolean => now < health.quarantinedUntil

/** True while forgetting these crashes would let an actor crash more often than it may. */
export const isWatched = (health: Health, now: number): boolean =>
  isQuarantined(health, now) || health.crashes.some((at) => now - at < CRASH_WINDOW_MS)
