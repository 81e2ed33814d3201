import type { Command } from '#actors/kernel/actor.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { OpenIdTokenIssued } from '#schema/journal/issued-tokens.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

export const OPENID_TOKEN_MS = 60 * 60_000

/** A token by which another service can ask this server who its bearer is. spec: client-server-api#openid */
export type OpenIdCommand = Command<'requestOpenIdToken', object, { token: string; expiresInMs: number }>

export const decide = {
  requestOpenIdToken(user, _command, { now, nonce }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const { userId } = user
    const token = `wro_${sha256Base64(`openid ${nonce}`, true)}`
    const expiresTs = now + OPENID_TOKEN_MS
    return {
      facts: [{ kind: 'openIdTokenIssued', userId, tokenHash: sha256Base64(token), expiresTs, ts: now }],
      reply: { token, expiresInMs: OPENID_TOKEN_MS },
    }
  },
} satisfies UserDecide<OpenIdCommand, OpenIdTokenIssued>

export const apply = {
  // The other service asks the store.
  openIdTokenIssued() {},
} satisfies UserApply<OpenIdTokenIssued>
