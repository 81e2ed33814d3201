import { type Homeserver } from '#homeserver'
import { rawJson, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { readPlace } from '#http/pagination.ts'
import { roomReader } from '#http/room-reader.ts'
import { getJoinedMembersByRoom, getMembersByRoom } from '#schema/client/members.ts'
import { notInRoom } from '#schema/matrix-error.ts'
import { listJoinedMembers, listMemberEvents } from '#store/members.ts'
import { findMembership } from '#store/memberships.ts'

export const membersPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/rooms/:roomId/members',
      signedIn(server, getMembersByRoom, (call) => rawJson(readMembers(server, call))),
    )
    .get(
      '/_matrix/client/v3/rooms/:roomId/joined_members',
      signedIn(server, getJoinedMembersByRoom, ({ params: { roomId }, requester: { userId } }) => {
        if (findMembership(server.store, roomId, userId)?.membership !== 'join') throw notInRoom()
        const joined = listJoinedMembers(server.store, roomId)
          .map(({ userId: id, displayname, avatarUrl }) => [id, { display_name: displayname, avatar_url: avatarUrl }] as const)
        return { joined: Object.fromEntries(joined) }
      }),
    )

function readMembers(server: Homeserver, { params: { roomId }, query, requester }: SignedInCall<typeof getMembersByRoom>): string {
  const { print, until } = roomReader(server, roomId, requester)
  const at = query.at === undefined ? Infinity : readPlace(query.at, 'at').position
  const events = listMemberEvents(server.store, {
    roomId,
    until: Math.min(until, at),
    membership: query.membership,
    notMembership: query.not_membership,
  })
  return `{"chunk":[${events.map((event) => print(event)).join(',')}]}`
}
