/** How often is looked. */
const EVERY_MS = 250
/** Processor time between two looks, up to which it is quiet. */
export const QUIET_MS = 25
/** Processor time after which there may be something to collect in a quiet moment, and after which it has to be then. */
export const WORTH_MS = 250
export const OVERDUE_MS = 4_000

/** Told at each look how long the thread has worked since its start, says whether it is time to collect. */
export function collections(workedMs: number): (workedMs: number) => boolean {
  let [collectedAt, lookedAt] = [workedMs, workedMs]
  return (now) => {
    const isQuiet = now - lookedAt <= QUIET_MS
    lookedAt = now
    const isDue = now - collectedAt >= (isQuiet ? WORTH_MS : OVERDUE_MS)
    if (isDue) collectedAt = now
    return isDue
  }
}

/**
 * Has garbage collected when a burst of work is over, because the engine by itself waits until a machine of a server's
 * size fills, and small ones have other programs to run. The returned function ends it.
 */
export function spareMemory(): () => void {
  const isDue = collections(workedMs())
  const timer = setInterval(() => {
    // Not forced, so it is done beside the work and stops nothing; what was used is given back a moment later.
    if (isDue(workedMs())) Bun.gc(false)
  }, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Processor time of this thread. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
