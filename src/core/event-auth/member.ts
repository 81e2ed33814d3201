import { joinRuleOf, ownValue } from '#core/event-content.ts'
import { referencedIds } from '#schema/pdu.ts'
import { roomCreators } from '#core/power-levels.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { type Verdict, allow, deny } from '#core/verdict.ts'
import { isUserId } from '#schema/identifiers.ts'
import { type AuthContext, currentMembership } from './context.ts'
import { checkInvitationByThirdParty } from './third-party-invite.ts'

/**
 * The rule for `m.room.member`: number 5 in versions 1 to 5 and 12, number 4 in between. The numbers below
 * are those of version 12; before version 8 there is no second point, and the later points stand one lower.
 *
 * That the event carries a valid signature of the authorising user's server (point 2.1) is found where
 * signatures are verified, since keys have to be fetched for it.
 * spec: rooms/v12#authorisation-rules
 */
export function checkMember(context: AuthContext): Verdict {
  const { rules, pdu } = context
  // 1. There is no state key or no membership: reject.
  const target = pdu.state_key
  const membership = ownValue(pdu.content, 'membership')
  if (target === undefined || membership === undefined)
    return deny('auth.member.1', 'A membership needs a state key and content.membership')

  // 2. Another user's server authorised it. 2.1 That server has not signed: reject. No server can sign for a
  // name that is no user's.
  const authoriser = ownValue(pdu.content, 'join_authorised_via_users_server')
  if (rules.restrictedJoin && authoriser !== undefined && !isUserId(authoriser))
    return deny('auth.member.2.1', 'join_authorised_via_users_server has to be a user id')

  // 3. to 8. by membership.
  switch (membership) {
    case 'join':
      return checkJoin(context, target)
    case 'invite':
      return checkInvite(context, target)
    case 'leave':
      return checkLeave(context, target)
    case 'ban':
      return checkBan(context, target)
    default:
      if (membership === 'knock' && rules.knock) return checkKnock(context, target)
      return deny('auth.member.8', `${JSON.stringify(membership)} is not a membership of this room version`)
  }
}

function checkJoin(context: AuthContext, target: string): Verdict {
  const { rules, pdu, state, create } = context
  // 3.1 The create event is the only previous event and the creator joins: allow.
  const [previous, ...others] = referencedIds(pdu.prev_events)
  const isFirst = previous === create.eventId && others.length === 0
  if (isFirst && isFirstCreator(rules, context, target)) return allow

  // 3.2 Somebody else than the sender joins: reject.
  if (pdu.sender !== target) return deny('auth.member.3.2', 'Nobody can join for another user')

  // 3.3 The sender is banned: reject.
  const membership = currentMembership(state, target)
  if (membership === 'ban') return deny('auth.member.3.3', `${target} is banned from this room`)

  const isExpected = membership === 'join' || membership === 'invite'
  const rule = joinRuleOf(state('m.room.join_rules', ''))
  switch (rule) {
    // 3.4 The rule is `invite`, or `knock` where that exists, and the user is invited or joined: allow.
    case 'invite':
    case 'knock':
      if (rule === 'knock' && !rules.knock) break
      return isExpected ? allow : deny('auth.member.3.7', `${target} is not invited to this room`)
    // 3.5 The rule is `restricted`, or `knock_restricted` where that exists.
    case 'restricted':
    case 'knock_restricted':
      if (!knowsRestriction(rules, rule)) break
      return isExpected ? allow : checkAuthorisedJoin(context)
    // 3.6 The rule is `public`: allow.
    case 'public':
      return allow
  }
  // 3.7 Otherwise, reject.
  return deny('auth.member.3.7', `The join rule ${JSON.stringify(rule)} lets nobody in`)
}

/** The creator that the first join is kept for: one user, even where there are additional creators. */
const isFirstCreator = (rules: RoomVersionRules, { create }: AuthContext, target: string): boolean =>
  roomCreators(rules, create)[0] === target

const knowsRestriction = (rules: RoomVersionRules, rule: 'restricted' | 'knock_restricted'): boolean =>
  rule === 'restricted' ? rules.restrictedJoin : rules.knockRestricted

