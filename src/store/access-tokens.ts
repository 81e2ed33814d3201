import { decodeBase64 } from '#core/base64.ts'
import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { SessionConfirmed, SessionRefreshed, SessionStarted, TokenHash, Tokens } from '#schema/journal/device.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Who holds an access token, and in what standing the account is. */
export type Session = Readonly<{
  userId: UserId
  /** Null only where no device of ours stands behind a request. */
  deviceId: DeviceId | null
  isGuest: boolean
  isAdmin: boolean
  isLocked: boolean
  isSuspended: boolean
  /** Never true of what `findSession` gives: a deactivated account has no sessions. */
  isDeactivated: boolean
  /** Milliseconds since 1970; null: never. */
  expiresTs: number | null
  /** Given out by a refresh and not used before: its first use makes the tokens before it void. */
  isNew: boolean
}>

type SessionRow = {
  user: number
  device: number
  expires_ts: number | null
  is_confirmed: number
  is_guest: number
  is_admin: number
  is_locked: number
  is_suspended: number
}

const FIND_SESSION = `
  SELECT t.user, t.device, t.expires_ts, t.is_confirmed, u.is_guest, u.is_admin, u.is_locked, u.is_suspended
    FROM access_tokens AS t JOIN users AS u ON u.user = t.user
   WHERE t.token_hash = ? AND u.is_deactivated = 0
`

/** The session of an access token, expired or not; undefined when there is none or the account is deactivated. */
export function findSession({ db, names }: Store, token: string): Session | undefined {
  const row = db.query<SessionRow, [Uint8Array]>(FIND_SESSION).get(hashOf(token))
  if (!row) return undefined
  return {
    userId: names.textOf(row.user) as UserId,
    deviceId: deviceIdOf(names.textOf(row.device)),
    isGuest: row.is_guest === 1,
    isAdmin: row.is_admin === 1,
    isLocked: row.is_locked === 1,
    isSuspended: row.is_suspended === 1,
    isDeactivated: false,
    expiresTs: row.expires_ts,
    isNew: row.is_confirmed === 0,
  }
}

/** Whose refresh token this is; undefined when it was never given out or is void. */
export function findRefreshToken({ db, names }: Store, token: string): { userId: UserId; deviceId: DeviceId } | undefined {
  const row = db
    .query<{ user: number; device: number }, [Uint8Array]>(`
      SELECT t.user, t.device FROM refresh_tokens AS t JOIN users AS u ON u.user = t.user
       WHERE t.token_hash = ? AND u.is_deactivated = 0
    `)
    .get(hashOf(token))
  if (!row) return undefined
  return { userId: names.textOf(row.user) as UserId, deviceId: deviceIdOf(names.textOf(row.device)) }
}

const hashOf = (token: string): Uint8Array => Bun.SHA256.hash(token) as Uint8Array

export const projectSessionStarted: Project<SessionStarted> = (store, { userId, deviceId, tokens }) => {
  const owner = ownerOf(store, userId, deviceId)
  dropTokens(store, owner)
  insertTokens(store, owner, tokens, true)
}

export const projectSessionRefreshed: Project<SessionRefreshed> = (store, { userId, deviceId, tokens, previous }) => {
  const owner = ownerOf(store, userId, deviceId)
  dropTokens(store, owner, previous)
  insertTokens(store, owner, tokens, false)
}

export const projectSessionConfirmed: Project<SessionConfirmed> = (store, { userId, deviceId, tokens }) => {
  dropTokens(store, ownerOf(store, userId, deviceId), tokens)
  store.db.query('UPDATE access_tokens SET is_confirmed = 1 WHERE token_hash = ?').run(bytesOf(tokens.accessHash))
}

/** All tokens of a device that is no more. */
export const deleteTokensOf = (store: Store, userId: UserId, deviceId: DeviceId): void =>
  dropTokens(store, ownerOf(store, userId, deviceId))

type Owner = readonly [user: number, device: number]

const ownerOf = ({ names }: Store, userId: UserId, deviceId: DeviceId): Owner =>
  [names.numberOf(userId), names.numberOf(deviceId)]

const NO_HASH = new Uint8Array()

function dropTokens({ db }: Store, [user, device]: Owner, kept?: Tokens): void {
  db.query('DELETE FROM access_tokens WHERE user = ? AND device = ? AND token_hash <> ?')
    .run(user, device, kept ? bytesOf(kept.accessHash) : NO_HASH)
  db.query('DELETE FROM refresh_tokens WHERE user = ? AND device = ? AND token_hash <> ?')
    .run(user, device, kept?.refreshHash ? bytesOf(kept.refreshHash) : NO_HASH)
}

function insertTokens({ db }: Store, [user, device]: Owner, tokens: Tokens, isConfirmed: boolean): void {
  db.query('INSERT INTO access_tokens (token_hash, user, device, expires_ts, is_confirmed) VALUES (?, ?, ?, ?, ?)')
    .run(bytesOf(tokens.accessHash), user, device, tokens.accessExpiresTs, Number(isConfirmed))
  if (tokens.refreshHash === null) return
  db.query('INSERT INTO refresh_tokens (token_hash, user, device) VALUES (?, ?, ?)')
    .run(bytesOf(tokens.refreshHash), user, device)
}

const bytesOf = (hash: TokenHash): Uint8Array => decodeBase64(hash) ?? NO_HASH
