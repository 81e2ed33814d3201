import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { pingAppservice, updateAppserviceRoomDirectoryVisibility } from '#schema/client/appservice-ping.ts'
import { forbidden } from '#schema/matrix-error.ts'

/** What only application services may call; this server has none, so no token is one of theirs. */
export const appservicePingPage = (server: Homeserver) => {
  const refuse = (): never => {
    throw forbidden('This is not the token of an application service')
  }
  return page()
    .post('/_matrix/client/v1/appservice/:appserviceId/ping', signedIn(server, pingAppservice, refuse))
    .put(
      '/_matrix/client/v3/directory/list/appservice/:networkId/:roomId',
      signedIn(server, updateAppserviceRoomDirectoryVisibility, refuse),
    )
}