function checkAuthorisedJoin({ pdu, state, levels }: AuthContext): Verdict {
  // 3.5.2 The authorising user may not invite, or is not joined: reject.
  const authoriser = ownValue(pdu.content, 'join_authorised_via_users_server')
  if (typeof authoriser !== 'string')
    return deny('auth.member.3.5.2', 'No member of the room vouches for this join')
  if (currentMembership(state, authoriser) !== 'join')
    return deny('auth.member.3.5.2', `${authoriser} vouches for this join but is not joined`)
  if (levels.user(authoriser) < levels.invite)
    return deny('auth.member.3.5.2', `${authoriser} vouches for this join but may not invite`)
  // 3.5.3 Otherwise, allow.
  return allow
}

function checkInvite(context: AuthContext, target: string): Verdict {
  const { pdu, state, levels } = context
  // 4.1 It came about by a third-party invitation.
  if (ownValue(pdu.content, 'third_party_invite') !== undefined) return checkInvitationByThirdParty(
    context,
    target,
  )

  // 4.2 The sender is not joined: reject.
  if (currentMembership(state, pdu.sender) !== 'join')
    return deny('auth.member.4.2', `${pdu.sender} is not in this room`)

  // 4.3 The target is joined or banned: reject.
  const membership = currentMembership(state, target)
  if (membership === 'join') return deny('auth.member.4.3', `${target} is already in this room`)
  if (membership === 'ban') return deny('auth.member.4.3', `${target} is banned from this room`)

  // 4.4 The sender has the invite level: allow. 4.5 Otherwise, reject.
  if (levels.user(pdu.sender) >= levels.invite) return allow
  return deny('auth.member.4.5', `${pdu.sender} may not invite`)
}

function checkLeave({ rules, pdu, state, levels }: AuthContext, target: string): Verdict {
  const { sender } = pdu
  // 5.1 By oneself: allow if and only if the user is invited, joined or (where that exists) knocking.
  const membership = currentMembership(state, target)
  if (sender === target) {
    const isPresent = membership === 'invite' || membership === 'join'
    const mayLeave = isPresent || (membership === 'knock' && rules.knock)
    return mayLeave ? allow : deny('auth.member.5.1', `${sender} is not in this room`)
  }

  // 5.2 The sender is not joined: reject.
  if (currentMembership(state, sender) !== 'join') return deny(
    'auth.member.5.2',
    `${sender} is not in this room`,
  )

  // 5.3 The target is banned and the sender lacks the ban level: reject.
  const level = levels.user(sender)
  if (membership === 'ban' && level < levels.ban) return deny(
    'auth.member.5.3',
    `${sender} may not lift bans`,
  )

  // 5.4 The sender has the kick level and stands above the target: allow. 5.5 Otherwise, reject.
  if (level >= levels.kick && levels.user(target) < level) return allow
  return deny('auth.member.5.5', `${sender} may not remove ${target}`)
}

function checkBan({ pdu, state, levels }: AuthContext, target: string): Verdict {
  const { sender } = pdu
  // 6.1 The sender is not joined: reject.
  if (currentMembership(state, sender) !== 'join') return deny(
    'auth.member.6.1',
    `${sender} is not in this room`,
  )

  // 6.2 The sender has the ban level and stands above the target: allow. 6.3 Otherwise, reject.
  const level = levels.user(sender)
  if (level >= levels.ban && levels.user(target) < level) return allow
  return deny('auth.member.6.3', `${sender} may not ban ${target}`)
}

function checkKnock({ rules, pdu, state }: AuthContext, target: string): Verdict {
  // 7.1 The rule is neither `knock` nor, where that exists, `knock_restricted`: reject.
  const rule = joinRuleOf(state('m.room.join_rules', ''))
  if (rule !== 'knock' && !(rule === 'knock_restricted' && rules.knockRestricted))
    return deny('auth.member.7.1', 'This room takes no knocks')

  // 7.2 Somebody else than the sender knocks: reject.
  if (pdu.sender !== target) return deny('auth.member.7.2', 'Nobody can knock for another user')

  // 7.3 The sender is neither banned, invited nor joined: allow. 7.4 Otherwise, reject.
  const membership = currentMembership(state, target)
  if (membership !== 'ban' && membership !== 'invite' && membership !== 'join') return allow
  return deny('auth.member.7.4', `${target} cannot knock: membership is ${membership}`)
}
