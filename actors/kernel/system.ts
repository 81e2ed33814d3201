import { limitExceeded, MatrixError } from '#schema/matrix-error.ts'
import { type Address, addressText, type AnyBehaviour, type AnyCommand, type Decision, type Kinded, type Ref, type ReplyOf, type OfKind, type Turn } from './actor.ts'
import { Cell, type Asker, type Mail } from './cell.ts'
import type { Clock } from './clock.ts'
import { Committer } from './committer.ts'
import type { Journal } from './journal.ts'
import { isQuarantined, noteCrash } from './supervisor.ts'

/** Mail that one actor may have waiting from outside; the next one is refused with 503. */
export const MAIL_LIMIT = 1_000
/** Mail from other actors has more room, because a refused letter between actors is lost. */
export const INSIDE_MAIL_LIMIT = 20_000
export const TURNS_PER_TICK = 256
/** Actors brought back from the journal before the event loop gets its turn. */
export const REPLAYS_PER_TICK = 16
export const ASK_DEADLINE_MS = 30_000
export const AWAKE_LIMIT = 50_000
export const REST_AFTER_MS = 5 * 60_000
export const SWEEP_EVERY_MS = 15_000
/** A resting actor that wakes within this many facts of its snapshot needs no newer one. */
const REPLAY_IS_CHEAP_FACTS = 20
const RETRY_AFTER_MS = 1_000

/** Who caused an effect, and behind which position it may be seen. */
export type From = Readonly<{ kind: string; id: string; cause: string; position: number; turn: string }>

export type TurnReport = Readonly<{
  cause: string
  actor: string
  command: string
  facts: number
  effects: number
  ms: number
  refused?: string
}>

export type SystemOptions<World extends object, Effect> = Readonly<{
  journal: Journal
  clock: Clock
  behaviours: readonly AnyBehaviour<Effect>[]
  /** What every turn carries besides the kernel's own fields; must be immutable or content-addressed. */
  world: World
  nonce: () => string
  perform: (effect: Effect, from: From) => void
  /** A bug: the actor, the command and what was thrown. */
  crashed: (actor: string, command: string, error: unknown) => void
  reportTurn?: (report: TurnReport) => void
  awakeLimit?: number
  restAfterMs?: number
}>

export type ActorRow = Readonly<{ kind: string; id: string; mail: number; turns: number; facts: number; quarantined: boolean }>

const stopped = (): MatrixError => limitExceeded('The server is stopping; try again in a moment', RETRY_AFTER_MS, 503)

/**
 * Runs actors: decides many turns, writes them once, then speaks. The guarantees stand in README.md beside this
 * file, each one the name of a test.
 */
export class System<World extends object, Effect> {
  readonly #cells = new Map<string, Cell>()
  readonly #behaviours = new Map<string, AnyBehaviour<Effect>>()
  readonly #ready: Cell[] = []
  #readyHead = 0
  readonly #committer: Committer
  readonly #later = new Map<string, Asker>()
  readonly #asks = new Set<Asker>()
  #isScheduled = false
  #isStopping = false
  #turnCount = 0
  #replays = 0
  #cancelSweep: () => void = () => {}

  constructor(private readonly options: SystemOptions<World, Effect>) {
    for (const behaviour of options.behaviours) this.#behaviours.set(behaviour.kind, behaviour)
    this.#committer = new Committer(options.journal, options.clock, () => this.#schedule())
    this.#planSweep()
  }

  /** A handle to one actor; nothing wakes until mail is sent. */
  ref<C extends AnyCommand>(address: Address<C>): Ref<C> {
    return {
      tell: (command, cause) => this.tell(address, command, cause),
      ask: <const X extends C>(command: X, cause: string) =>
        this.#ask(address, command, cause) as Promise<ReplyOf<OfKind<C, X['kind']>>>,
    }
  }

  tell(address: Address<never>, command: AnyCommand, cause: string): void {
    const refusal = this.#deliver(address, { command, cause, asker: undefined }, INSIDE_MAIL_LIMIT)
    if (refusal) this.options.crashed(addressText(address), command.kind, refusal)
  }

