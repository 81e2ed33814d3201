import { allow, deny, type Verdict } from './verdict.ts'

export type Visibility = 'world_readable' | 'shared' | 'invited' | 'joined'
export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban'

/**
 * The value of `m.room.history_visibility`; absent or unknown is `shared`.
 * spec: client-server-api#room-history-visibility
 */
export const visibilityOf = (value: unknown): Visibility =>
  value === 'world_readable' || value === 'invited' || value === 'joined' ? value : 'shared'

/**
 * What has to be known to say whether somebody may read an event; small, so that the store can feed it.
 * "Before" and "after" are the room's state on the two sides of the event. They differ only when the event
 * itself is the room's `m.room.history_visibility` or the reader's own `m.room.member`; for all others give
 * the same twice.
 */
export type ReadingQuestion = Readonly<{
  /** Raw value of `history_visibility`; undefined when the room has none. */
  visibilityBefore?: string | undefined
  visibilityAfter?: string | undefined
  /** The reader's membership; undefined when there never was one. */
  membershipBefore?: Membership | undefined
  membershipAfter?: Membership | undefined
  /** Whether the reader joined the room at any later point, even if they have left again. */
  joinedSince: boolean
  /** The event is the reader's own `m.room.member`. */
  isOwnMembership?: boolean
  /** The reader has forgotten the room and not come back. */
  hasForgotten?: boolean
  /** The sender's account was deactivated with `erase`. */
  isSenderErased?: boolean
}>

/**
 * May the reader see this event? Rules are named `visibility.1` to `visibility.5` after the steps of the
 * spec.
 * spec: client-server-api#room-history-visibility
 */
export function mayReadEvent(question: ReadingQuestion): Verdict {
  if (question.hasForgotten) return deny('visibility.forgotten', 'You have forgotten this room')
  if (endsOwnMembership(question)) return allow

  // "before or after would allow them": the more permissive of the two, for visibility and for membership.
  const visibilities = [visibilityOf(question.visibilityBefore), visibilityOf(question.visibilityAfter)]
  const memberships = [question.membershipBefore, question.membershipAfter]

  // 1. If the history_visibility was set to world_readable, allow.
  if (visibilities.includes('world_readable')) return allow
  // 2. If the user's membership was join, allow.
  if (memberships.includes('join')) return allow
  // 3. If history_visibility was set to shared, and the user joined at any point after the event was sent,
  // allow.
  if (visibilities.includes('shared') && question.joinedSince) return allow
  // 4. If the user's membership was invite, and the history_visibility was set to invited, allow.
  if (visibilities.includes('invited') && memberships.includes('invite')) return allow
  // 5. Otherwise, deny.
  return deny('visibility.5', 'You were not in the room when this was sent')
}

/**
 * The end of one's own invite, knock or membership is shown whatever the room's visibility: without it nobody
 * could tell why the room is gone.
 */
const endsOwnMembership = ({
  isOwnMembership,
  membershipBefore,
  membershipAfter,
}: ReadingQuestion): boolean =>
  isOwnMembership === true &&
  (membershipAfter === 'leave' || membershipAfter === 'ban') &&
  (membershipBefore === 'invite' || membershipBefore === 'knock' || membershipBefore === 'join')

/**
 * How much of the event the reader is shown. What an erased account said is shown whole only to those who
 * were in the room when it was said, and redacted to everyone else. spec:
 * client-server-api#post_matrixclientv3accountdeactivate
 */
export function sightOfEvent(question: ReadingQuestion): 'whole' | 'redacted' | 'hidden' {
  if (!mayReadEvent(question).ok) return 'hidden'
  const wasThere = question.membershipBefore === 'join' || question.membershipAfter === 'join'
  return question.isSenderErased && !wasThere ? 'redacted' : 'whole'
}

/**
 * May another server be handed this event whole? Asked for all its users at once: the best membership any of
 * them had at the event. An event that fails is sent redacted, so that the graph stays whole (G-52).
 * spec: server-server-api#backfilling-and-retrieving-missing-events
 */
export function mayServerReadEvent(
  question: Readonly<{
    visibilityBefore?: string | undefined
    visibilityAfter?: string | undefined
    hasJoinedUser: boolean
    hasInvitedUser: boolean
    isSenderErased?: boolean
  }>,
): Verdict {
  const visibilities = [visibilityOf(question.visibilityBefore), visibilityOf(question.visibilityAfter)]
  if (question.isSenderErased && !question.hasJoinedUser)
    return deny('visibility.erased', 'The sender has been erased')
  if (question.hasJoinedUser) return allow
  if (visibilities.includes('world_readable') || visibilities.includes('shared')) return allow
  if (visibilities.includes('invited') && question.hasInvitedUser) return allow
  return deny('visibility.5', 'None of your users was in the room when this was sent')
}
