import type { Json } from '#schema/pdu.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { depthOf, diceFrom, mutated, printed, simplerThan, strangeValue, textsIn, type Dice } from './mutation.ts'

/** Feeds damaged inputs to functions that have to take anything, and notes what breaks them. */

/** No input may be larger, in bytes of JSON: what an event may weigh. */
export const INPUT_LIMIT = 65_536
/** No input may take longer. */
export const SLOW_MS = 50
/** Deeper input never gets past the strict parser. */
const DEPTH_LIMIT = 250
/** How often a slow input is tried again: the machine may have been busy, or the code not warm. */
const SLOW_TRIES = 6
/** How many inputs are kept to be damaged further, besides the seeds, and how long they may be. */
const POOL_ROOM = 300
const POOLED_LENGTH = 6000
const SLICE_MS = 15
const SHRINK_TRIES = 4000
const SHRINK_MS = 3000

/**
 * One function, or a row of them as they are used, under test. `run` answers whether the input was accepted; what it
 * throws is a finding, unless it is a `MatrixError`. `attempt` counts up when an input is tried again, so that nothing
 * need be remembered from the first time.
 */
export type Target = Readonly<{
  name: string
  seeds: readonly Json[]
  words?: readonly string[]
  run: (input: Json, attempt: number) => boolean
}>

export type Finding = Readonly<{
  target: string
  /** JSON text. */
  input: string
  /** What was thrown, and where; or that it was slow. */
  problem: string
}>

export type FuzzReport = Readonly<{
  /** Inputs tried and accepted, by target. */
  counts: ReadonlyMap<string, Readonly<{ tried: number; accepted: number; slowestMs: number }>>
  findings: readonly Finding[]
}>

/** What one input comes to: whether it was accepted, how long it took, and what went wrong. */
export function tryInput(target: Target, input: string, attempt = 0): { accepted: boolean; ms: number; problem?: string } {
  const value = JSON.parse(input) as Json
  const sinceStart = stopwatch()
  try {
    const accepted = target.run(value, attempt)
    return { accepted, ms: sinceStart() }
  } catch (thrown) {
    const ms = sinceStart()
    return thrown instanceof MatrixError ? { accepted: false, ms } : { accepted: false, ms, problem: describe(thrown) }
  }
}

/** Milliseconds of work: by the clock, but not what other processes were given in between. */
function stopwatch(): () => number {
  const [began, worked] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(worked)
    return Math.min(performance.now() - began, (user + system) / 1000)
  }
}

/** As `tryInput`, but what is slow is tried again before it is called so. */
export function judge(target: Target, input: string): { accepted: boolean; ms: number; problem?: string } {
  let best = tryInput(target, input)
  for (let attempt = 1; attempt < SLOW_TRIES && best.ms > SLOW_MS / 4 && best.problem === undefined; attempt++) {
    const again = tryInput(target, input, attempt)
    if (again.ms < best.ms) best = again
  }
  return best.ms > SLOW_MS && best.problem === undefined ? { ...best, problem: 'slow' } : best
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `threw ${String(thrown)}`
  const where = thrown.stack?.split('\n').map((line) => /(?:src\/core|schema|harness)\/[\w/.-]+:\d+/.exec(line)?.[0]).find((place) => place)
  return `${thrown.name}: ${thrown.message.slice(0, 200)}${where === undefined ? '' : ` at ${where}`}`
}

type Bench = { target: Target; words: string[]; pool: Json[]; tried: number; accepted: number; slowestMs: number }

/** Fuzzes all targets in turn for so long. The same seed tries the same inputs, as far as the time reaches. */
export function fuzz(targets: readonly Target[], seed: number, forMs: number): FuzzReport {
  const dice = diceFrom(seed)
  const benches = targets.map((target): Bench => ({
    target,
    words: [...new Set([...(target.words ?? []), ...target.seeds.flatMap(textsIn)])],
    pool: [...target.seeds],
    tried: 0,
    accepted: 0,
    slowestMs: 0,
  }))
  const findings = new Map<string, Finding>()
  const until = performance.now() + forMs
  while (performance.now() < until) {
    for (const bench of benches) {
      const sliceEnd = Math.min(until, performance.now() + SLICE_MS)
      do tryNext(dice, bench, findings)
      while (performance.now() < sliceEnd)
    }
  }
  const counts = new Map(benches.map(({ target, tried, accepted, slowestMs }) => [target.name, { tried, accepted, slowestMs }]))
  return { counts, findings: [...findings.values()] }
}

function tryNext(dice: Dice, bench: Bench, findings: Map<string, Finding>): void {
  const { target, pool, words } = bench
  let value = pool[dice(pool.length)] ?? strangeValue(dice, words)
  // The first inputs are the seeds as they are.
  if (bench.tried < target.seeds.length) value = target.seeds[bench.tried] ?? value
  else for (let changes = 1 + dice(4); changes > 0; changes--) value = mutated(dice, value, words)

  bench.tried++
  const input = printed(value)
  if (Buffer.byteLength(input) > INPUT_LIMIT || depthOf(value) > DEPTH_LIMIT) return
  const { accepted, ms, problem } = judge(target, input)
  if (accepted) bench.accepted++
  bench.slowestMs = Math.max(bench.slowestMs, ms)
  // What was accepted leads further than what was refused; what is large only makes the rest slow.
  if (dice(accepted ? 4 : 40) === 0 && input.length < POOLED_LENGTH) keepIn(dice, bench, value)
  if (problem === undefined) return
  const name = `${target.name} ${problem.replaceAll(/"[^"]*"|[\d.]+/g, '')}`
  if (!findings.has(name)) findings.set(name, { target: target.name, problem, input: shrunk(target, value, problem) })
}

function keepIn(dice: Dice, { pool, target }: Bench, value: Json): void {
  const limit = target.seeds.length + POOL_ROOM
  pool[pool.length < limit ? pool.length : target.seeds.length + dice(POOL_ROOM)] = value
}

/** The least input that comes to the same problem, as far as a few thousand tries find it. */
function shrunk(target: Target, value: Json, problem: string): string {
  let least = value
  const until = performance.now() + SHRINK_MS
  let tries = problem === 'slow' ? 0 : SHRINK_TRIES
  for (let isShrinking = true; isShrinking && tries > 0; ) {
    isShrinking = false
    for (const simpler of simplerThan(least)) {
      if (--tries < 0 || performance.now() > until) return printed(least)
      if (tryInput(target, printed(simpler)).problem !== problem) continue
      least = simpler
      isShrinking = true
      break
    }
  }
  return printed(least)
}
