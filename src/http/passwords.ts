import { checkPassword, hashPassword, PASSWORD_LIMIT } from '#errands/hash-password.ts'
import type { Homeserver } from '#homeserver'
import type { UserId } from '#schema/identifiers.ts'
import { isUserId, serverNameOf } from '#schema/identifiers.ts'
import { forbidden, missingParam, unknown, userDeactivated, weakPassword } from '#schema/matrix-error.ts'
import { findPasswordHash, findUser } from '#store/users.ts'
import { perServer } from './per-server.ts'
import { rateLimiter } from './rate-limit.ts'

const failedAttempts = perServer(({ config, clock }) => rateLimiter(config.rc.login.failedAttempts, clock.now))

/** Whether there are passwords at all: for logins, or at least to prove who is asking. */
export const mayLogInByPassword = ({ config: { passwordConfig } }: Homeserver): boolean =>
  passwordConfig.enabled === true && passwordConfig.localdbEnabled

export const mayProveByPassword = ({ config: { passwordConfig } }: Homeserver): boolean =>
  passwordConfig.enabled !== false && passwordConfig.localdbEnabled

/**
 * Throws unless this is the user's password: `M_FORBIDDEN` (the same for users that there are not), `M_USER_DEACTIVATED`,
 * or `M_LIMIT_EXCEEDED` after too many wrong ones.
 */
export async function provePassword(
  server: Homeserver,
  userId: UserId | undefined,
  password: string,
  cause: string,
): Promise<void> {
  const attempts = failedAttempts(server)
  const key = userId ?? 'nobody'
  attempts.check(key)
  const account = userId && findUser(server.store, userId)
  if (account?.isDeactivated) throw userDeactivated('This account has been deactivated')
  const hash = account && findPasswordHash(server.store, account.userId)
  const { isRight, rehashed } = hash ? await checkPassword(password, hash, server.config.passwordConfig.pepper) : WRONG
  if (!account || !hash || !isRight) {
    attempts.take(key)
    throw forbidden('Wrong user name or password')
  }
  if (rehashed === null) return
  server.user(account.userId).tell({ kind: 'rehashPassword', from: hash, passwordHash: rehashed }, cause)
}

const WRONG = { isRight: false, rehashed: null }

/** Throws `M_WEAK_PASSWORD` where `password_config.policy` says so. */
export function checkNewPassword({ config }: Homeserver, password: string): void {
  const why = whyWeak(password, config.passwordConfig.policy)
  if (why) throw weakPassword(why)
}

/** Checks and hashes a new password. */
export async function hashNewPassword(server: Homeserver, password: string): Promise<string> {
  checkNewPassword(server, password)
  return hashPassword(password, server.config.passwordConfig.pepper)
}

type Policy = Homeserver['config']['passwordConfig']['policy']

function whyWeak(password: string, policy: Policy): string | undefined {
  if (password === '') return 'The password is empty'
  if (password.length > PASSWORD_LIMIT) return `A password may have at most ${PASSWORD_LIMIT} characters`
  if (!policy.enabled) return undefined
  if (password.length < policy.minimumLength) return `The password needs at least ${policy.minimumLength} characters`
  if (policy.requireDigit && !/\d/.test(password)) return 'The password needs a digit'
  if (policy.requireSymbol && !/[^A-Za-z0-9]/.test(password)) return 'The password needs a symbol'
  if (policy.requireUppercase && !/\p{Lu}/u.test(password)) return 'The password needs an upper-case letter'
  if (policy.requireLowercase && !/\p{Ll}/u.test(password)) return 'The password needs a lower-case letter'
  return undefined
}

/** How clients say who they are, in the present form and in that of old clients. spec: client-server-api#identifier-types */
export type Identified = Readonly<{
  identifier?: Readonly<Record<string, unknown>> | null
  user?: string | null
  address?: string | null
}>

/**
 * The local user that a client means, whether or not there is one; undefined for whom it cannot be: someone of another
 * server, or a mail address. Throws `M_MISSING_PARAM` where nothing is said and `M_UNKNOWN` for unknown identifier types.
 */
export function identifiedUser(server: Homeserver, { identifier, user, address }: Identified): UserId | undefined {
  if (identifier) {
    if (identifier.type === 'm.id.thirdparty' || identifier.type === 'm.id.phone') return undefined
    if (identifier.type !== 'm.id.user') throw unknown('Unknown identifier type')
    if (typeof identifier.user !== 'string') throw missingParam('Missing parameter: identifier.user')
    return localUser(server, identifier.user)
  }
  if (typeof user === 'string') return localUser(server, user)
  if (typeof address === 'string') return undefined
  throw missingParam('Missing parameter: identifier')
}

/** Names are lower-case here, whatever the keyboard made of them; one that is there as it was typed comes first. */
function localUser(server: Homeserver, name: string): UserId | undefined {
  const typed = name.startsWith('@') ? name : `@${name}:${server.serverName}`
  if (!isUserId(typed) || serverNameOf(typed) !== server.serverName) return undefined
  const lower = `@${typed.slice(1, typed.indexOf(':')).toLowerCase()}:${server.serverName}` as const
  return findUser(server.store, typed) ? typed : lower
}
