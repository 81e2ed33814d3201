import type { Homeserver } from '#homeserver'
import { open } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getAuthMetadata, redirectToIdP, redirectToSSO } from '#schema/client/sso.ts'
import { notFound, unrecognized } from '#schema/matrix-error.ts'

/** Nobody logs in here by way of another service, nor by OAuth: clients learn it from these answers. */
export const ssoPage = (server: Homeserver) => {
  const noOAuth = open(server, getAuthMetadata, () => {
    throw unrecognized('This server does not offer the OAuth 2.0 API')
  })
  return page()
    .get(
      '/_matrix/client/v3/login/sso/redirect',
      open(server, redirectToSSO, () => {
        throw unrecognized('This server offers no single sign-on')
      }),
    )
    .get(
      '/_matrix/client/v3/login/sso/redirect/:idpId',
      open(server, redirectToIdP, ({ params: { idpId } }) => {
        throw notFound(`This server knows no identity provider ${idpId}`)
      }),
    )
    .get('/_matrix/client/v1/auth_metadata', noOAuth)
    .get('/_matrix/client/unstable/org.matrix.msc2965/auth_metadata', noOAuth)
    .get('/_matrix/client/unstable/org.matrix.msc2965/auth_issuer', noOAuth)
}
