import type { Homeserver } from '#homeserver'
import type { UserId } from '#schema/identifiers.ts'
import { invalidUsername, MatrixError, userInUse } from '#schema/matrix-error.ts'
import { hasUser } from '#store/users.ts'
import { acceptTerms, termsAtRegistration } from './consent.ts'
import { joinFirstRooms } from './first-rooms.ts'
import { hashNewPassword } from './passwords.ts'

const USER_ID_LIMIT_BYTES = 255
/** spec: appendices#user-identifiers */
const LOCALPART = /^[a-z0-9._=/+-]+$/

/** The user id of a new name. Throws `M_INVALID_USERNAME`, or `M_USER_IN_USE` when it is taken. */
export function newUserId({ config, serverName, store }: Homeserver, localpart: string, isOwnServer = false): UserId {
  if (!LOCALPART.test(localpart)) throw invalidUsername('A user name is made of a-z, 0-9, and . _ = - / +')
  if (localpart.startsWith('_') && !config.allowUnderscorePrefixedRegistration && !isOwnServer)
    throw invalidUsername('User names that begin with _ are for application services')
  const userId: UserId = `@${localpart}:${serverName}`
  if (Buffer.byteLength(userId) > USER_ID_LIMIT_BYTES) throw invalidUsername('This user name is too long')
  if (hasUser(store, userId)) throw userInUse('This user name is taken')
  return userId
}

export type NewAccount = Readonly<{
  /** Null: one is made up. */
  localpart: string | null
  /** Null: nobody can log in with a password. */
  password: string | null
  isAdmin?: boolean
  isGuest?: boolean
  displayname?: string | null
  /** Made by an admin of this server, who may use names that are closed to others. */
  byAdmin?: boolean
  /** The version of the terms that was accepted for it. */
  acceptedTerms?: string | null
}>

const GENERATED_LENGTH = 12
const ATTEMPTS = 5

/**
 * Makes an account and puts it into the rooms of `auto_join_rooms`. Throws `M_INVALID_USERNAME`, `M_USER_IN_USE`,
 * `M_WEAK_PASSWORD`.
 */
export async function createAccount(server: Homeserver, account: NewAccount, cause: string): Promise<UserId> {
  const { localpart, password, isAdmin = false, isGuest = false, displayname = null, byAdmin = false, acceptedTerms = null } = account
  const wanted = localpart === null ? undefined : newUserId(server, localpart, byAdmin)
  const passwordHash = password === null ? null : await hashNewPassword(server, password)
  const userId = await registerAs(server, wanted, { passwordHash, isAdmin, isGuest, displayname }, cause)
  if (acceptedTerms !== null) await acceptTerms(server, userId, acceptedTerms, cause)
  else if (termsAtRegistration(server) === null) await joinFirstRooms(server, { userId, isGuest }, cause)
  return userId
}

type Registration = Readonly<{
  passwordHash: string | null
  isAdmin: boolean
  isGuest: boolean
  displayname: string | null
}>

async function registerAs(
  server: Homeserver,
  wanted: UserId | undefined,
  registration: Registration,
  cause: string,
): Promise<UserId> {
  for (let attempt = 1; ; attempt++) {
    const userId = wanted ?? (`@${generatedLocalpart()}:${server.serverName}` as const)
    try {
      await server.user(userId).ask({ kind: 'register', ...registration }, cause)
      return userId
    } catch (error) {
      const wasUnlucky = wanted === undefined && error instanceof MatrixError && error.errcode === 'M_USER_IN_USE'
      if (!wasUnlucky || attempt === ATTEMPTS) throw error
    }
  }
}

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'

const generatedLocalpart = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(GENERATED_LENGTH)), (value) => ALPHABET[value % ALPHABET.length]).join('')
