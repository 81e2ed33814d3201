import { decodeBase64 } from '#core/base64.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { LoginTokenIssued, LoginTokenSpent, OpenIdTokenIssued } from '#schema/journal/issued-tokens.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

type Issued = OpenIdTokenIssued | LoginTokenIssued
type Table = 'openid_tokens' | 'login_tokens'

const bytesOf = (hash: string): Uint8Array => decodeBase64(hash) ?? new Uint8Array()

/** Whatever has expired by then goes. */
const insertInto = (table: Table): Project<Issued> => ({ db, names }, { userId, tokenHash, expiresTs, ts }) => {
  db.query(`DELETE FROM ${table} WHERE expires_ts <= ?`).run(ts)
  db.query(`INSERT INTO ${table} (token_hash, user, expires_ts) VALUES (?, ?, ?)`)
    .run(bytesOf(tokenHash), names.numberOf(userId), expiresTs)
}

export const projectOpenIdTokenIssued: Project<OpenIdTokenIssued> = insertInto('openid_tokens')
export const projectLoginTokenIssued: Project<LoginTokenIssued> = insertInto('login_tokens')

export const projectLoginTokenSpent: Project<LoginTokenSpent> = ({ db }, { tokenHash }) => {
  db.query('DELETE FROM login_tokens WHERE token_hash = ?').run(bytesOf(tokenHash))
}

const holderIn = (table: Table) => ({ db, names }: Store, token: string, now: number): UserId | undefined => {
  const row = db
    .query<{ user: number }, [Uint8Array, number]>(`
      SELECT t.user FROM ${table} t JOIN users u ON u.user = t.user
       WHERE t.token_hash = ? AND t.expires_ts > ? AND u.is_deactivated = 0
    `)
    .get(Bun.SHA256.hash(token) as Uint8Array, now)
  return row ? (names.textOf(row.user) as UserId) : undefined
}

/** Whose OpenID token this is; undefined when it has expired, was never given out, or the account is no more. */
export const findOpenIdHolder = holderIn('openid_tokens')

/** Whom a login token that was not used logs in. */
export const findLoginTokenHolder = holderIn('login_tokens')
