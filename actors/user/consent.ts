import type { Command } from '#actors/kernel/actor.ts'
import type { TermsAccepted } from '#schema/journal/user.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

export type ConsentCommand =
  /** The user has accepted this version of the server's terms. spec: client-server-api#terms-of-service-at-registration */
  Command<'acceptTerms', { version: string }>

export const decide = {
  acceptTerms(user, { version }, { now }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    return { facts: [{ kind: 'termsAccepted', userId: user.userId, version, ts: now }], reply: undefined }
  },
} satisfies UserDecide<ConsentCommand, TermsAccepted>

export const apply = {
  // Whoever asks finds it in the store.
  termsAccepted() {},
} satisfies UserApply<TermsAccepted>
