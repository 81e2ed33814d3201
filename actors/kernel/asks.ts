import type { Clock } from './clock.ts'

export const ASK_DEADLINE_MS = 30_000

/** Someone outside who waits for one reply. */
export class Ask {
  isOpen = true
  /** The turn that put the reply off, if one did. */
  turn: string | undefined

  constructor(
    readonly resolve: (reply: unknown) => void,
    readonly reject: (error: unknown) => void,
    readonly deadline: number,
  ) {}
}

/** Everyone who waits for a reply. Each is answered once, and nothing of it is kept after that. */
export class Asks {
  /** In the order of their deadlines, because all wait equally long. */
  readonly #open = new Set<Ask>()
  readonly #putOff = new Map<string, Ask>()
  #cancelTimer: (() => void) | undefined

  constructor(
    private readonly clock: Clock,
    private readonly tooLate: () => unknown,
  ) {}

  get waiting(): number {
    return this.#open.size
  }

  /** `take` hands the ask on; what it returns, if anything, is why it was not taken. */
  open(take: (ask: Ask) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ask = new Ask(resolve, reject, this.clock.now() + ASK_DEADLINE_MS)
      const refusal = take(ask)
      if (refusal !== undefined) return reject(refusal)
      this.#open.add(ask)
      if (!this.#cancelTimer) this.#planTimer(ask)
    })
  }

  resolve(ask: Ask, reply: unknown): void {
    this.#close(ask)
    ask.resolve(reply)
  }

  reject(ask: Ask, error: unknown): void {
    this.#close(ask)
    ask.reject(error)
  }

  /** The reply will come by `answer`, until the deadline. */
  putOff(ask: Ask, turn: string): void {
    if (!ask.isOpen) return
    ask.turn = turn
    this.#putOff.set(turn, ask)
  }

  answeredBy(turn: string): Ask | undefined {
    return this.#putOff.get(turn)
  }

  rejectAll(error: unknown): void {
    for (const ask of this.#open) this.reject(ask, error)
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #close(ask: Ask): void {
    ask.isOpen = false
    this.#open.delete(ask)
    if (ask.turn !== undefined) this.#putOff.delete(ask.turn)
  }

  #planTimer(first: Ask): void {
    const ms = Math.min(Math.max(1, first.deadline - this.clock.now()), ASK_DEADLINE_MS)
    this.#cancelTimer = this.clock.after(ms, () => this.#expire())
  }

  #expire(): void {
    this.#cancelTimer = undefined
    const now = this.clock.now()
    for (const ask of this.#open) {
      if (ask.deadline > now) return this.#planTimer(ask)
      this.reject(ask, this.tooLate())
    }
  }
}
