import { Elysia } from 'elysia'
import type { Homeserver } from '#homeserver'
import { open, signedIn } from '#http/endpoint.ts'
import { identifiedUser, mayLogInByPassword, provePassword } from '#http/passwords.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { endSessions, lifetimesOf, logIn } from '#http/sessions.ts'
import { wellKnownClient } from '#http/well-known.ts'
import { isJsonObject } from '#core/event-content.ts'
import type { Json } from '#core/pdu.ts'
import { getLoginFlows, login, logout, logoutAll, refresh } from '#schema/client/login.ts'
import { forbidden, MatrixError, missingParam, unknown, unknownToken } from '#schema/matrix-error.ts'
import type { UserId } from '#schema/identifiers.ts'
import { findRefreshToken } from '#store/access-tokens.ts'
import { findUser } from '#store/users.ts'

export const loginPage = (server: Homeserver) => {
  const { address, account } = server.config.rc.login
  const perAddress = rateLimiter(address, server.clock.now)
  const perAccount = rateLimiter(account, server.clock.now)

  return new Elysia({ name: 'client/login', normalize: false })
    .get(
      '/_matrix/client/v3/login',
      open(server, getLoginFlows, () => ({ flows: mayLogInByPassword(server) ? [{ type: 'm.login.password' }] : [] })),
    )
    .post(
      '/_matrix/client/v3/login',
      open(server, login, async ({ body, request, clientAddress, cause }) => {
        perAddress.take(clientAddress)
        if (body.type !== 'm.login.password') throw unknown('Unknown login type')
        if (!mayLogInByPassword(server)) throw unknown('Logins by password are not possible here')
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

type Credentials = Readonly<{
  identifier?: Readonly<Record<string, unknown>> | null
  user?: string | null
  address?: string | null
  password?: string | null
}>

/** The user behind name and password, or a refusal. spec: client-server-api#password-based */
async function whoIs(server: Homeserver, credentials: Credentials, cause: string): Promise<UserId> {
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
