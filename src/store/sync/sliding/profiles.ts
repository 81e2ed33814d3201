import type { SlidingRequest } from '#core/sync/sliding-request.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { listDeviceListChanges } from '#store/device-lists.ts'
import { findProfile, listProfileChanges } from '#store/profiles.ts'
import type { Interest } from './interest.ts'
import { inScope } from './extensions.ts'
import type { SlidingReading } from './reading.ts'

/** Profiles that one answer brings whole; a client asks for those of others by itself. */
export const PROFILES_PER_ANSWER = 1_000

type Asked = Readonly<{
  request: SlidingRequest
  interest: Interest
  moved: readonly RoomId[]
  /** Someone in sight may have changed their profile. */
  mayHaveChanged: boolean
  /** The reader may be in other rooms than before. */
  hasMoved: boolean
}>
type Update = { updated?: Record<string, unknown>; removed?: string[] }

/** Whole profiles of people who come into sight, and then what they change. Undefined: nothing to tell. spec: MSC4262 */
export function readProfiles(reading: SlidingReading, asked: Asked): string | undefined {
  const { connection, move } = reading
  const wanted = asked.request.extensions.profiles
  if (!wanted) {
    if (connection.profiles) move.profiles = 'off'
    return undefined
  }
  const fields = JSON.stringify(wanted.fields?.toSorted() ?? null)
  const known = connection.profiles?.fields === fields ? connection.profiles.users : undefined
  const isWanted = (field: string): boolean => wanted.fields?.includes(field) ?? true
  const fresh = [...peopleInSight(reading, asked, known === undefined)].filter((userId) => !known?.has(userId)).slice(0, PROFILES_PER_ANSWER)
  const users = new Map<string, Update | null>()
  for (const userId of fresh) {
    const updated = Object.fromEntries([...findProfile(reading.store, userId)].filter(([field]) => isWanted(field)))
    if (Object.keys(updated).length > 0) users.set(userId, { updated })
  }
  const gone = known ? [...readGone(reading, asked)].filter((userId) => known.has(userId)) : []
  for (const userId of gone) users.set(userId, null)
  if (!reading.isFirst && asked.mayHaveChanged) addChanges(users, reading, { isWanted, fresh: new Set(fresh) })
  if (fresh.length > 0 || gone.length > 0 || !known) move.profiles = { fields, users: new Set(fresh), gone }
  return users.size === 0 ? undefined : JSON.stringify({ users: Object.fromEntries(users) })
}

/** The reader, and of the rooms in scope those of whom this answer tells: all of a room that is new and told with all its members. */
function peopleInSight(reading: SlidingReading, { request, interest }: Asked, isFirst: boolean): Set<UserId> {
  const { store, userId, connection, move } = reading
  const scope = request.extensions.profiles
  const people = new Set<UserId>([userId])
  const rooms = new Set<string>()
  for (const wanted of scope ? interest.wanted.values() : []) {
    const { listed: { room: { roomId, num }, membership }, config: { wish } } = wanted
    if (membership || !scope || !inScope(scope, request, wanted)) continue
    rooms.add(roomId)
    if (wish.members === 'all' && (isFirst || !connection.rooms.has(roomId))) for (const member of localMembers(store, num)) people.add(member)
  }
  for (const key of [...move.members.keys(), ...(isFirst ? connection.members.keys() : [])]) {
    const [roomId = '', member] = key.split(' ')
    if (rooms.has(roomId)) people.add(member as UserId)
  }
  return people
}

const LOCAL_MEMBERS = `
  SELECT n.name FROM memberships m JOIN users u ON u.user = m.user JOIN names n ON n.num = m.user
   WHERE m.room = ? AND m.membership = 'join' LIMIT ${PROFILES_PER_ANSWER}`

const localMembers = ({ db }: SlidingReading['store'], room: number): UserId[] =>
  db.query<{ name: UserId }, [number]>(LOCAL_MEMBERS).all(room).map(({ name }) => name)

/** With whom the reader shares no room any more. */
function readGone({ store, userId, since, until, mayHaveMoved }: SlidingReading, { moved, hasMoved }: Asked): readonly UserId[] {
  const rooms = moved.filter((roomId) => mayHaveMoved(roomId, 'membership', since))
  if (rooms.length === 0 && !hasMoved) return []
  return listDeviceListChanges(store, { userId, since, until, rooms }).left
}

type Added = Readonly<{ isWanted: (field: string) => boolean; fresh: ReadonlySet<string> }>

function addChanges(users: Map<string, Update | null>, { store, userId, since, until }: SlidingReading, { isWanted, fresh }: Added): void {
  for (const change of listProfileChanges(store, { userId, since, until })) {
    if (!isWanted(change.field) || fresh.has(change.userId)) continue
    const update: Update = users.get(change.userId) ?? {}
    users.set(change.userId, update)
    if (change.value === null) (update.removed ??= []).push(change.field)
    else (update.updated ??= {})[change.field] = JSON.parse(change.value) as unknown
  }
}
