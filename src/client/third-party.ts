import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import * as schema from '#schema/client/third-party.ts'
import { notFound } from '#schema/matrix-error.ts'

/** Networks are known through bridges, and without any there is nothing to be found. */
export const thirdPartyPage = (server: Homeserver) => {
  const none = (): never[] => []
  return page()
    .get('/_matrix/client/v3/thirdparty/protocols', signedIn(server, schema.getProtocols, () => ({})))
    .get(
      '/_matrix/client/v3/thirdparty/protocol/:protocol',
      signedIn(server, schema.getProtocolMetadata, ({ params: { protocol } }) => {
        throw notFound(`No bridge here speaks ${protocol}`)
      }),
    )
    .get('/_matrix/client/v3/thirdparty/location/:protocol', signedIn(server, schema.queryLocationByProtocol, none))
    .get('/_matrix/client/v3/thirdparty/user/:protocol', signedIn(server, schema.queryUserByProtocol, none))
    .get('/_matrix/client/v3/thirdparty/location', signedIn(server, schema.queryLocationByAlias, none))
    .get('/_matrix/client/v3/thirdparty/user', signedIn(server, schema.queryUserByID, none))
}
