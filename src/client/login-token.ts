import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { proveIdentity } from '#http/uia.ts'
import { generateLoginToken } from '#schema/client/login-token.ts'
import { unrecognized } from '#schema/matrix-error.ts'

/** Off unless `login_via_existing_session` says otherwise. */
export const loginTokenPage = (server: Homeserver) =>
  page().post(
    '/_matrix/client/v1/login/get_token',
    signedIn(server, generateLoginToken, async (call) => {
      const { enabled, requireUiAuth, tokenTimeout } = server.config.loginViaExistingSession
      if (!enabled) throw unrecognized('Devices do not log others in on this server')
      if (requireUiAuth) await proveIdentity(server, call)
      const { requester: { userId }, cause } = call
      const { token } = await server.user(userId).ask({ kind: 'generateLoginToken', lifetimeMs: tokenTimeout }, cause)
      return { login_token: token, expires_in_ms: tokenTimeout }
    }),
  )
