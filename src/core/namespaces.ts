/**
 * The users, aliases and rooms that an application service claims.
 * spec: application-service-api#registration
 */
import {
  serverNameOf,
  type RoomAlias,
  type RoomId,
  type ServerName,
  type UserId,
} from '#schema/identifiers.ts'
import { deny, type Denial } from './verdict.ts'

type Namespace = Readonly<{ isExclusive: boolean; regex: RegExp }>

export type Namespaces = Readonly<{
  /** The service's own user, from `sender_localpart`; always its own alone. */
  senderUserId: UserId
  users: readonly Namespace[]
  aliases: readonly Namespace[]
  rooms: readonly Namespace[]
}>

/** `exclusive`: nobody else may create it. `shared`: the service only wants to hear of it. */
export type Claim = 'exclusive' | 'shared'

/**
 * Reads the `namespaces` of a registration file. An expression counts from the start of an id, as everywhere,
 * and need not reach its end unless it says so. A denial names the entry that is wrong.
 */
export function parseNamespaces(namespaces: unknown, senderUserId: UserId): Namespaces | Denial {
  const problems: Denial[] = []
  const given = isRecord(namespaces) ? namespaces : {}
  if (namespaces !== undefined && !isRecord(namespaces))
    problems.push(deny('namespaces', 'namespaces must be an object'))
  const parsed = {
    senderUserId,
    users: parseList(given.users, 'users', problems),
    aliases: parseList(given.aliases, 'aliases', problems),
    rooms: parseList(given.rooms, 'rooms', problems),
  }
  return problems[0] ?? parsed
}

function parseList(list: unknown, name: string, problems: Denial[]): Namespace[] {
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) {
    problems.push(deny(`namespaces.${name}`, `namespaces.${name} must be a list`))
    return []
  }
  return list.flatMap((entry: unknown, index) => {
    const parsed = parseEntry(entry, `namespaces.${name}[${index}]`)
    if ('regex' in parsed) return [parsed]
    problems.push(parsed)
    return []
  })
}

function parseEntry(entry: unknown, name: string): Namespace | Denial {
  if (!isRecord(entry)) return deny(name, `${name} must be an object`)
  const { regex, exclusive } = entry
  if (typeof exclusive !== 'boolean') return deny(name, `${name}.exclusive must be a boolean`)
  if (typeof regex !== 'string') return deny(name, `${name}.regex must be a string`)
  const compiled = compileRegex(regex)
  return compiled
    ? { isExclusive: exclusive, regex: compiled }
    : deny(name, `${name}.regex is no regular expression`)
}

/**
 * Registrations are written for Python, whose leading `(?i)` JavaScript has as a flag, and `\A`, `\Z` as `^`,
 * `$`.
 */
function compileRegex(regex: string): RegExp | undefined {
  const ignoreCase = regex.startsWith('(?i)')
  const source = (ignoreCase ? regex.slice('(?i)'.length) : regex).replace(/^\\A/, '^').replace(/\\Z$/, '$')
  try {
    return new RegExp(`^(?:${source})`, ignoreCase ? 'is' : 's')
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a list of namespaces says of an id; an exclusive claim outweighs a shared one. */
function claimOf(namespaces: readonly Namespace[], id: string): Claim | undefined {
  const matching = namespaces.filter(({ regex }) => regex.test(id))
  if (matching.length === 0) return undefined
  return matching.some(({ isExclusive }) => isExclusive) ? 'exclusive' : 'shared'
}

/** The claim on a user. Users of other servers cannot be claimed, whatever the expressions match. */
export function claimOnUser(
  namespaces: Namespaces,
  userId: UserId,
  ourServer: ServerName,
): Claim | undefined {
  if (serverNameOf(userId) !== ourServer) return undefined
  return userId === namespaces.senderUserId ? 'exclusive' : claimOf(namespaces.users, userId)
}

export const claimOnAlias = ({ aliases }: Namespaces, alias: RoomAlias): Claim | undefined =>
  claimOf(aliases, alias)
export const claimOnRoom = ({ rooms }: Namespaces, roomId: RoomId): Claim | undefined =>
  claimOf(rooms, roomId)

/** An event and its room, as far as the interest of an application service is concerned. */
export type InterestingEvent = Readonly<{
  roomId: RoomId
  sender: UserId
  /** The target of an `m.room.member` event. */
  target?: UserId | undefined
  /** Our aliases of the room. */
  aliases: readonly RoomAlias[]
  /** Our users who are joined. */
  members: Iterable<UserId>
}>

/** Is the event to be sent to the application service? spec: application-service-api#application-services */
export function isInterested(
  namespaces: Namespaces,
  event: InterestingEvent,
  ourServer: ServerName,
): boolean {
  const isOurs = (userId: UserId): boolean => claimOnUser(namespaces, userId, ourServer) !== undefined
  if (isOurs(event.sender) || (event.target !== undefined && isOurs(event.target))) return true
  if (claimOnRoom(namespaces, event.roomId) || event.aliases.some((alias) => claimOnAlias(namespaces, alias)))
    return true
  for (const member of event.members) if (isOurs(member)) return true
  return false
}