  /** Sends `command` to the actor after `ms`; it wakes for it if it rests by then. Forgotten at a restart. */
  after(ms: number, address: Address<never>, command: AnyCommand, cause: string): void {
    this.options.clock.after(ms, () => {
      if (!this.#isStopping) this.tell(address, command, cause)
    })
  }

  /** Gives the reply that turn `turn` had put off. */
  answer(turn: string, reply: unknown): void {
    this.#later.get(turn)?.resolve(reply)
    this.#later.delete(turn)
  }

  /** Lets an actor leave memory now if it has no mail and nothing unwritten. */
  rest(address: Address<never>): void {
    const cell = this.#cells.get(addressText(address))
    if (cell) this.#rest(cell)
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

  /** Bytes of an awake actor's frozen memory, for people who look; undefined when it rests. */
  frozenMemoryOf(address: Address<never>): unknown {
    const cell = this.#cells.get(addressText(address))
    return cell?.hasMemory ? cell.behaviour.snapshot.freeze(cell.memory as never) : undefined
  }

  get turns(): number {
    return this.#turnCount
  }

  get awake(): number {
    return this.#cells.size
  }

  /** Resolves when no mail waits and everything decided is on disk. */
  async settled(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#readyCount === 0 && this.#committer.isIdle && !this.#isScheduled) return
      await this.#committer.whenIdle()
    }
  }

  /** Takes no more mail from outside, finishes what waits, puts every actor to rest. The journal stays open. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancelSweep()
    await this.settled()
    for (const cell of this.#cells.values()) this.#rest(cell)
    this.#committer.plan()
    await this.#committer.whenIdle()
    for (const asker of this.#asks) asker.reject(stopped())
  }

  #ask(address: Address<never>, command: AnyCommand, cause: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isStopping) return reject(stopped())
      const asker: Asker = {
        resolve: (reply) => {
          this.#asks.delete(asker)
          resolve(reply)
        },
        reject: (error) => {
          this.#asks.delete(asker)
          reject(error)
        },
        deadline: this.options.clock.now() + ASK_DEADLINE_MS,
      }
      this.#asks.add(asker)
      const refusal = this.#deliver(address, { command, cause, asker }, MAIL_LIMIT)
      if (refusal) asker.reject(refusal)
    })
  }

  #deliver(address: Address<never>, mail: Mail, limit: number): MatrixError | undefined {
    const cell = this.#cellOf(address)
    if (cell.health && isQuarantined(cell.health, this.options.clock.now()))
      return new MatrixError(503, 'M_UNKNOWN', 'This part of the server is set aside after repeated failures; an admin can see why in the log')
    if (!cell.mailbox.push(mail, limit))
      return limitExceeded('Too many requests are waiting here; try again in a moment', RETRY_AFTER_MS, 503)
    this.#enqueue(cell)
    return undefined
  }

  #cellOf(address: Address<never>): Cell {
    const text = addressText(address)
    const known = this.#cells.get(text)
    if (known) return known
    const behaviour = this.#behaviours.get(address.kind)
    if (!behaviour) throw new Error(`no behaviour for actors of kind ${address.kind}`)
    const cell = new Cell(address.kind, address.id, text, behaviour)
    this.#cells.set(text, cell)
    return cell
  }

  #enqueue(cell: Cell): void {
    if (cell.isQueued) return
    cell.isQueued = true
    this.#ready.push(cell)
    this.#schedule()
  }

  get #readyCount(): number {
    return this.#ready.length - this.#readyHead
  }

  #nextReady(): Cell | undefined {
    const cell = this.#ready[this.#readyHead++]
    if (this.#readyHead === this.#ready.length) {
      this.#ready.length = 0
      this.#readyHead = 0
    } else if (this.#readyHead > 1024) {
      this.#ready.splice(0, this.#readyHead)
      this.#readyHead = 0
    }
    return cell
  }

  #schedule(): void {
    if (this.#isScheduled || this.#readyCount === 0 || this.#committer.isFull) return
    this.#isScheduled = true
    queueMicrotask(() => this.#run())
  }

  #run(): void {
    this.#replays = 0
    let turns = 0
    while (turns < TURNS_PER_TICK && this.#replays < REPLAYS_PER_TICK && !this.#committer.isFull && this.#readyCount > 0) {
      const cell = this.#nextReady()
      if (!cell) break
      cell.isQueued = false
      if (this.#mustWait(cell)) continue
      const mail = cell.mailbox.shift()
      if (!mail) continue
      this.#takeTurn(cell, mail)
      turns++
      if (cell.mailbox.size > 0) this.#enqueue(cell)
    }
    this.#committer.plan()
    if (this.#readyCount > 0 && !this.#committer.isFull) setImmediate(() => this.#run())
    else this.#isScheduled = false
  }

  /** After a crash the actor's own latest facts must be on disk before it can be replayed. */
  #mustWait(cell: Cell): boolean {
    if (cell.hasMemory || !cell.pending) return false
    cell.isQueued = true
    const again = (): void => {
      cell.isQueued = false
      this.#enqueue(cell)
    }
    cell.pending.whenSettled(again, again)
    return true
  }

