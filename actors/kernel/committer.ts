import type { Clock } from './clock.ts'
import type { Journal, JournalRow, Snapshot } from './journal.ts'

/** Turns that one batch may hold while another is being written; then deciding waits for the disk. */
export const TURNS_PER_COMMIT = 256

/** Below this many milliseconds a commit is so cheap that waiting for company would only cost. */
export const FAST_COMMIT_MS = 0.6
/** On slow disks the writer waits at most this share of a commit for the clients it has just answered. */
export const COMPANY_WAIT_SHARE = 0.3
export const COMPANY_WAIT_MAX_MS = 3

/** What is decided together, written together and said together. */
export class OpenBatch {
  readonly rows: JournalRow[] = []
  readonly snapshots: Snapshot[] = []
  readonly #released: (() => void)[] = []
  readonly #failed: ((error: unknown) => void)[] = []
  turns = 0

  get isEmpty(): boolean {
    return this.rows.length === 0 && this.snapshots.length === 0
  }

  /** `release` runs when the batch is on disk, `fail` when it will never be. */
  whenSettled(release: () => void, fail: (error: unknown) => void): void {
    this.#released.push(release)
    this.#failed.push(fail)
  }

  release(): void {
    for (const release of this.#released) release()
  }

  fail(error: unknown): void {
    for (const fail of this.#failed) fail(error)
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
  #commitMs = 0
  #lastTurns = 0
  #isFlushPlanned = false
  #isWaitingForCompany = false
  #idle: (() => void)[] = []

  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
    /** Called after every commit, good or bad: there is room for more turns. */
    private readonly settled: () => void,
  ) {
    this.#nextPosition = journal.position + 1
  }

  get open(): OpenBatch {
    return this.#open
  }

  get nextPosition(): number {
    return this.#nextPosition
  }

  get isFull(): boolean {
    return this.#inFlight !== undefined && this.#open.turns >= TURNS_PER_COMMIT
  }

  get isIdle(): boolean {
    return this.#inFlight === undefined && this.#open.isEmpty
  }

  add(row: Omit<JournalRow, 'position'>): void {
    this.#open.rows.push({ ...row, position: this.#nextPosition++ })
  }

  /** Sends the open batch off once everything that this tick of the event loop brought has been decided. */
  plan(): void {
    if (this.#inFlight) {
      if (this.#isWaitingForCompany && this.#open.turns >= this.#lastTurns) this.#flush()
      return
    }
    if (this.#isFlushPlanned || this.#open.isEmpty) return
    if (this.#isWaitingForCompany) {
      if (this.#open.turns >= this.#lastTurns) this.#flush()
      return
    }
    this.#isFlushPlanned = true
    setImmediate(() => {
      this.#isFlushPlanned = false
      if (!this.#inFlight && !this.#isWaitingForCompany) this.#flush()
    })
  }

  /** Resolves when nothing is open and nothing is being written. */
  async whenIdle(): Promise<void> {
    if (this.isIdle) return
    this.plan()
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #flush(): void {
    this.#isWaitingForCompany = false
    const batch = this.#open
    if (batch.isEmpty || this.#inFlight) return
    this.#open = new OpenBatch()
    this.#inFlight = batch
    const started = performance.now()
    this.journal.append(batch).then(
      () => this.#committed(batch, performance.now() - started),
      (error: unknown) => this.#rejected(batch, error),
    )
  }

  #committed(batch: OpenBatch, tookMs: number): void {
    this.#inFlight = undefined
    this.#commitMs = this.#commitMs * 0.8 + tookMs * 0.2
    this.#lastTurns = batch.turns
    batch.release()
    this.settled()
    this.#next()
  }

  #rejected(batch: OpenBatch, error: unknown): void {
    const onTop = this.#open
    this.#inFlight = undefined
    this.#open = new OpenBatch()
    this.#nextPosition = this.journal.position + 1
    batch.fail(error)
    onTop.fail(error)
    this.settled()
    this.#next()
  }

  /**
   * On a slow disk, clients answered by one commit would miss the next one by a hair and split into two groups
   * that each wait for two commits. So the writer waits a moment for them; never for a lone client.
   */
  #next(): void {
    if (this.isIdle) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    const shouldWait = this.#lastTurns > 1 && this.#commitMs > FAST_COMMIT_MS && this.#open.turns < this.#lastTurns
    if (!shouldWait) return this.plan()
    this.#isWaitingForCompany = true
    this.#lastTurns += this.#open.turns
    this.clock.after(Math.min(this.#commitMs * COMPANY_WAIT_SHARE, COMPANY_WAIT_MAX_MS), () => {
      if (this.#isWaitingForCompany) this.#flush()
    })
  }
}
