import type { Kinded } from './actor.ts'
import { Company } from './company.ts'
import type { Journal, JournalRow, Snapshot } from './journal.ts'

/** Turns that one batch may hold while another is being written; then deciding waits for the disk. */
export const TURNS_PER_COMMIT = 256
/** The same for facts, because one turn may decide many. */
export const FACTS_PER_COMMIT = 4_096
export const SNAPSHOTS_PER_COMMIT = 256

/** `failure` is undefined when the batch is on disk, and says why when it will never be. */
export type Settled = (failure: unknown) => void

/** What is decided together, written together and said together. */
export class OpenBatch {
  readonly rows: JournalRow[] = []
  readonly snapshots: Snapshot[] = []
  readonly #freezers: (() => Snapshot | undefined)[] = []
  readonly #listeners: Settled[] = []
  turns = 0
  /** Turns whose reply someone outside waits for. */
  asks = 0

  get isEmpty(): boolean {
    return this.rows.length === 0 && this.snapshots.length === 0
  }

  get isFull(): boolean {
    const { turns, rows, snapshots } = this
    return turns >= TURNS_PER_COMMIT || rows.length >= FACTS_PER_COMMIT || snapshots.length >= SNAPSHOTS_PER_COMMIT
  }

  whenSettled(listener: Settled): void {
    this.#listeners.push(listener)
  }

  /** `freeze` runs when the batch is sent off: the snapshot holds neither less nor more than its position says. */
  freezeWhenSent(freeze: () => Snapshot | undefined): void {
    this.#freezers.push(freeze)
  }

  seal(): void {
    for (const freeze of this.#freezers.splice(0)) {
      const snapshot = freeze()
      if (snapshot) this.snapshots.push(snapshot)
    }
  }

  settle(failure: unknown): void {
    for (const listener of this.#listeners) listener(failure)
  }
}

/**
 * Writes one batch while the next is being decided, and releases them in order.
 * When a commit fails, everything that was decided on top of it fails with it.
 */
export class Committer {
  #open = new OpenBatch()
  #inFlight: OpenBatch | undefined
  #nextPosition: number
  readonly #company = new Company()
  /** Rings when the wait for company is over; until then nothing is sent unless all have come. */
  #waiting: ReturnType<typeof setTimeout> | undefined
  #whenCommitted: (() => void)[] = []

  constructor(
    private readonly journal: Journal,
    /** Called after every commit, good or bad: there is room for more turns, and perhaps something to send. */
    private readonly settled: (failure: unknown) => void,
    /** Milliseconds of real time: disks do not care for a clock that a test moves. */
    private readonly time: () => number = () => performance.now(),
  ) {
    this.#nextPosition = journal.position + 1
  }

  get open(): OpenBatch {
    return this.#open
  }

  get nextPosition(): number {
    return this.#nextPosition
  }

  /** No more turns may be decided before the open batch has been sent off. */
  get isFull(): boolean {
    return this.#open.isFull
  }

  get isIdle(): boolean {
    return this.#inFlight === undefined && this.#open.isEmpty
  }

  /** Something is open that `flush` would send. */
  get wantsFlush(): boolean {
    return this.#inFlight === undefined && !this.#open.isEmpty && this.#waiting === undefined
  }

  add(actor: string, cause: string, ts: number, fact: Kinded): number {
    const position = this.#nextPosition++
    this.#open.rows.push({ position, actor, cause, ts, fact })
    return position
  }

  /** To be called when everything that this tick of the event loop brought has been decided. */
  flush(): void {
    if (this.#inFlight !== undefined || this.#open.isEmpty || this.#waitsForCompany()) return
    const batch = this.#open
    this.#open = new OpenBatch()
    this.#inFlight = batch
    batch.seal()
    const started = this.time()
    this.#append(batch).then(
      () => this.#committed(batch, this.time() - started),
      (error: unknown) => this.#rejected(batch, error ?? new Error('the journal gave no reason')),
    )
  }

  /** Waits for no company this time: someone waits for everything to be on disk. */
  hurry(): void {
    this.#company.hurry()
    this.flush()
  }

  /** Resolves when the batch that is being written has been settled, if there is one. */
  whenCommitted(): Promise<void> {
    return this.#inFlight ? new Promise((resolve) => this.#whenCommitted.push(resolve)) : Promise.resolve()
  }

  /** A journal that throws is one that rejects. */
  async #append(batch: OpenBatch): Promise<void> {
    await this.journal.append(batch)
  }

  #committed(batch: OpenBatch, tookMs: number): void {
    this.#inFlight = undefined
    this.#company.expect({ tookMs, answered: batch.asks, open: this.#open.asks }, this.time())
    batch.settle(undefined)
    this.#afterCommit(undefined)
  }

  #rejected(batch: OpenBatch, error: unknown): void {
    const onTop = this.#open
    this.#inFlight = undefined
    this.#open = new OpenBatch()
    this.#nextPosition = this.journal.position + 1
    this.#company.hurry()
    batch.settle(error)
    onTop.settle(error)
    this.#afterCommit(error)
  }

  #afterCommit(failure: unknown): void {
    this.settled(failure)
    for (const resolve of this.#whenCommitted.splice(0)) resolve()
  }

  #waitsForCompany(): boolean {
    const waitMs = this.#open.isFull ? 0 : this.#company.waitMs(this.#open.asks, this.time())
    if (waitMs > 0) {
      this.#waiting ??= setTimeout(this.#waited, Math.ceil(waitMs))
      return true
    }
    clearTimeout(this.#waiting)
    this.#waiting = undefined
    return false
  }

  readonly #waited = (): void => {
    this.#waiting = undefined
    this.flush()
  }
}
