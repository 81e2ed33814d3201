import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { requestOpenIdToken } from '#schema/client/openid.ts'
import { forbidden } from '#schema/matrix-error.ts'

/** spec: client-server-api#openid */
export const openidPage = (server: Homeserver) =>
  page().post(
    '/_matrix/client/v3/user/:userId/openid/request_token',
    signedIn(server, requestOpenIdToken, async ({ params: { userId }, requester, cause }) => {
      if (userId !== requester.userId) throw forbidden('You can only prove who you are yourself')
      const { token, expiresInMs } = await server.user(userId).ask({ kind: 'requestOpenIdToken' }, cause)
      return {
        access_token: token,
        token_type: 'Bearer',
        matrix_server_name: server.serverName,
        expires_in: Math.floor(expiresInMs / 1000),
      }
    }),
  )
