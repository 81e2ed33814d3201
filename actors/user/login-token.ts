import type { Command } from '#actors/kernel/actor.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { LoginTokenIssued, LoginTokenSpent } from '#schema/journal/issued-tokens.ts'
import { forbidden, limitExceeded } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

/** Tokens of an account that may wait to be used. */
export const LOGIN_TOKEN_LIMIT = 100
const RETRY_AFTER_MS = 60_000

/** A token that logs another device in, once. spec: client-server-api#post_matrixclientv1loginget_token */
export type LoginTokenCommand =
  | Command<'generateLoginToken', { lifetimeMs: number }, { token: string }>
  /** Refused when it has expired or was used before. */
  | Command<'spendLoginToken', { token: string }>

type LoginTokenFact = LoginTokenIssued | LoginTokenSpent

export const decide = {
  generateLoginToken(user, { lifetimeMs }, { now, nonce }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const waiting = [...user.loginTokens.values()].filter((expiresTs) => expiresTs > now).length
    if (waiting >= LOGIN_TOKEN_LIMIT)
      return { refuse: limitExceeded('Too many login tokens wait to be used', RETRY_AFTER_MS) }
    const { userId } = user
    const token = `wrl_${sha256Base64(`login ${nonce}`, true)}`
    const expiresTs = now + lifetimeMs
    return {
      facts: [{ kind: 'loginTokenIssued', userId, tokenHash: sha256Base64(token), expiresTs, ts: now }],
      reply: { token },
    }
  },

  spendLoginToken(user, { token }, { now }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const tokenHash = sha256Base64(token)
    const expiresTs = user.loginTokens.get(tokenHash)
    const isValid = expiresTs !== undefined && expiresTs > now
    if (!isValid) return { refuse: forbidden('This login token is not valid (any more)') }
    return { facts: [{ kind: 'loginTokenSpent', userId: user.userId, tokenHash }], reply: undefined }
  },
} satisfies UserDecide<LoginTokenCommand, LoginTokenFact>

export const apply = {
  loginTokenIssued(user, { tokenHash, expiresTs, ts }) {
    for (const [hash, until] of user.loginTokens) if (until <= ts) user.loginTokens.delete(hash)
    user.loginTokens.set(tokenHash, expiresTs)
  },
  loginTokenSpent(user, { tokenHash }) {
    user.loginTokens.delete(tokenHash)
  },
} satisfies UserApply<LoginTokenFact>
