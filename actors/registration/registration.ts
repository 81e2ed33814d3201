import type { Effect } from '#actors/effects.ts'
import type { Behaviour } from '#actors/kernel/actor.ts'
import type { RegistrationFact } from '#schema/journal/registration.ts'
import { emptyRegistration, type Registration } from './memory.ts'
import * as registrationTokens from './registration-tokens.ts'

export type RegistrationCommand = registrationTokens.RegistrationTokenCommand
export type RegistrationNote = registrationTokens.RegistrationNote

/** The only singleton: registration tokens, whose uses must be counted in one place. */
export const registration: Behaviour<Registration, RegistrationCommand, RegistrationFact, RegistrationNote, Effect> = {
  kind: 'registration',
  empty: emptyRegistration,
  decide: registrationTokens.decide,
  apply: registrationTokens.apply,
  mayRest: ({ claims }) => claims.size === 0,
  snapshot: {
    version: 1,
    every: ({ tokens }) => 100 + tokens.size,
    freeze: ({ tokens }) => ({ tokens: [...tokens].map(([token, terms]) => [token, { ...terms }]) }),
    thaw: ({ tokens }: { tokens: [string, TermsAndUses][] }) => ({ ...emptyRegistration(), tokens: new Map(tokens) }),
  },
}

type TermsAndUses = Registration['tokens'] extends Map<string, infer T> ? T : never
