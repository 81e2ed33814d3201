import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { makeRoom, planNewRoom } from '#http/new-room.ts'
import { page } from '#http/page.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { refuseSilenced } from '#http/speaking.ts'
import { createRoom } from '#schema/client/create-room.ts'

export const createRoomPage = (server: Homeserver) => {
  const limit = rateLimiter(server.config.rc.roomCreation, server.clock.now)
  return page().post(
    '/_matrix/client/v3/createRoom',
    signedIn(server, createRoom, async ({ body, requester, cause }) => {
      refuseSilenced(server, requester)
      const planned = planNewRoom(server, body, requester)
      limit.take(requester.userId)
      return { room_id: await makeRoom(server, planned, cause) }
    }),
  )
}
