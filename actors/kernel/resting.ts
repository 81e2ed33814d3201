import type { Cell } from './cell.ts'
import { type Clock, nextTick } from './clock.ts'
import type { Committer } from './committer.ts'
import type { Snapshot } from './journal.ts'
import type { Reports } from './reports.ts'
import { isWatched } from './supervisor.ts'

export const AWAKE_LIMIT = 50_000
export const REST_AFTER_MS = 5 * 60_000
export const SWEEP_EVERY_MS = 15_000
export const RESTS_PER_TICK = 64
/** A resting actor that wakes within this many facts of its snapshot needs no newer one. */
const REPLAY_IS_CHEAP_FACTS = 20
/** Actors that wake above the limit before it is looked who may rest. */
const SURPLUS_PER_SWEEP = 1_024

type Bedroom<Effect> = Readonly<{
  cells: Map<string, Cell<Effect>>
  committer: Committer
  clock: Clock
  awakeLimit?: number | undefined
  restAfterMs?: number | undefined
  reports: Reports<Effect>
  /** Lets turns be taken, if there are any. */
  goOn: () => void
  /** Whoever has no mail rests, even who is watched after a crash. */
  isStopped: () => boolean
}>

/** Puts actors to rest: who has been idle for long, and the idlest when too many are awake. */
export class Resting<Effect> {
  isBusy = false
  #cancel: () => void = () => {}

  constructor(private readonly bedroom: Bedroom<Effect>) {}

  /** Looks around now and then from now on. */
  start(): void {
    this.#cancel = this.bedroom.clock.after(SWEEP_EVERY_MS, () => {
      this.start()
      this.#sweep()
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** An actor has woken. */
  noteWoken(): void {
    const { size } = this.bedroom.cells
    if (size > this.#awakeLimit && size % SURPLUS_PER_SWEEP === 0) this.#sweep()
  }

  /** Lets an actor leave memory if it has no mail and nothing unwritten. */
  rest(cell: Cell<Effect>): void {
    const { cells, committer } = this.bedroom
    if (cells.get(cell.address) !== cell || !this.#mayRest(cell)) return
    if (cell.hasMemory && cell.factsSinceSnapshot > REPLAY_IS_CHEAP_FACTS) {
      const snapshot = this.freeze(cell)
      if (snapshot) committer.open.snapshots.push(snapshot)
    }
    cells.delete(cell.address)
  }

  /** Everyone who may. */
  all(): Promise<void> {
    return this.#restEach([...this.bedroom.cells.values()])
  }

  freeze(cell: Cell<Effect>): Snapshot | undefined {
    try {
      return cell.freeze()
    } catch (error) {
      this.bedroom.reports.crashed(cell.address, 'snapshot', error)
      return undefined
    }
  }

  get #awakeLimit(): number {
    return this.bedroom.awakeLimit ?? AWAKE_LIMIT
  }

  #mayRest(cell: Cell<Effect>): boolean {
    const { clock, isStopped, reports } = this.bedroom
    if (cell.mailbox.size > 0 || cell.pending) return false
    if (isStopped()) return true
    if (cell.health && isWatched(cell.health, clock.now())) return false
    try {
      return cell.mayRest
    } catch (error) {
      reports.crashed(cell.address, 'rest', error)
      return false
    }
  }

  #sweep(): void {
    if (this.isBusy) return
    const { cells, clock, restAfterMs = REST_AFTER_MS } = this.bedroom
    const idleBefore = clock.now() - restAfterMs
    const idle = [...cells.values()].filter((cell) => cell.mailbox.size === 0)
    const surplus = cells.size - this.#awakeLimit
    if (surplus > 0) idle.sort((a, b) => a.lastTurnAt - b.lastTurnAt)
    void this.#restEach(idle.filter((cell, index) => index < surplus || cell.lastTurnAt < idleBefore))
  }

  /** A few at a time: freezing is work, and so is writing what was frozen. */
  async #restEach(cells: readonly Cell<Effect>[]): Promise<void> {
    this.isBusy = true
    for (const [index, cell] of cells.entries()) {
      if (index > 0 && index % RESTS_PER_TICK === 0) await this.#breathe()
      this.rest(cell)
    }
    this.isBusy = false
    this.bedroom.goOn()
  }

  async #breathe(): Promise<void> {
    const { committer, goOn } = this.bedroom
    do {
      goOn()
      await nextTick()
      await committer.whenCommitted()
    } while (committer.isFull)
  }
}
