import type { Decided, Mail } from './cell.ts'
import type { SystemOptions, TurnReport } from './options.ts'

type Told = Pick<SystemOptions<object, never>, 'crashed' | 'reportTurn'>

/** Tells whoever looks after the house. They must not be able to stop it. */
export class Reports<Effect> {
  constructor(private readonly told: Told) {}

  get wantsTurns(): boolean {
    return this.told.reportTurn !== undefined
  }

  crashed(actor: string, command: string, error: unknown): void {
    try {
      this.told.crashed(actor, command, error)
    } catch {
      // Nobody is left to be told.
    }
  }

  turn(actor: string, { cause, command }: Mail, decision: Decided<Effect>, measured: Pick<TurnReport, 'facts' | 'ms'>): void {
    const refused = 'refuse' in decision ? { refused: decision.refuse.errcode } : {}
    const effects = 'refuse' in decision ? 0 : (decision.effects?.length ?? 0)
    try {
      this.told.reportTurn?.({ cause, actor, command: command.kind, effects, ...measured, ...refused })
    } catch (error) {
      this.crashed(actor, 'report', error)
    }
  }
}
