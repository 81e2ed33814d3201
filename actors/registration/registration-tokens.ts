import { after } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { RegistrationFact, TokenTerms } from '#schema/journal/registration.ts'
import { invalidParam, limitExceeded, notFound } from '#schema/matrix-error.ts'
import type { Registration, RegistrationApply, RegistrationDecide } from './memory.ts'

/** spec: client-server-api#token-authenticated-registration */
export const TOKEN_GRAMMAR = /^[A-Za-z0-9._~-]{1,64}$/
/** Characters of a token that is made here. */
export const DEFAULT_TOKEN_LENGTH = 16
/** Tokens that there may be. */
export const TOKEN_LIMIT = 100_000
/** How long a use is kept free for someone who is signing up: as long as a session of theirs can last. */
export const CLAIM_MS = 60 * 60_000
/** Sign-ups that may be under way with tokens. */
export const CLAIM_LIMIT = 10_000
const RETRY_AFTER_MS = 60_000

export type RegistrationTokenCommand =
  /** `token` null: one of `length` characters is made up. */
  | Command<'createRegistrationToken', { token: string | null; length?: number } & TokenTerms, { token: string }>
  | Command<'updateRegistrationToken', { token: string } & Partial<TokenTerms>>
  | Command<'deleteRegistrationToken', { token: string }>
  /** Keeps one use of the token for this session; false when it is not valid. Asking again changes nothing. */
  | Command<'claimRegistrationToken', { token: string; session: string }, boolean>
  /** The account of this session was made. */
  | Command<'spendRegistrationToken', { session: string }>
  | Command<'dropRegistrationClaim', { session: string; until: number }>

type TokenFact = OfKind<RegistrationFact, 'registrationTokenSet' | 'registrationTokenDeleted' | 'registrationTokenSpent'>

export type RegistrationNote =
  | Readonly<{ kind: 'registrationTokenClaimed'; token: string; session: string; until: number }>
  | Readonly<{ kind: 'registrationClaimDropped'; session: string }>

export const decide = {
  createRegistrationToken({ tokens }, { token, length = DEFAULT_TOKEN_LENGTH, usesAllowed, expiresTs }, { nonce }) {
    const name = token ?? `${nonce}${sha256Base64(nonce, true)}`.slice(0, length)
    if (!TOKEN_GRAMMAR.test(name)) return { refuse: invalidParam('A token is 1 to 64 of A-Z a-z 0-9 . _ ~ -') }
    if (tokens.has(name)) return { refuse: invalidParam(`The token ${name} is there already`) }
    if (tokens.size >= TOKEN_LIMIT)
      return { refuse: limitExceeded(`There may be at most ${TOKEN_LIMIT} tokens`, RETRY_AFTER_MS) }
    return { facts: [{ kind: 'registrationTokenSet', token: name, usesAllowed, expiresTs }], reply: { token: name } }
  },

  updateRegistrationToken({ tokens }, { token, ...change }) {
    const before = tokens.get(token)
    if (!before) return { refuse: notFound(`There is no token ${token}`) }
    const { usesAllowed = before.usesAllowed, expiresTs = before.expiresTs } = change
    return { facts: [{ kind: 'registrationTokenSet', token, usesAllowed, expiresTs }], reply: undefined }
  },

  deleteRegistrationToken({ tokens }, { token }) {
    if (!tokens.has(token)) return { refuse: notFound(`There is no token ${token}`) }
    return { facts: [{ kind: 'registrationTokenDeleted', token }], reply: undefined }
  },

  claimRegistrationToken(registration, { token, session }, { now }) {
    if (registration.claims.get(session)?.token === token) return { reply: true }
    if (!isValid(registration, token, now)) return { reply: false }
    if (registration.claims.size >= CLAIM_LIMIT)
      return { refuse: limitExceeded('Too many people are signing up; try again in a minute', RETRY_AFTER_MS) }
    const until = now + CLAIM_MS
    const drop: RegistrationTokenCommand = { kind: 'dropRegistrationClaim', session, until }
    return {
      notes: [{ kind: 'registrationTokenClaimed', token, session, until }],
      effects: [after(CLAIM_MS, drop)],
      reply: true,
    }
  },

  spendRegistrationToken({ tokens, claims }, { session }) {
    const claim = claims.get(session)
    if (!claim) return { reply: undefined }
    const dropped = { kind: 'registrationClaimDropped', session } as const
    if (!tokens.has(claim.token)) return { notes: [dropped], reply: undefined }
    return { facts: [{ kind: 'registrationTokenSpent', token: claim.token }], notes: [dropped], reply: undefined }
  },

  dropRegistrationClaim({ claims }, { session, until }) {
    if (claims.get(session)?.until !== until) return { reply: undefined }
    return { notes: [{ kind: 'registrationClaimDropped', session }], reply: undefined }
  },
} satisfies RegistrationDecide<RegistrationTokenCommand, TokenFact, RegistrationNote>

export const apply = {
  registrationTokenSet({ tokens }, { token, usesAllowed, expiresTs }) {
    tokens.set(token, { usesAllowed, expiresTs, completed: tokens.get(token)?.completed ?? 0 })
  },
  registrationTokenDeleted({ tokens }, { token }) {
    tokens.delete(token)
  },
  registrationTokenSpent({ tokens }, { token }) {
    const known = tokens.get(token)
    if (known) known.completed++
  },
  registrationTokenClaimed({ claims }, { token, session, until }) {
    claims.set(session, { token, until })
  },
  registrationClaimDropped({ claims }, { session }) {
    claims.delete(session)
  },
} satisfies RegistrationApply<TokenFact | RegistrationNote>

function isValid({ tokens, claims }: Registration, token: string, now: number): boolean {
  const terms = tokens.get(token)
  if (!terms || (terms.expiresTs !== null && terms.expiresTs <= now)) return false
  if (terms.usesAllowed === null) return true
  const pending = [...claims.values()].filter((claim) => claim.token === token).length
  return terms.completed + pending < terms.usesAllowed
}
