import type { AnyBehaviour, AnyCommand } from './actor.ts'
import type { OpenBatch } from './committer.ts'
import { Mailbox } from './mailbox.ts'
import { type Health, healthy } from './supervisor.ts'

/** A command on its way, with the one who waits for the reply, if anyone does. */
export type Mail = {
  readonly command: AnyCommand
  readonly cause: string
  readonly asker: Asker | undefined
}

export type Asker = { resolve(reply: unknown): void; reject(error: unknown): void; readonly deadline: number }

/** What the kernel keeps of an actor that is awake. */
export class Cell {
  readonly mailbox = new Mailbox<Mail>()
  /** Absent until the first turn, and after a crash: then the journal is replayed. */
  memory: unknown
  hasMemory = false
  isQueued = false
  /** The newest batch that holds facts of this actor and is not on disk yet. */
  pending: OpenBatch | undefined
  factsSinceSnapshot = 0
  /** Position of the newest fact that memory has seen. */
  position = 0
  turns = 0
  lastTurnAt = 0
  health: Health | undefined

  constructor(
    readonly kind: string,
    readonly id: string,
    readonly address: string,
    readonly behaviour: AnyBehaviour,
  ) {}

  forget(): void {
    this.memory = undefined
    this.hasMemory = false
    this.factsSinceSnapshot = 0
    this.position = 0
  }

  get troubles(): Health {
    return (this.health ??= healthy())
  }
}
