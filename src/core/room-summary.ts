import type { RoomAlias, UserId } from '#schema/identifiers.ts'
import type { Membership } from './history-visibility.ts'

/** A member of a room; `position` is that of their membership in the order of events. */
export type SummaryMember = Readonly<{ userId: UserId; membership: Membership; position: number }>

/** How many heroes a room has at most. */
export const HEROES_LIMIT = 5

/**
 * The users by whom a nameless room is called: the first five who are joined or invited, in the order of
 * events, or, if there are none, of those who left or were banned. Never the reader. spec:
 * client-server-api#get_matrixclientv3sync
 */
export function heroesOf(members: readonly SummaryMember[], reader: UserId): UserId[] {
  const others = members
    .filter(({ userId }) => userId !== reader)
    .toSorted((one, other) => one.position - other.position)
  const present = others.filter(({ membership }) => membership === 'join' || membership === 'invite')
  const past = others.filter(({ membership }) => membership === 'leave' || membership === 'ban')
  return (present.length > 0 ? present : past).slice(0, HEROES_LIMIT).map(({ userId }) => userId)
}

/** `m.joined_member_count` and `m.invited_member_count`, the reader included. */
export const countMembers = (members: readonly SummaryMember[]): { joined: number; invited: number } => ({
  joined: members.filter(({ membership }) => membership === 'join').length,
  invited: members.filter(({ membership }) => membership === 'invite').length,
})

export type NamedHero = Readonly<{ userId: UserId; displayName?: string | undefined }>

export type RoomNaming = Readonly<{
  /** `m.room.name`. */
  name?: string | undefined
  /** `alias` of `m.room.canonical_alias`. */
  canonicalAlias?: RoomAlias | undefined
  heroes: readonly NamedHero[]
  joinedCount: number
  invitedCount: number
}>

/**
 * What a room is called for one of its members, in English: for push notifications and mails.
 * spec: client-server-api#calculating-the-display-name-for-a-room
 */
export function roomDisplayName({
  name,
  canonicalAlias,
  heroes,
  joinedCount,
  invitedCount,
}: RoomNaming): string {
  // 1. If the room has an m.room.name state event with a non-empty name, use it.
  if (name) return name
  // 2. If the room has an m.room.canonical_alias state event with a valid alias, use it.
  if (canonicalAlias) return canonicalAlias
  // 3. Otherwise a name should be composed based on the members of the room.
  const others = joinedCount + invitedCount - 1
  if (others <= 0)
    return heroes.length === 0 ? 'Empty Room' : `Empty Room (was ${namesOf(heroes, heroes.length)})`
  return heroes.length === 0 ? 'Empty Room' : namesOf(heroes, others)
}

/** "Alice", "Alice and Bob", "Alice, Bob and Charlie", "Alice, Bob and 12 others". */
function namesOf(heroes: readonly NamedHero[], others: number): string {
  const names = heroes.map((hero) => disambiguated(hero, heroes))
  const unnamed = others - names.length
  const parts = unnamed > 0 ? [...names, unnamed === 1 ? '1 other' : `${unnamed} others`] : names
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/** spec: client-server-api#calculating-the-display-name-for-a-user */
function disambiguated({ userId, displayName }: NamedHero, heroes: readonly NamedHero[]): string {
  if (!displayName) return userId
  const isUnique = heroes.every((other) => other.userId === userId || other.displayName !== displayName)
  return isUnique ? displayName : `${displayName} (${userId})`
}
