import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getJoinedRooms } from '#schema/client/joined-rooms.ts'
import { listRoomsOf } from '#store/memberships.ts'

export const joinedRoomsPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/joined_rooms',
    signedIn(server, getJoinedRooms, ({ requester }) => ({ joined_rooms: listRoomsOf(server.store, requester.userId, 'join') })),
  )
