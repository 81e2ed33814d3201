import { Elysia } from 'elysia'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { proveIdentity } from '#http/uia.ts'
import { generateLoginToken } from '#schema/client/login-token.ts'
import { unrecognized } from '#schema/matrix-error.ts'

/** Off unless `login_via_existing_session` says otherwise. */
export const loginTokenPage = (server: Homeserver) =>
  new Elysia({ name: 'client/login-token', normalize: false }).post(
    '/_matrix/client/v1/login/get_token',
    signedIn(server, generateLoginToken, async (call) => {
      const { enabled, requireUiAuth, tokenTimeout } = server.config.loginViaExistingSession
      if (!enabled) throw unrecognized('Devices do not log others in on this server')
      if (requireUiAuth) await proveIdentity(server, call)
      const { token } = await server.user(call.requester.userId).ask({ kind: 'generateLoginToken', lifetimeMs: tokenTimeout }, call.cause)
      return { login_token: token, expires_in_ms: tokenTimeout }
    }),
  )
