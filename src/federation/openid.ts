import type { Homeserver } from '#homeserver'
import { open } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { exchangeOpenIdToken } from '#schema/federation/openid.ts'
import { missingToken, unknownToken } from '#schema/matrix-error.ts'
import { findOpenIdHolder } from '#store/issued-tokens.ts'

/** Another service asks who the bearer of a token is; it need be no homeserver, so nothing is signed. */
export const openidPage = (server: Homeserver) =>
  page().get(
    '/_matrix/federation/v1/openid/userinfo',
    open(server, exchangeOpenIdToken, ({ query: { access_token: token } }) => {
      if (token === undefined || token === '') throw missingToken()
      const userId = findOpenIdHolder(server.store, token, server.clock.now())
      if (userId === undefined) throw unknownToken('This OpenID token is unknown or has expired')
      return { sub: userId }
    }),
  )
