import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { isVouchedFor } from '#store/members.ts'
import { findMembership } from '#store/memberships.ts'
import { findMemberProfile } from '#store/profiles.ts'
import type { Requester } from './endpoint.ts'
import { refuseGuest } from './guests.ts'
import { perServer } from './per-server.ts'
import { rateLimiter } from './rate-limit.ts'
import { refuseSilenced } from './speaking.ts'

const limitsOf = perServer(({ config: { rc }, clock }) => ({
  perUser: rateLimiter(rc.joins.local, clock.now),
  perRoom: rateLimiter(rc.joinsPerRoom, clock.now),
}))

/** Keys of a member event that are not the client's to set. */
const OURS = ['membership', 'join_authorised_via_users_server', 'third_party_invite', 'third_party_signed', 'reason'] as const
const PROFILE = ['displayname', 'avatar_url'] as const

/** What a client may add to its own member event: anything but what the server vouches for. */
export function ownMemberContent({ config }: Homeserver, content: JsonObject): JsonObject {
  const withheld: readonly string[] = config.allowPerRoomProfiles ? OURS : [...OURS, ...PROFILE]
  return Object.fromEntries(Object.entries(content).filter(([key]) => !withheld.includes(key)))
}

/**
 * Joins a room. `content` is what the client says about itself besides. Throws `M_FORBIDDEN` with the room's reason,
 * `M_NOT_FOUND` for a room that this server does not know, `M_GUEST_ACCESS_FORBIDDEN`, `M_USER_SUSPENDED`.
 */
export async function join(
  server: Homeserver,
  { requester, roomId, content, signed, reason, cause }: Readonly<{
    requester: Requester
    roomId: RoomId
    content: JsonObject
    /** Proof that an invitation of a mail address or number was for them. */
    signed?: JsonObject | undefined
    reason?: string | undefined
    cause: string
  }>,
): Promise<EventId> {
  const { userId } = requester
  refuseSilenced(server, requester)
  if (requester.isGuest) refuseGuest(server, roomId)
  takeTurn(server, requester, roomId)
  const { eventId } = await server.room(roomId).ask({
    kind: 'joinRoomById',
    userId,
    profile: findMemberProfile(server.store, userId),
    extra: ownMemberContent(server, content),
    isVouchedFor: isVouchedFor(server.store, roomId, userId),
    ...(signed === undefined ? {} : { signed }),
    ...(reason === undefined ? {} : { reason }),
  }, cause)
  return eventId
}

/** Whoever is in the room already does not join it again. */
function takeTurn(server: Homeserver, { userId }: Requester, roomId: RoomId): void {
  if (findMembership(server.store, roomId, userId)?.membership === 'join') return
  const { perUser, perRoom } = limitsOf(server)
  perRoom.check(roomId)
  perUser.take(userId)
  perRoom.take(roomId)
}
