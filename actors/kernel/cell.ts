import type { AnyBehaviour, AnyCommand, Decision, Kinded, Turn } from './actor.ts'
import type { Ask } from './asks.ts'
import type { OpenBatch } from './committer.ts'
import type { Journal, Snapshot } from './journal.ts'
import { Mailbox } from './mailbox.ts'
import type { Health } from './supervisor.ts'

/** A command on its way, with the one who waits for the reply, if anyone does. */
export type Mail = {
  readonly command: AnyCommand
  readonly cause: string
  readonly ask: Ask | undefined
  /** The last position on disk when it was sent. */
  readonly written: number
}

export type Decided<Effect> = Decision<Kinded, Kinded, Effect, unknown>

/** What the kernel keeps of an actor that is awake: its mail, its memory, its place in the journal. */
export class Cell<Effect = unknown> {
  readonly mailbox = new Mailbox<Mail>()
  /** Absent until the first turn, and after a crash: then the journal is replayed. */
  memory: unknown
  hasMemory = false
  /** It stands in the queue of those with mail, or is parked until its facts are on disk. */
  isQueued = false
  /** The newest batch that holds facts of this actor and is not on disk yet. */
  pending: OpenBatch | undefined
  factsSinceSnapshot = 0
  /** Position of the newest fact that memory has seen. */
  position = 0
  turns = 0
  lastTurnAt = 0
  /** Absent until the first crash. */
  health: Health | undefined

  constructor(
    readonly kind: string,
    readonly id: string,
    readonly address: string,
    readonly behaviour: AnyBehaviour<Effect>,
  ) {}

  /** Decides one command and applies it. Throws what the behaviour throws; the memory is then spoilt. */
  decide(command: AnyCommand, turn: Turn): Decided<Effect> {
    const decide = this.behaviour.decide[command.kind]
    if (!decide) throw new Error(`${this.kind} does not understand ${command.kind}`)
    const decision = decide(this.memory as never, command as never, turn as never) as Decided<Effect>
    if ('refuse' in decision) return decision
    let position = turn.position
    if (decision.facts) for (const fact of decision.facts) this.#apply(fact, position++, turn.written)
    if (decision.notes) for (const note of decision.notes) this.#apply(note, this.position, turn.written)
    return decision
  }

  /** Builds the memory from the snapshot, if there is one that can be read, and the facts behind it. */
  replay(journal: Journal, unreadable: (error: unknown) => void): void {
    if (!this.#thaw(journal, unreadable)) this.memory = this.behaviour.empty(this.id)
    for (const { position, fact } of journal.factsOf(this.address, this.position)) {
      this.#apply(fact, position, journal.position)
      this.factsSinceSnapshot++
    }
    this.hasMemory = true
  }

  forget(): void {
    this.memory = undefined
    this.hasMemory = false
    this.factsSinceSnapshot = 0
    this.position = 0
  }

  get isSnapshotDue(): boolean {
    return this.factsSinceSnapshot >= this.behaviour.snapshot.every(this.memory as never)
  }

  get mayRest(): boolean {
    const { mayRest } = this.behaviour
    return !this.hasMemory || !mayRest || mayRest(this.memory as never)
  }

  freeze(): Snapshot {
    const { version, freeze } = this.behaviour.snapshot
    return { actor: this.address, version, position: this.position, frozen: freeze(this.memory as never) }
  }

  #apply(fact: Kinded, position: number, written: number): void {
    const apply = this.behaviour.apply[fact.kind]
    if (!apply) throw new Error(`${this.kind} cannot apply ${fact.kind}`)
    this.position = position
    apply(this.memory as never, fact as never, position, written)
  }

  /** A snapshot is only a cache: one that cannot be read costs a longer replay, and nothing else is wrong. */
  #thaw(journal: Journal, unreadable: (error: unknown) => void): boolean {
    const { version, thaw } = this.behaviour.snapshot
    try {
      const snapshot = journal.snapshotOf(this.address)
      if (!snapshot || snapshot.version !== version) return false
      this.memory = thaw(snapshot.frozen as never, this.id)
      this.position = snapshot.position
      return true
    } catch (error) {
      unreadable(error)
      return false
    }
  }
}