  #takeTurn(cell: Cell, mail: Mail): void {
    const { clock, world, nonce } = this.options
    const now = clock.now()
    const started = performance.now()
    const position = this.#committer.nextPosition
    const turn: Turn & World = {
      ...world,
      id: `${cell.address}#${++this.#turnCount}`,
      now,
      get nonce() {
        return nonce()
      },
      cause: mail.cause,
      position,
    }
    cell.turns++
    cell.lastTurnAt = now
    try {
      const decision = this.#decide(cell, mail.command, turn)
      const facts = 'refuse' in decision ? [] : (decision.facts ?? [])
      this.#write(cell, facts, mail.cause, now)
      this.#releaseWhenWritten(cell, mail, turn, decision, position + facts.length - 1)
      this.#report(cell, mail, decision, facts.length, started)
    } catch (error) {
      this.#crash(cell, mail, error, now)
    }
  }

  #decide(cell: Cell, command: AnyCommand, turn: Turn & World): Decision<Kinded, Kinded, Effect, unknown> {
    const memory = this.#memoryOf(cell)
    const decide = cell.behaviour.decide[command.kind]
    if (!decide) throw new Error(`${cell.kind} does not understand ${command.kind}`)
    const decision = decide(memory as never, command as never, turn as never) as Decision<Kinded, Kinded, Effect, unknown>
    if ('refuse' in decision) return decision
    let position = turn.position
    for (const fact of decision.facts ?? []) this.#apply(cell, fact, position++)
    for (const note of decision.notes ?? []) this.#apply(cell, note, position)
    return decision
  }

  #apply(cell: Cell, fact: Kinded, position: number): void {
    const apply = cell.behaviour.apply[fact.kind]
    if (!apply) throw new Error(`${cell.kind} cannot apply ${fact.kind}`)
    apply(cell.memory as never, fact as never, position)
  }

  #memoryOf(cell: Cell): unknown {
    if (cell.hasMemory) return cell.memory
    const { behaviour } = cell
    const snapshot = this.options.journal.snapshotOf(cell.address)
    const isFresh = snapshot && snapshot.version === behaviour.snapshot.version
    cell.memory = isFresh ? behaviour.snapshot.thaw(snapshot.frozen as never, cell.id) : behaviour.empty(cell.id)
    cell.position = isFresh ? snapshot.position : 0
    cell.factsSinceSnapshot = 0
    for (const { position, fact } of this.options.journal.factsOf(cell.address, cell.position)) {
      this.#apply(cell, fact, position)
      cell.position = position
      cell.factsSinceSnapshot++
    }
    cell.hasMemory = true
    this.#replays++
    return cell.memory
  }

  #write(cell: Cell, facts: readonly Kinded[], cause: string, ts: number): void {
    if (facts.length === 0) return
    for (const fact of facts) {
      cell.position = this.#committer.nextPosition
      this.#committer.add({ actor: cell.address, cause, ts, fact })
    }
    this.#committer.open.turns++
    this.#pend(cell)
    cell.factsSinceSnapshot += facts.length
    if (cell.factsSinceSnapshot >= cell.behaviour.snapshot.every(cell.memory as never)) this.#snapshot(cell)
  }

  #pend(cell: Cell): void {
    const batch = this.#committer.open
    if (cell.pending === batch) return
    cell.pending = batch
    batch.whenSettled(
      () => {
        if (cell.pending === batch) cell.pending = undefined
      },
      () => {
        cell.pending = undefined
        cell.forget()
      },
    )
  }

  #snapshot(cell: Cell): void {
    const { version, freeze } = cell.behaviour.snapshot
    cell.factsSinceSnapshot = 0
    try {
      const frozen = freeze(cell.memory as never)
      this.#committer.open.snapshots.push({ actor: cell.address, version, position: cell.position, frozen })
    } catch (error) {
      // A snapshot is only a cache: without it the next replay is longer, and nothing else is wrong.
      this.options.crashed(cell.address, 'snapshot', error)
    }
  }

  #releaseWhenWritten(cell: Cell, mail: Mail, turn: Turn, decision: Decision<Kinded, Kinded, Effect, unknown>, position: number): void {
    const release = (): void => this.#release(cell, mail, turn, decision, position)
    if (!cell.pending) return release()
    cell.pending.whenSettled(release, (error) => mail.asker?.reject(asMatrixError(error)))
  }

  #release(cell: Cell, { asker, cause }: Mail, turn: Turn, decision: Decision<Kinded, Kinded, Effect, unknown>, position: number): void {
    if ('refuse' in decision) return asker?.reject(decision.refuse)
    const from: From = { kind: cell.kind, id: cell.id, cause, position, turn: turn.id }
    for (const effect of decision.effects ?? []) this.#perform(effect, from)
    if ('replyLater' in decision) {
      if (asker) this.#later.set(turn.id, asker)
      return
    }
    asker?.resolve(decision.reply)
  }

  #perform(effect: Effect, from: From): void {
    try {
      this.options.perform(effect, from)
    } catch (error) {
      this.options.crashed(`${from.kind}/${from.id}`, 'effect', error)
    }
  }

  #crash(cell: Cell, mail: Mail, error: unknown, now: number): void {
    cell.forget()
    mail.asker?.reject(new MatrixError(500, 'M_UNKNOWN', 'Internal error; the server log has the details'))
    this.options.crashed(cell.address, mail.command.kind, error)
    if (!noteCrash(cell.troubles, now)) return
    const refusal = new MatrixError(503, 'M_UNKNOWN', 'This part of the server is set aside after repeated failures')
    for (const waiting of cell.mailbox.drain()) waiting.asker?.reject(refusal)
  }

  #report(cell: Cell, mail: Mail, decision: Decision<Kinded, Kinded, Effect, unknown>, facts: number, started: number): void {
    if (!this.options.reportTurn) return
    const refused = 'refuse' in decision ? { refused: decision.refuse.errcode } : {}
    const effects = 'refuse' in decision ? 0 : (decision.effects?.length ?? 0)
    const ms = performance.now() - started
    this.options.reportTurn({ cause: mail.cause, actor: cell.address, command: mail.command.kind, facts, effects, ms, ...refused })
  }

  #rest(cell: Cell): void {
    if (cell.mailbox.size > 0 || cell.pending) return
    if (cell.health && isQuarantined(cell.health, this.options.clock.now())) return
    if (cell.hasMemory && cell.behaviour.mayRest && !cell.behaviour.mayRest(cell.memory as never) && !this.#isStopping) return
    if (cell.hasMemory && cell.factsSinceSnapshot > REPLAY_IS_CHEAP_FACTS) this.#snapshot(cell)
    this.#cells.delete(cell.address)
  }

  #planSweep(): void {
    this.#cancelSweep = this.options.clock.after(SWEEP_EVERY_MS, () => {
      this.#sweep()
      if (!this.#isStopping) this.#planSweep()
    })
  }

  #sweep(): void {
    const now = this.options.clock.now()
    for (const asker of this.#asks) {
      if (asker.deadline <= now) asker.reject(new MatrixError(504, 'M_UNKNOWN', 'The server did not decide in time; try again'))
    }
    const limit = this.options.awakeLimit ?? AWAKE_LIMIT
    const idleBefore = now - (this.options.restAfterMs ?? REST_AFTER_MS)
    const idle = [...this.#cells.values()].filter((cell) => cell.mailbox.size === 0)
    const surplus = idle.length - limit
    if (surplus > 0) idle.sort((a, b) => a.lastTurnAt - b.lastTurnAt)
    idle.forEach((cell, index) => {
      if (index < surplus || cell.lastTurnAt < idleBefore) this.#rest(cell)
    })
    this.#committer.plan()
  }
}

const asMatrixError = (error: unknown): MatrixError =>
  error instanceof MatrixError ? error : new MatrixError(500, 'M_UNKNOWN', 'The change could not be written; nothing was kept')
