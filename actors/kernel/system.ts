import type { MatrixError } from '#schema/matrix-error.ts'
import { type Address, addressText, type AnyBehaviour, type AnyCommand } from './actor.ts'
import type { Kinded, OfKind, Ref, ReplyOf, Turn } from './actor.ts'
import { type Ask, Asks } from './asks.ts'
import { Cell, type Decided, type Mail } from './cell.ts'
import { nextTick } from './clock.ts'
import { Committer } from './committer.ts'
import { Mailbox } from './mailbox.ts'
import type { From, SystemOptions } from './options.ts'
import { internalError, killed, mailboxFull, notWritten, setAside, stopped, tooLate } from './refusals.ts'
import { Reports } from './reports.ts'
import { Resting } from './resting.ts'
import { healthy, isQuarantined, noteCrash } from './supervisor.ts'

export { ASK_DEADLINE_MS } from './asks.ts'
/** Mail that one actor may have waiting from outside; the next one is refused with 503. */
export const MAIL_LIMIT = 1_000
/** Mail from other actors has more room, because a refused letter between actors is lost. */
export const INSIDE_MAIL_LIMIT = 20_000
export const TURNS_PER_TICK = 256
/** Turns taken one after another before the event loop gets its turn; a slow turn is never cut short. */
export const TICK_MS = 4
/** Actors brought back from the journal before the event loop gets its turn. */
export const REPLAYS_PER_TICK = 16
/** Actors that keep writing to each other may not hold up a stop for longer. */
export const DRAIN_MS = 10_000

export type { From, SystemOptions, TurnReport } from './options.ts'

export type ActorRow = Readonly<{
  kind: string
  id: string
  mail: number
  turns: number
  facts: number
  quarantined: boolean
}>

type Phase = 'running' | 'draining' | 'stopped'

/**
 * Runs actors: decides many turns, writes them once, then speaks. The guarantees stand in README.md beside this
 * file, each one the name of a test.
 */
export class System<World extends object, Effect> {
  readonly #cells = new Map<string, Cell<Effect>>()
  readonly #behaviours = new Map<string, AnyBehaviour<Effect>>()
  /** Actors with mail, each once; they take turns. */
  readonly #ready = new Mailbox<Cell<Effect>>()
  readonly #committer: Committer
  readonly #asks: Asks
  readonly #reports: Reports<Effect>
  readonly #resting: Resting<Effect>
  readonly #timers = new Set<() => void>()
  /** Tells the turns of this start from those of earlier ones, whose ids may stand in facts. */
  readonly #start: string
  #phase: Phase = 'running'
  #stopping: Promise<void> | undefined
  #isScheduled = false
  #turnCount = 0
  #replays = 0

