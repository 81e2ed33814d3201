import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { noticeActivity } from '#http/presence.ts'
import { setTyping } from '#schema/client/typing.ts'
import { forbidden } from '#schema/matrix-error.ts'

/** For clients that do not say how long: the usual time between two notices. */
const TYPING_MS_DEFAULT = 30_000

export const typingPage = (server: Homeserver) =>
  page().put(
    '/_matrix/client/v3/rooms/:roomId/typing/:userId',
    signedIn(server, setTyping, async ({ params: { roomId, userId }, body, requester, cause }) => {
      if (userId !== requester.userId) throw forbidden('You can only say of yourself that you are typing')
      const timeoutMs = body.typing ? (body.timeout ?? TYPING_MS_DEFAULT) : 0
      noticeActivity(server, requester, cause)
      await server.room(roomId).ask({ kind: 'setTyping', userId, timeoutMs }, cause)
      return {}
    }),
  )
