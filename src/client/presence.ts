import { isPresence, presenceContent } from '#core/presence-board.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { setPresence } from '#http/presence.ts'
import * as schema from '#schema/client/presence.ts'
import type { UserId } from '#schema/identifiers.ts'
import { badJson, forbidden } from '#schema/matrix-error.ts'
import { hasSharedRoom } from '#store/profiles.ts'

const STATUS = '/_matrix/client/v3/presence/:userId/status'

export const presencePage = (server: Homeserver) =>
  page()
    .get(
      STATUS,
      signedIn(server, schema.getPresence, ({ params: { userId }, requester }) => {
        checkReader(server, userId, requester)
        const shown = server.notifier.presence.find(userId)
        if (!shown) return { presence: 'offline' }
        return presenceContent(shown, server.clock.now(), server.config.presence.lastActiveGranularity)
      }),
    )
    .put(
      STATUS,
      signedIn(server, schema.setPresence, async ({ params: { userId }, body, requester, cause }) => {
        if (userId !== requester.userId) throw forbidden('You can only say of yourself whether you are there')
        if (!isPresence(body.presence)) throw badJson('presence is online, unavailable or offline')
        await setPresence(server, requester, body.presence, body.status_msg ?? null, cause)
        return {}
      }),
    )

function checkReader({ store }: Homeserver, userId: UserId, requester: Requester): void {
  if (userId !== requester.userId && !hasSharedRoom(store, requester.userId, userId))
    throw forbidden('You see the presence of those with whom you share a room')
}
