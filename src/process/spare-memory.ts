/** How often is looked while there is nothing to collect, and while there is. */
export const CALM_MS = 1_000
export const KEEN_MS = 100
/** Processor time between two keen looks, up to which it is quiet. */
export const QUIET_MS = 10
/** Processor time after which there may be something to collect in a quiet moment, and after which it has to be then. */
export const WORTH_MS = 250
export const OVERDUE_MS = 4_000
/** The engine collects step by step, whenever the loop turns: so many turns bring it to an end. */
export const TURNS = 10

/** What one look comes to. */
export type Look = Readonly<{ isDue: boolean; nextInMs: number }>

/** Told at each look how long the thread has worked since its start, says whether it is time to collect. */
export function collections(workedMs: number): (workedMs: number) => Look {
  let [collectedAt, lookedAt] = [workedMs, workedMs]
  let turns = 0
  return (now) => {
    const [sinceLook, sinceCollection] = [now - lookedAt, now - collectedAt]
    lookedAt = now
    turns--
    const isDue = sinceCollection >= (sinceLook <= QUIET_MS ? WORTH_MS : OVERDUE_MS)
    if (isDue) [collectedAt, turns] = [now, TURNS]
    const isKeen = isDue || turns > 0 || sinceCollection >= WORTH_MS
    return { isDue, nextInMs: isKeen ? KEEN_MS : CALM_MS }
  }
}

/**
 * Has garbage collected when a burst of work is over, because the engine by itself waits until a machine of a server's
 * size fills, and small ones have other programs to run. The returned function ends it.
 */
export function spareMemory(): () => void {
  // To start is a burst of work, too.
  const look = collections(workedMs() - WORTH_MS)
  let timer = setTimeout(again, KEEN_MS)
  timer.unref()
  function again(): void {
    const { isDue, nextInMs } = look(workedMs())
    // Not forced, so it is done beside the work and stops nothing.
    if (isDue) Bun.gc(false)
    timer = setTimeout(again, nextInMs)
    timer.unref()
  }
  return () => clearTimeout(timer)
}

/** Processor time of this thread. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
