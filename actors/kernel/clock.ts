/** Time as the kernel sees it: the real one, or one that a test moves by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `task` once after `ms` milliseconds; the returned function calls it off. */
  after(ms: number, task: () => void): () => void
}

/** `setTimeout` counts in 31 bits and fires at once when asked for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    let timer: ReturnType<typeof setTimeout>
    const wait = (left: number): void => {
      const rest = left - LONGEST_TIMER_MS
      timer = rest > 0 ? setTimeout(() => wait(rest), LONGEST_TIMER_MS) : setTimeout(task, left)
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}

export type ManualClock = Clock & { advance(ms: number): void }

/** A clock that stands still until `advance` moves it; timers fire in the order of their times. */
export function manualClock(start = 1_700_000_000_000): ManualClock {
  let now = start
  const timers = new Set<{ at: number; task: () => void }>()
  const nextDue = (end: number): { at: number; task: () => void } | undefined => {
    let first: { at: number; task: () => void } | undefined
    for (const timer of timers) if (timer.at <= end && (!first || timer.at < first.at)) first = timer
    return first
  }
  return {
    now: () => now,
    after(ms, task) {
      const timer = { at: now + ms, task }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const end = now + ms
      for (let due = nextDue(end); due; due = nextDue(end)) {
        timers.delete(due)
        now = Math.max(now, due.at)
        due.task()
      }
      now = end
    },
  }
}

/** Resolves when the event loop has had its turn. */
export const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