  constructor(private readonly options: SystemOptions<World, Effect>) {
    for (const behaviour of options.behaviours) this.#behaviours.set(behaviour.kind, behaviour)
    this.#start = options.clock.now().toString(36)
    this.#asks = new Asks(options.clock, tooLate)
    this.#reports = new Reports(options)
    this.#committer = new Committer(options.journal, (failure) => {
      if (failure !== undefined) this.#reports.crashed('journal', 'append', failure)
      this.#goOn()
    })
    this.#resting = new Resting({
      cells: this.#cells,
      committer: this.#committer,
      clock: options.clock,
      awakeLimit: options.awakeLimit,
      restAfterMs: options.restAfterMs,
      reports: this.#reports,
      goOn: () => this.#goOn(),
      isStopped: () => this.#phase === 'stopped',
    })
    this.#resting.start()
  }

  /** A handle to one actor; nothing wakes until mail is sent. */
  ref<C extends AnyCommand>(address: Address<C>): Ref<C> {
    return {
      tell: (command, cause) => this.tell(address, command, cause),
      ask: <const X extends C>(command: X, cause: string) =>
        this.#ask(address, command, cause) as Promise<ReplyOf<OfKind<C, X['kind']>>>,
    }
  }

  /** Mail without a reply. What cannot be delivered is reported as `crashed`, after a stop it is dropped. */
  tell(address: Address<never>, command: AnyCommand, cause: string): void {
    if (this.#phase === 'stopped') return
    const mail = { command: this.#carry(command), cause, ask: undefined, written: this.options.journal.position }
    const refusal = this.#deliver(address, mail, INSIDE_MAIL_LIMIT)
    if (refusal) this.#reports.crashed(addressText(address), command.kind, refusal)
  }

  /** Sends `command` to the actor after `ms`; it wakes for it if it rests by then. Forgotten at a restart. */
  after(ms: number, address: Address<never>, command: AnyCommand, cause: string): void {
    if (this.#phase !== 'running') return
    const cancel = this.options.clock.after(ms, () => {
      this.#timers.delete(cancel)
      this.tell(address, command, cause)
    })
    this.#timers.add(cancel)
  }

  /** Gives the reply that turn `turn` had put off; nothing happens when nobody waits for it any more. */
  answer(turn: string, reply: unknown): void {
    const ask = this.#asks.answeredBy(turn)
    if (ask) this.#reply(turn, ask, reply)
  }

  /** Refuses what turn `turn` had put off. */
  refuse(turn: string, refusal: MatrixError): void {
    const ask = this.#asks.answeredBy(turn)
    if (ask) this.#asks.reject(ask, refusal)
  }

  /** Lets an actor leave memory now if it has no mail and nothing unwritten. */
  rest(address: Address<never>): void {
    const cell = this.#cells.get(addressText(address))
    if (cell) this.#resting.rest(cell)
    this.#goOn()
  }

  /**
   * Drops an actor's memory and refuses its waiting mail, at once and before all else; forgives its crashes.
   * What it had decided already is still written and said. Its next mail finds it replayed.
   */
  kill(address: Address<never>): void {
    const cell = this.#cells.get(addressText(address))
    if (!cell) return
    cell.forget()
    cell.health = undefined
    this.#refuseWaiting(cell, killed())
  }

  actors(): ActorRow[] {
    const now = this.options.clock.now()
    return [...this.#cells.values()].map((cell) => ({
      kind: cell.kind,
      id: cell.id,
      mail: cell.mailbox.size,
      turns: cell.turns,
      facts: cell.factsSinceSnapshot,
      quarantined: cell.health !== undefined && isQuarantined(cell.health, now),
    }))
  }

  /** An awake actor's memory in frozen form, for people who look; undefined when it rests. */
  frozenMemoryOf(address: Address<never>): unknown {
    const cell = this.#cells.get(addressText(address))
    return cell?.hasMemory ? cell.freeze().frozen : undefined
  }

  get turns(): number {
    return this.#turnCount
  }

  get awake(): number {
    return this.#cells.size
  }

  /** Asks that have no reply yet, put off or not. */
  get asks(): number {
    return this.#asks.waiting
  }

  /** Resolves when no mail waits and everything decided is on disk. */
  settled(): Promise<void> {
    return this.#settle(Number.POSITIVE_INFINITY)
  }

  /**
   * Refuses asks from now on, decides the mail that waits and what follows from it, puts all actors to rest.
   * Replies still put off then are refused, timers are forgotten. The journal stays open.
   */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #stop(): Promise<void> {
    this.#phase = 'draining'
    this.#resting.stop()
    for (const cancel of this.#timers) cancel()
    await this.#settle(performance.now() + (this.options.drainMs ?? DRAIN_MS))
    this.#phase = 'stopped'
    for (const cell of this.#cells.values()) this.#refuseWaiting(cell, stopped())
    await this.#settle(Number.POSITIVE_INFINITY)
    await this.#resting.all()
    await this.#settle(Number.POSITIVE_INFINITY)
    this.#asks.rejectAll(stopped())
  }

  async #settle(until: number): Promise<void> {
    do {
      this.#committer.hurry()
      await nextTick()
      await this.#committer.whenCommitted()
    } while (!this.#isQuiet && performance.now() < until)
  }

  get #isQuiet(): boolean {
    return this.#ready.size === 0 && this.#committer.isIdle && !this.#isScheduled && !this.#resting.isBusy
  }

  #ask(address: Address<never>, command: AnyCommand, cause: string): Promise<unknown> {
    return this.#asks.open((ask) => {
      if (this.#phase !== 'running') return stopped()
      const written = this.options.journal.position
      return this.#deliver(address, { command: this.#carry(command), cause, ask, written }, MAIL_LIMIT)
    })
  }

  #carry<T>(mail: T): T {
    return this.options.carry ? this.options.carry(mail) : mail
  }

  #deliver(address: Address<never>, mail: Mail, limit: number): MatrixError | undefined {
    const cell = this.#cellOf(address)
    if (cell.health && isQuarantined(cell.health, this.options.clock.now())) return setAside()
    if (!cell.mailbox.push(mail, limit)) return mailboxFull()
    this.#enqueue(cell)
    return undefined
  }

  #cellOf(address: Address<never>): Cell<Effect> {
    const text = addressText(address)
    const known = this.#cells.get(text)
    if (known) return known
    const behaviour = this.#behaviours.get(address.kind)
    if (!behaviour) throw new Error(`no behaviour for actors of kind ${address.kind}`)
    const cell = new Cell(address.kind, address.id, text, behaviour)
    this.#cells.set(text, cell)
    this.#resting.noteWoken()
    return cell
  }

  #enqueue(cell: Cell<Effect>): void {
    if (cell.isQueued) return
    cell.isQueued = true
    this.#ready.push(cell, Number.POSITIVE_INFINITY)
    if (!this.#committer.isFull) this.#schedule()
  }

  get #hasWork(): boolean {
    return (this.#ready.size > 0 && !this.#committer.isFull) || this.#committer.wantsFlush
  }

  #goOn(): void {
    if (this.#hasWork) this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#run)
  }

  /** One tick: all that the event loop has brought is decided, then sent off as one batch. */
  readonly #run = (): void => {
    this.#isScheduled = false
    this.#takeTurns()
    this.#committer.flush()
    this.#goOn()
  }

  #takeTurns(): void {
    const now = this.options.clock.now()
    const until = performance.now() + (this.options.tickMs ?? TICK_MS)
    this.#replays = 0
    for (let turns = 0; turns < TURNS_PER_TICK; turns++) {
      if (this.#replays >= REPLAYS_PER_TICK || this.#committer.isFull) return
      const cell = this.#ready.shift()
      if (!cell) return
      cell.isQueued = false
      if (this.#mustWait(cell)) continue
      const mail = cell.mailbox.shift()
      // Whose deadline has passed was told that nothing was decided, and so it stays.
      if (mail && mail.ask?.isOpen !== false) this.#takeTurn(cell, mail, now)
      if (cell.mailbox.size > 0) this.#enqueue(cell)
      if (performance.now() > until) return
    }
  }

  /** Before an actor is replayed or looks into its tables, its own latest facts must be on disk. */
  #mustWait(cell: Cell<Effect>): boolean {
    if (!cell.pending || (cell.hasMemory && !cell.behaviour.readsTables)) return false
    cell.isQueued = true
    cell.pending.whenSettled(() => {
      cell.isQueued = false
      if (cell.mailbox.size > 0) this.#enqueue(cell)
    })
    return true
  }

  #takeTurn(cell: Cell<Effect>, mail: Mail, now: number): void {
    const started = this.#reports.wantsTurns ? performance.now() : 0
    const turn = this.#turnOf(cell, mail, now)
    cell.turns++
    cell.lastTurnAt = now
    let decision: Decided<Effect>
    try {
      if (!cell.hasMemory) this.#replay(cell)
      decision = cell.decide(mail.command, turn)
    } catch (error) {
      return this.#crash(cell, mail, error, now)
    }
    const facts = 'refuse' in decision ? 0 : (decision.facts?.length ?? 0)
    if ('facts' in decision && facts > 0) this.#write(cell, decision.facts ?? [], mail, now)
    this.#releaseWhenWritten(cell, mail, turn, decision, facts)
    if (this.#reports.wantsTurns) this.#reports.turn(cell.address, mail, decision, { facts, ms: performance.now() - started })
  }

  #turnOf(cell: Cell<Effect>, { cause, written }: Mail, now: number): Turn & World {
    const { nonce: fresh, world } = this.options
    let nonce: string | undefined
    return {
      ...world,
      id: `${cell.address}#${this.#start}.${++this.#turnCount}`,
      now,
      get nonce() {
        return (nonce ??= fresh())
      },
      cause,
      position: this.#committer.nextPosition,
      written,
    }
  }

  #replay(cell: Cell<Effect>): void {
    this.#replays++
    cell.replay(this.options.journal, (error) => this.#reports.crashed(cell.address, 'snapshot', error))
  }

  #write(cell: Cell<Effect>, facts: readonly Kinded[], { ask, cause }: Mail, ts: number): void {
    for (const fact of facts) {
      const position = this.#committer.add(cell.address, cause, ts, fact)
      this.options.decided?.(fact, position)
    }
    const batch = this.#committer.open
    batch.turns++
    if (ask) batch.asks++
    cell.factsSinceSnapshot += facts.length
    this.#pend(cell)
    if (!this.#isSnapshotDue(cell)) return
    cell.factsSinceSnapshot = 0
    batch.freezeWhenSent(() => (cell.hasMemory ? this.#resting.freeze(cell) : undefined))
  }

  #pend(cell: Cell<Effect>): void {
    const batch = this.#committer.open
    if (cell.pending === batch) return
    cell.pending = batch
    batch.whenSettled((failure) => {
      if (cell.pending === batch) cell.pending = undefined
      if (failure !== undefined) cell.forget()
    })
  }

  #isSnapshotDue(cell: Cell<Effect>): boolean {
    try {
      return cell.isSnapshotDue
    } catch (error) {
      this.#reports.crashed(cell.address, 'snapshot', error)
      return false
    }
  }

  /** A turn without facts may have seen some that are not on disk; its reply waits for them, or its refusal. */
  #releaseWhenWritten(cell: Cell<Effect>, mail: Mail, turn: Turn, decision: Decided<Effect>, facts: number) {
    if (!cell.pending) return this.#release(cell, mail, turn, decision, facts)
    cell.pending.whenSettled((failure) => {
      if (failure === undefined) this.#release(cell, mail, turn, decision, facts)
      else if (mail.ask) this.#asks.reject(mail.ask, notWritten(failure))
    })
  }

  #release(cell: Cell<Effect>, { ask, cause }: Mail, turn: Turn, decision: Decided<Effect>, facts: number) {
    if ('refuse' in decision) {
      if (ask) this.#asks.reject(ask, decision.refuse)
      return
    }
    if (ask && 'replyLater' in decision) this.#asks.putOff(ask, turn.id)
    if (decision.effects?.length) {
      const position = facts > 0 ? turn.position + facts - 1 : this.options.journal.position
      const from: From = { kind: cell.kind, id: cell.id, cause, position, turn: turn.id }
      for (const effect of decision.effects) this.#perform(effect, from)
    }
    if (ask && !('replyLater' in decision)) this.#reply(cell.address, ask, decision.reply)
  }

  #reply(address: string, ask: Ask, reply: unknown): void {
    try {
      this.#asks.resolve(ask, this.#carry(reply))
    } catch (error) {
      this.#asks.reject(ask, internalError())
      this.#reports.crashed(address, 'reply', error)
    }
  }

  #perform(effect: Effect, from: From): void {
    try {
      this.options.perform(effect, from)
    } catch (error) {
      this.#reports.crashed(`${from.kind}/${from.id}`, 'effect', error)
    }
  }

  #crash(cell: Cell<Effect>, mail: Mail, error: unknown, now: number): void {
    cell.forget()
    if (mail.ask) this.#asks.reject(mail.ask, internalError())
    this.#reports.crashed(cell.address, mail.command.kind, error)
    cell.health ??= healthy()
    if (noteCrash(cell.health, now)) this.#refuseWaiting(cell, setAside())
  }

  #refuseWaiting(cell: Cell<Effect>, refusal: MatrixError): void {
    for (const { ask, command } of cell.mailbox.drain()) {
      if (ask) this.#asks.reject(ask, refusal)
      else this.#reports.crashed(cell.address, command.kind, refusal)
    }
  }
}
