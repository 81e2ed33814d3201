import type { AnyBehaviour, Kinded } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'

/** Who caused an effect, and the position on disk behind which it may be seen. */
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

/** What a system is given: where it writes, who the actors are, and how the world is reached and told. */
export type SystemOptions<World extends object, Effect> = Readonly<{
  journal: Journal
  clock: Clock
  behaviours: readonly AnyBehaviour<Effect>[]
  /** What every turn carries besides the kernel's own fields; must be immutable or content-addressed. */
  world: World
  nonce: () => string
  perform: (effect: Effect, from: From) => void
  /** A bug or a loss: the actor (`journal` for a failed commit), the command and what was thrown. */
  crashed: (actor: string, command: string, error: unknown) => void
  reportTurn?: (report: TurnReport) => void
  /** Each fact as soon as it is decided, long before the journal has it; it is lost when its commit fails. */
  decided?: (fact: Kinded, position: number) => void
  /** Every command and every reply goes through it; a test sends them through msgpackr, a wire could do more. */
  carry?: <T>(mail: T) => T
  awakeLimit?: number
  restAfterMs?: number
  drainMs?: number
  tickMs?: number
}>
