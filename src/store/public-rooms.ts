import type { RoomId } from '#schema/identifiers.ts'
import type { RoomPublished } from '#schema/journal/room.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export const projectRoomPublished: Project<RoomPublished> = ({ db, names }, { roomId, isPublished }) => {
  db.query('UPDATE rooms SET is_published = ? WHERE room = ?').run(Number(isPublished), names.numberOf(roomId))
}

/** A room as the public directory shows it; what the room has not set is null. */
export type PublicRoom = Readonly<{
  roomId: RoomId
  name: string | null
  topic: string | null
  canonicalAlias: string | null
  avatarUrl: string | null
  joinRule: string
  roomType: string | null
  joined: number
  isWorldReadable: boolean
  guestsCanJoin: boolean
}>

/** Whether a room that this server knows is in its directory; undefined when it knows no such room. */
export function findPublished({ db, names }: Store, roomId: RoomId): boolean | undefined {
  const room = names.find(roomId)
  if (room === undefined) return undefined
  const row = db.query<{ is_published: number }, [number]>('SELECT is_published FROM rooms WHERE room = ?').get(room)
  return row ? row.is_published === 1 : undefined
}

/** A place in the directory: after the room with so many members and that number. */
export type DirectoryPlace = Readonly<{ joined: number; room: number }>

/** Every published room with anybody in it, the fullest first: that is the order of the directory. */
export const listPublished = ({ db }: Store): DirectoryPlace[] =>
  db
    .query<DirectoryPlace, []>('SELECT joined, room FROM rooms WHERE is_published = 1 AND joined > 0 ORDER BY joined DESC, room')
    .all()

/** Each place of the state that the directory shows, under the name of its column. */
const SHOWN = {
  name: ['m.room.name', 'name'],
  topic: ['m.room.topic', 'topic'],
  canonicalAlias: ['m.room.canonical_alias', 'alias'],
  avatarUrl: ['m.room.avatar', 'url'],
  joinRule: ['m.room.join_rules', 'join_rule'],
  roomType: ['m.room.create', 'type'],
  visibility: ['m.room.history_visibility', 'history_visibility'],
  guestAccess: ['m.room.guest_access', 'guest_access'],
} as const

type Shown = { [K in keyof typeof SHOWN]: string | null }

/** A text that is not one in the event counts as not set. */
const SHOWN_ROOM = `SELECT ${Object.entries(SHOWN).map(([column, [, key]], index) => `
  (SELECT CASE json_type(e.json, '$.content.${key}') WHEN 'text' THEN e.json ->> '$.content.${key}' END
     FROM room_state s JOIN events e ON e.num = s.event
    WHERE s.room = ?1 AND s.type = ?${index + 3} AND s.state_key = ?2) AS ${column}`).join(',')}`

/** What the directory shows of a room; undefined for one that nobody can look into or ask to be let in. */
export function readPublicRoom({ db, names }: Store, { room, joined }: DirectoryPlace): PublicRoom | undefined {
  const types = Object.values(SHOWN).map(([type]) => names.find(type) ?? -1)
  const shown = db.query<Shown, number[]>(SHOWN_ROOM).get(room, names.find('') ?? -1, ...types)
  if (!shown) return undefined
  const { visibility, guestAccess, ...rest } = shown
  const joinRule = shown.joinRule ?? 'invite'
  const isWorldReadable = visibility === 'world_readable'
  const isOpen = joinRule === 'public' || joinRule === 'knock' || joinRule === 'knock_restricted'
  if (!isOpen && !isWorldReadable) return undefined
  return {
    roomId: names.textOf(room) as RoomId,
    ...rest,
    joinRule,
    joined,
    isWorldReadable,
    guestsCanJoin: guestAccess === 'can_join',
  }
}
