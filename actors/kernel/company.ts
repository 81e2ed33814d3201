/** Below this many milliseconds a commit is so cheap that waiting for company would only cost. */
export const FAST_COMMIT_MS = 0.9
/** On slow disks the writer waits at most this share of a commit for the clients it has just answered. */
export const COMPANY_WAIT_SHARE = 0.6
export const COMPANY_WAIT_MAX_MS = 5
/** Waits in vain after which the pauses between two of them grow no further: 64 commits. */
const MOST_PATIENCE_LOST = 6

/**
 * On a slow disk, clients answered by one commit would miss the next one by a hair and split into two groups that each
 * wait for two commits. So the writer waits a moment for them, never for a lone client, and seldom where they do not
 * come in time: they are so many that deciding takes them longer than the disk, or they had no more to say.
 */
export class Company {
  #commitMs = 0
  #until = 0
  #asks = 0
  /** Waits in vain, one after the other. */
  #inVain = 0
  #commitsToSkip = 0

  /** A commit that took so long has answered so many asks, and so many others are open already. */
  expect(commit: Readonly<{ tookMs: number; answered: number; open: number }>, now: number): void {
    this.#learn(commit.tookMs)
    this.#asks = commit.answered + commit.open
    this.#until = 0
    if (this.#asks < 2 || this.#commitMs <= FAST_COMMIT_MS || this.#commitsToSkip-- > 0) return
    this.#until = now + Math.min(this.#commitMs * COMPANY_WAIT_SHARE, COMPANY_WAIT_MAX_MS)
  }

  /** Milliseconds that a batch of so many asks has to wait yet; 0: it is to be sent now. */
  waitMs(asks: number, now: number): number {
    if (this.#until === 0) return 0
    const isThere = asks >= this.#asks
    if (!isThere && now < this.#until) return this.#until - now
    this.#inVain = isThere ? 0 : Math.min(this.#inVain + 1, MOST_PATIENCE_LOST)
    this.#commitsToSkip = isThere ? 0 : 2 ** this.#inVain
    this.#until = 0
    return 0
  }

  /** Waits for nobody this time. */
  hurry(): void {
    this.#until = 0
  }

  /** A busy event loop makes commits look slow, never fast: so downwards at once, upwards by and by. */
  #learn(tookMs: number): void {
    const isFaster = this.#commitMs === 0 || tookMs < this.#commitMs
    this.#commitMs = isFaster ? tookMs : this.#commitMs * 0.9 + tookMs * 0.1
  }
}
