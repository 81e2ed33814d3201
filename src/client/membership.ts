import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { acceptUnasked, invitedContentOf, noIdentityServer, refuseInvite } from '#http/invites.ts'
import { join } from '#http/joins.ts'
import { page } from '#http/page.ts'
import { reasonOf } from '#http/reasons.ts'
import { roomIdOf } from '#http/room-addresses.ts'
import { refuseSilenced } from '#http/speaking.ts'
import {
  ban, forgetRoom, inviteUser, joinRoom, joinRoomById, kick, knockRoom, leaveRoom, unban,
} from '#schema/client/membership.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { missingParam } from '#schema/matrix-error.ts'
import { findMemberProfile } from '#store/profiles.ts'

export const membershipPage = (server: Homeserver) => {
  const knock = signedIn(server, knockRoom, (call) => knockAt(server, call))
  return page()
    .post(
      '/_matrix/client/v3/rooms/:roomId/join',
      signedIn(server, joinRoomById, ({ params: { roomId }, body, requester, cause }) =>
        joinAt(server, { roomId, body, requester, cause })),
    )
    .post(
      '/_matrix/client/v3/join/:roomIdOrAlias',
      signedIn(server, joinRoom, ({ params: { roomIdOrAlias }, body, requester, cause }) =>
        joinAt(server, { roomId: roomIdOf(server, roomIdOrAlias), body, requester, cause })),
    )
    .post('/_matrix/client/v3/knock/:roomIdOrAlias', knock)
    .post('/_matrix/client/unstable/xyz.amorgan.knock/knock/:roomIdOrAlias', knock)
    .post('/_matrix/client/v3/rooms/:roomId/invite', signedIn(server, inviteUser, (call) => invite(server, call)))
    .post(
      '/_matrix/client/v3/rooms/:roomId/leave',
      signedIn(server, leaveRoom, async ({ params: { roomId }, body, requester: { userId }, cause }) => {
        await server.room(roomId).ask({ kind: 'leaveRoom', userId, ...reasonOf(body) }, cause)
        if (server.config.forgetRoomsOnLeave) await server.room(roomId).ask({ kind: 'forgetRoom', userId }, cause)
        return {}
      }),
    )
    .post(
      '/_matrix/client/v3/rooms/:roomId/forget',
      signedIn(server, forgetRoom, async ({ params: { roomId }, requester: { userId }, cause }) => {
        await server.room(roomId).ask({ kind: 'forgetRoom', userId }, cause)
        return {}
      }),
    )
    .post('/_matrix/client/v3/rooms/:roomId/kick', signedIn(server, kick, (call) => act(server, 'kick', call)))
    .post('/_matrix/client/v3/rooms/:roomId/ban', signedIn(server, ban, (call) => act(server, 'ban', call)))
    .post('/_matrix/client/v3/rooms/:roomId/unban', signedIn(server, unban, (call) => act(server, 'unban', call)))
}

type Joining = Readonly<{ roomId: RoomId; body: SignedInCall<typeof joinRoom>['body']; requester: Requester; cause: string }>

async function joinAt(server: Homeserver, { roomId, body, requester, cause }: Joining): Promise<{ room_id: RoomId }> {
  const signed: JsonObject | undefined = body.third_party_signed
  await join(server, { requester, roomId, content: body as JsonObject, signed, ...reasonOf(body), cause })
  return { room_id: roomId }
}

async function knockAt(
  server: Homeserver,
  { params, body, requester, cause }: SignedInCall<typeof knockRoom>,
): Promise<{ room_id: RoomId }> {
  refuseSilenced(server, requester)
  const { userId } = requester
  const roomId = roomIdOf(server, params.roomIdOrAlias)
  const profile = findMemberProfile(server.store, userId)
  await server.room(roomId).ask({ kind: 'knockRoom', userId, profile, ...reasonOf(body) }, cause)
  return { room_id: roomId }
}

async function invite(
  server: Homeserver,
  { params: { roomId }, body, requester, cause }: SignedInCall<typeof inviteUser>,
): Promise<object> {
  const { user_id: targetId, medium, address } = body
  refuseSilenced(server, requester)
  const isByAddress = medium !== undefined && address !== undefined
  if (targetId === undefined) throw isByAddress ? noIdentityServer() : missingParam('Missing parameter: user_id')
  refuseInvite(server, requester, targetId, roomId)
  const { userId } = requester
  const profile = invitedContentOf(server, targetId)
  await server.room(roomId).ask({ kind: 'inviteUser', userId, targetId, profile, ...reasonOf(body) }, cause)
  acceptUnasked(server, { roomId, inviterId: userId, targetId, isDirect: false, cause })
  return {}
}

/** Kicks, bans and unbans. */
async function act(
  server: Homeserver,
  kind: 'kick' | 'ban' | 'unban',
  { params: { roomId }, body, requester, cause }: SignedInCall<typeof kick>,
): Promise<object> {
  refuseSilenced(server, requester)
  await server.room(roomId).ask({ kind, userId: requester.userId, targetId: body.user_id, ...reasonOf(body) }, cause)
  return {}
}
