import type { AnyCommand, Apply, Decide, Kinded } from '#actors/kernel/actor.ts'
import type { Effect } from '#actors/effects.ts'
import type { TokenTerms } from '#schema/journal/registration.ts'

/** Who may make an account with a token. */
export type Registration = {
  tokens: Map<string, TokenTerms & { completed: number }>
  /**
   * Tokens that someone has shown in a sign-up which is not finished, by its session. Notes only: the sessions live in
   * the memory of `src/http/uia.ts` and end at a restart as well.
   */
  claims: Map<string, Readonly<{ token: string; until: number }>>
}

export type RegistrationDecide<C extends AnyCommand, F extends Kinded = never, N extends Kinded = never> =
  Decide<Registration, C, F, N, Effect>
export type RegistrationApply<F extends Kinded> = Apply<Registration, F>

export const emptyRegistration = (): Registration => ({ tokens: new Map(), claims: new Map() })
