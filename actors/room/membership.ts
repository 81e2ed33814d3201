import type { Command, Decision } from '#actors/kernel/actor.ts'
import { type Effect, ringUsers } from '#actors/effects.ts'
import type { WorldTurn } from '#actors/world.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { powerLevelsOf } from '#core/power-levels.ts'
import type { Json, JsonObject, RoomEvent } from '#schema/pdu.ts'
import { type EventId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import type { EventAppended, RoomFact, RoomForgotten } from '#schema/journal/room.ts'
import { forbidden, MatrixError, notFound, notInRoom, unknown } from '#schema/matrix-error.ts'
import { append, type Draft, draftOf, unchanged } from './append.ts'
import { isJoined, type Membership, membershipOf, type Room, type RoomApply, type RoomDecide } from './memory.ts'
import { alreadySent, drafting } from './send.ts'

/** The display name and picture that a member event copies from the profile. */
export type MemberProfile = Readonly<{ displayname?: string; avatar_url?: string }>
type Sent = { eventId: EventId }
type Reason = { reason?: string }
type Acting = { userId: UserId; targetId: UserId } & Reason

export type MembershipCommand =
  | Command<'joinRoomById', {
      userId: UserId
      profile: MemberProfile
      /** Further keys of the content, of the client's choice. */
      extra?: JsonObject
      /** Proof that an `m.room.third_party_invite` of this room was for the user. */
      signed?: JsonObject
      /** The user is in one of the rooms whose members a restricted room lets in. */
      isVouchedFor?: boolean
    } & Reason, Sent>
  | Command<'inviteUser', { userId: UserId; targetId: UserId; profile: MemberProfile; isDirect?: boolean } & Reason, Sent>
  | Command<'knockRoom', { userId: UserId; profile: MemberProfile } & Reason, Sent>
  | Command<'leaveRoom', { userId: UserId } & Reason, Sent>
  | Command<'kick', Acting, Sent>
  | Command<'ban', Acting, Sent>
  | Command<'unban', Acting, Sent>
  | Command<'forgetRoom', { userId: UserId }>
  /** A profile changed: the member event of a joined user follows. */
  | Command<'refreshMember', { userId: UserId; profile: MemberProfile }>
  /** A client wrote the member event itself, by `PUT …/state/m.room.member/{userId}`. */
  | Command<'setMember', {
      userId: UserId
      targetId: UserId
      content: JsonObject
      transaction?: EventAppended['transaction']
    }, Sent>

export const decide = {
  joinRoomById(room, { userId, profile, extra, signed, reason, isVouchedFor }, turn) {
    if (!room.rules) return { refuse: unknownRoom() }
    return drafting(room, turn, (draft) => {
      const content = { membership: 'join', ...profile, ...extra, ...because(reason) }
      const current = sameButForVoucher(draft, userId, content)
      if (current) return current
      if (signed) exchangeInvite(draft, userId, signed)
      const authorised = isVouchedFor ? authorisedBy(draft, userId) : {}
      return putMember(draft, userId, userId, { ...content, ...authorised })
    })
  },

  inviteUser(room, { userId, targetId, profile, isDirect, reason }, turn) {
    if (!isJoined(room, userId)) return { refuse: notInRoom() }
    if (membershipOf(room, targetId) === 'join') return { refuse: forbidden(`${targetId} is in the room already`) }
    const direct = isDirect ? { is_direct: true } : {}
    return drafting(room, turn, (draft) =>
      putMember(draft, userId, targetId, { membership: 'invite', ...profile, ...direct, ...because(reason) }))
  },

  knockRoom(room, { userId, profile, reason }, turn) {
    if (!room.rules) return { refuse: unknownRoom() }
    return drafting(room, turn, (draft) =>
      putMember(draft, userId, userId, { membership: 'knock', ...profile, ...because(reason) }))
  },

  leaveRoom(room, { userId, reason }, turn) {
    const membership = membershipOf(room, userId)
    const current = room.rules && membership === 'leave' ? currentMember(room, turn, userId) : undefined
    if (current) return { reply: { eventId: current.eventId } }
    if (room.rules && membership === undefined) return { refuse: notInRoom() }
    return drafting(room, turn, (draft) => putMember(draft, userId, userId, { membership: 'leave', ...because(reason) }))
  },

  kick(room, { userId, targetId, reason }, turn) {
    if (!isJoined(room, userId) && userId !== targetId) return { refuse: notInRoom() }
    const membership = membershipOf(room, targetId)
    if (room.rules && (membership === undefined || membership === 'leave' || membership === 'ban'))
      return { refuse: forbidden(`${targetId} is not in the room`) }
    return drafting(room, turn, (draft) => putMember(draft, userId, targetId, { membership: 'leave', ...because(reason) }))
  },

  ban(room, { userId, targetId, reason }, turn) {
    return drafting(room, turn, (draft) => putMember(draft, userId, targetId, { membership: 'ban', ...because(reason) }))
  },

  unban(room, { userId, targetId, reason }, turn) {
    if (!isJoined(room, userId)) return { refuse: notInRoom() }
    if (room.rules && membershipOf(room, targetId) !== 'ban')
      return { refuse: new MatrixError(403, 'M_BAD_STATE', `${targetId} is not banned from this room`) }
    return drafting(room, turn, (draft) => putMember(draft, userId, targetId, { membership: 'leave', ...because(reason) }))
  },

  forgetRoom(room, { userId }) {
    const membership = membershipOf(room, userId)
    if (!room.rules) return { refuse: unknownRoom() }
    if (membership === 'join' || membership === 'invite' || membership === 'knock')
      return { refuse: unknown('You are still in this room; leave it before you forget it') }
    if (membership === undefined) return { refuse: unknown('You were never in this room') }
    return {
      facts: [{ kind: 'roomForgotten', roomId: room.roomId, userId }],
      effects: [ringUsers([userId], 'membership')],
      reply: undefined,
    }
  },

  refreshMember(room, { userId, profile }, turn) {
    if (membershipOf(room, userId) !== 'join') return { reply: undefined }
    const decision = drafting(room, turn, (draft) => {
      const { displayname: _name, avatar_url: _picture, ...rest } = draft.state('m.room.member', userId)?.pdu.content ?? {}
      return putMember(draft, userId, userId, { ...rest, membership: 'join', ...profile })
    })
    // A room whose rules forbid the change keeps the old name; nobody waits for an answer.
    return 'refuse' in decision ? { reply: undefined } : withoutReply(decision)
  },

  setMember(room, { userId, targetId, content, transaction }, turn) {
    const sent = alreadySent(room, transaction, { type: 'm.room.member' })
    if (sent) return { reply: sent }
    return drafting(room, turn, (draft) => putMember(draft, userId, targetId, content, transaction))
  },
} satisfies RoomDecide<MembershipCommand, RoomFact>

export const apply = {
  // Forgetting changes what the user reads, not what the room decides.
  roomForgotten() {},
} satisfies RoomApply<RoomForgotten>

function putMember(draft: Draft, sender: UserId, target: UserId, content: JsonObject, transaction?: EventAppended['transaction']): RoomEvent {
  const known = unchanged(draft, 'm.room.member', target, sender, content)
  if (known) return known
  return append(draft, { type: 'm.room.member', sender, stateKey: target, content, ...(transaction ? { transaction } : {}) })
}

/**
 * The invitation of a mail address or number becomes one of the user whom it was for, in the name of whoever sent it;
 * the auth rules look at the signature. spec: client-server-api#third-party-invites
 */
function exchangeInvite(draft: Draft, userId: UserId, signed: JsonObject): void {
  const membership = membershipOf(draft.room, userId)
  if (membership === 'join' || membership === 'invite') return
  const { token } = signed
  const invitation = typeof token === 'string' ? draft.state('m.room.third_party_invite', token) : undefined
  if (!invitation) throw forbidden('The room knows no invitation with this token')
  const displayName = invitation.pdu.content.display_name
  const named = typeof displayName === 'string' ? { display_name: displayName } : {}
  putMember(draft, invitation.pdu.sender, userId, { membership: 'invite', third_party_invite: { ...named, signed } })
}

/** Whoever joins once more with nothing new to say has said it: who vouched for them the first time does not matter (G-74). */
function sameButForVoucher(draft: Draft, userId: UserId, content: JsonObject): RoomEvent | undefined {
  const current = draft.state('m.room.member', userId)
  if (!current || current.pdu.sender !== userId) return undefined
  const { join_authorised_via_users_server: _voucher, ...said } = current.pdu.content
  return canonicalJson(said) === canonicalJson(content) ? current : undefined
}

const unknownRoom = (): MatrixError => notFound('This server does not know that room')

const because = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason })

const withoutReply = (decision: Exclude<Decision<RoomFact, never, Effect, Sent>, { refuse: MatrixError }>) => ({
  facts: decision.facts ?? [],
  effects: decision.effects ?? [],
  reply: undefined,
})

function currentMember(room: Room, turn: WorldTurn, userId: UserId): RoomEvent | undefined {
  return draftOf(room, turn).state('m.room.member', userId)
}

/**
 * A user of ours who is joined and may invite vouches for someone whom a restricted rule lets in.
 * spec: rooms/v8#authorisation-rules (join_authorised_via_users_server)
 */
function authorisedBy(draft: Draft, userId: UserId): { join_authorised_via_users_server?: Json } {
  const { room, rules, turn, state } = draft
  const before: Membership | undefined = membershipOf(room, userId)
  if (before === 'join' || before === 'invite') return {}
  const levels = powerLevelsOf(rules, state('m.room.create', ''), state('m.room.power_levels', ''))
  for (const [member, membership] of room.members) {
    const isOurs = serverNameOf(member) === turn.serverName
    if (membership === 'join' && isOurs && levels.user(member) >= levels.invite) return { join_authorised_via_users_server: member }
  }
  return {}
}
