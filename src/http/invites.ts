import type { Homeserver } from '#homeserver'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { forbidden, MatrixError } from '#schema/matrix-error.ts'
import { findInvitePermission } from '#store/invite-permission.ts'
import { findMemberProfile } from '#store/profiles.ts'
import type { Requester } from './endpoint.ts'
import { perServer } from './per-server.ts'
import { rateLimiter } from './rate-limit.ts'
import { isOurs } from './room-addresses.ts'

const limitsOf = perServer(({ config: { rc }, clock }) => ({
  perRoom: rateLimiter(rc.invites.perRoom, clock.now),
  perUser: rateLimiter(rc.invites.perUser, clock.now),
  perIssuer: rateLimiter(rc.invites.perIssuer, clock.now),
}))

/**
 * Throws where an invite is not to be made, whatever the room would say: `M_FORBIDDEN` where only admins may invite,
 * `M_INVITE_BLOCKED` where the invited user wants no invites, `M_LIMIT_EXCEEDED`.
 */
export function refuseInvite(server: Homeserver, requester: Requester, targetId: UserId, roomId: RoomId | null): void {
  if (server.config.blockNonAdminInvites && !requester.isAdmin) throw forbidden('Only admins of this server may invite')
  if (isOurs(server, targetId) && findInvitePermission(server.store, targetId, requester.userId) === 'block')
    throw new MatrixError(403, 'M_INVITE_BLOCKED', `${targetId} does not take invites`)
  const limits = limitsOf(server)
  limits.perIssuer.check(requester.userId)
  limits.perUser.check(targetId)
  if (roomId !== null) limits.perRoom.take(roomId)
  limits.perIssuer.take(requester.userId)
  limits.perUser.take(targetId)
}

/** The refusal of an invite by mail address or number: nobody here can find out whose it is. */
export const noIdentityServer = (): MatrixError =>
  new MatrixError(400, 'M_SERVER_NOT_TRUSTED', 'This server asks no identity server; invite people by their user id')

/** What an invite says of the invited user. */
export const invitedContentOf = (server: Homeserver, userId: UserId): { displayname?: string; avatar_url?: string } =>
  server.config.includeProfileDataOnInvite && isOurs(server, userId) ? findMemberProfile(server.store, userId) : {}

/** `auto_accept_invites`: the invited user joins as if they had said so. */
export function acceptUnasked(
  server: Homeserver,
  { roomId, inviterId, targetId, isDirect, cause }: Readonly<{
    roomId: RoomId
    inviterId: UserId
    targetId: UserId
    isDirect: boolean
    cause: string
  }>,
): void {
  const { enabled, onlyForDirectMessages, onlyFromLocalUsers } = server.config.autoAcceptInvites
  const isWanted = enabled && (isDirect || !onlyForDirectMessages) && (isOurs(server, inviterId) || !onlyFromLocalUsers)
  if (!isWanted || !isOurs(server, targetId)) return
  server.room(roomId).tell({ kind: 'joinRoomById', userId: targetId, profile: findMemberProfile(server.store, targetId) }, cause)
}
