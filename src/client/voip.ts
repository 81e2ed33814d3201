import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getTurnServer } from '#schema/client/voip.ts'
import type { UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'

export const voipPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/voip/turnServer',
    signedIn(server, getTurnServer, ({ requester: { userId, isGuest } }) => {
      if (isGuest && !server.config.turnAllowGuests)
        throw new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', 'Guests get no TURN credentials on this server')
      return turnServer(server, userId)
    }),
  )

/** Nothing where there is no TURN server. spec: client-server-api#get_matrixclientv3voipturnserver */
function turnServer(server: Homeserver, userId: UserId): object {
  const { turnUris: uris, turnUserLifetime } = server.config
  const credentials = credentialsFor(server, userId)
  if (uris.length === 0 || !credentials) return {}
  return { ...credentials, uris, ttl: Math.floor(turnUserLifetime / 1000) }
}

/**
 * A name that says when it ends, and as its password the proof that this server has made it (the TURN REST API draft,
 * draft-uberti-behave-turn-rest-00); without a shared secret the one name and password that all have.
 */
function credentialsFor({ config, clock }: Homeserver, userId: UserId): { username: string; password: string } | undefined {
  const { turnSharedSecret, turnUsername, turnPassword, turnUserLifetime } = config
  if (turnSharedSecret !== null) {
    const username = `${Math.floor((clock.now() + turnUserLifetime) / 1000)}:${userId}`
    return { username, password: new Bun.CryptoHasher('sha1', turnSharedSecret).update(username).digest('base64') }
  }
  return turnUsername !== null && turnPassword !== null ? { username: turnUsername, password: turnPassword } : undefined
}
