import type { Homeserver } from '#homeserver'
import { open, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { identifiedUser, mayLogInByPassword, provePassword } from '#http/passwords.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { endSessions, lifetimesOf, logIn } from '#http/sessions.ts'
import { wellKnownClient } from '#http/well-known.ts'
import { isJsonObject } from '#core/event-content.ts'
import type { Json } from '#schema/pdu.ts'
import { getLoginFlows, login, logout, logoutAll, refresh } from '#schema/client/login.ts'
import { forbidden, MatrixError, missingParam, unknown, unknownToken } from '#schema/matrix-error.ts'
import type { UserId } from '#schema/identifiers.ts'
import { findRefreshToken } from '#store/access-tokens.ts'
import { findLoginTokenHolder } from '#store/issued-tokens.ts'
import { findUser } from '#store/users.ts'

export const loginPage = (server: Homeserver) => {
  const { address, account } = server.config.rc.login
  const perAddress = rateLimiter(address, server.clock.now)
  const perAccount = rateLimiter(account, server.clock.now)

  return page()
    .get(
      '/_matrix/client/v3/login',
      open(server, getLoginFlows, () => ({ flows: flowsOf(server) })),
    )
    .post(
      '/_matrix/client/v3/login',
      open(server, login, async ({ body, request, clientAddress, cause }) => {
        perAddress.take(clientAddress)
        const userId = await whoIs(server, body, cause)
        perAccount.take(userId)
        const loggedIn = await logIn(server, {
          userId,
          deviceId: body.device_id,
          displayName: body.initial_device_display_name,
          isRefreshable: body.refresh_token === true,
          request,
          cause,
        })
        return { ...loggedIn, well_known: wellKnownClient(server) }
      }),
    )
    .post(
      '/_matrix/client/v3/refresh',
      open(server, refresh, async ({ body, cause }) => {
        const holder = findRefreshToken(server.store, body.refresh_token)
        if (!holder) throw unknownToken('Unknown refresh token: log in again', { soft_logout: false })
        refuseLocked(server, holder.userId)
        const { accessToken, refreshToken, expiresInMs } = await server.device(holder.userId, holder.deviceId).ask(
          { kind: 'refreshSession', refreshToken: body.refresh_token, lifetimes: lifetimesOf(server, true) },
          cause,
        )
        return {
          access_token: accessToken,
          refresh_token: refreshToken,
          ...(expiresInMs === null ? {} : { expires_in_ms: expiresInMs }),
        }
      }),
    )
    .post(
      '/_matrix/client/v3/logout',
      signedIn(server, logout, async ({ requester: { userId, deviceId }, cause }) => {
        if (deviceId !== null) await server.device(userId, deviceId).ask({ kind: 'endSession' }, cause)
        return {}
      }),
    )
    .post(
      '/_matrix/client/v3/logout/all',
      signedIn(server, logoutAll, async ({ requester: { userId }, cause }) => {
        await endSessions(server, userId, cause)
        return {}
      }),
    )
}

/** spec: client-server-api#get_matrixclientv3login */
const flowsOf = (server: Homeserver): object[] => [
  ...(mayLogInByPassword(server) ? [{ type: 'm.login.password' }] : []),
  ...(server.config.loginViaExistingSession.enabled ? [{ type: 'm.login.token', get_login_token: true }] : []),
]

type Credentials = Readonly<{
  type: string
  token?: string | null
  identifier?: Readonly<Record<string, unknown>> | null
  user?: string | null
  address?: string | null
  password?: string | null
}>

/** Whom the client proves to be. Throws `M_UNKNOWN` for a way of proving it that this server does not take. */
async function whoIs(server: Homeserver, credentials: Credentials, cause: string): Promise<UserId> {
  if (credentials.type === 'm.login.token') return bearerOf(server, credentials, cause)
  if (credentials.type !== 'm.login.password') throw unknown('Unknown login type')
  if (!mayLogInByPassword(server)) throw unknown('Logins by password are not possible here')
  return ownerOf(server, credentials, cause)
}

/** The user whom a token logs in that another device of theirs has asked for. spec: client-server-api#token-based */
async function bearerOf(server: Homeserver, { token }: Credentials, cause: string): Promise<UserId> {
  if (!server.config.loginViaExistingSession.enabled) throw unknown('Logins by token are not possible here')
  if (typeof token !== 'string') throw missingParam('Missing parameter: token')
  const userId = findLoginTokenHolder(server.store, token, server.clock.now())
  if (!userId) throw forbidden('This login token is not valid (any more)')
  refuseLocked(server, userId)
  await server.user(userId).ask({ kind: 'spendLoginToken', token }, cause)
  return userId
}

/** The user behind name and password, or a refusal. spec: client-server-api#password-based */
async function ownerOf(server: Homeserver, credentials: Credentials, cause: string): Promise<UserId> {
  if (typeof credentials.password !== 'string') throw missingParam('Missing parameter: password')
  const identifier = credentials.identifier as Json | undefined
  const userId = identifiedUser(server, { ...credentials, identifier: isJsonObject(identifier) ? identifier : null })
  await provePassword(server, userId, credentials.password, cause)
  if (userId === undefined) throw forbidden('Wrong user name or password')
  refuseLocked(server, userId)
  return userId
}

/** spec: client-server-api#account-locking */
function refuseLocked(server: Homeserver, userId: UserId): void {
  if (!findUser(server.store, userId)?.isLocked) return
  throw new MatrixError(401, 'M_USER_LOCKED', 'This account is locked', { soft_logout: true })
}
