import type { RoomId } from '#schema/identifiers.ts'
import { listStateOfType } from '#store/room-state.ts'
import { findStateContent } from '#store/state-content.ts'
import type { Store } from '#store/store.ts'

/** Rooms that one process keeps facts of. */
const KNOWN_ROOMS = 100_000
/** Events at the end of a room among which the last one that counts as activity is looked for. */
const ACTIVITY_WITHIN = 1_000

type Facts = Readonly<{ asOf: number; isEncrypted: boolean; roomType: string | null; name: string }>

/** What sliding sync asks about a room, whoever the reader is; facts are looked up when they are first asked for. */
export type KnownRoom = { readonly roomId: RoomId; readonly num: number; facts: Facts | undefined; activity: { asOf: number; position: number } | undefined }

export type KnownRooms = Map<RoomId, KnownRoom>
export const knownRooms = (): KnownRooms => new Map()

export function roomOf(rooms: KnownRooms, { names }: Store, roomId: RoomId): KnownRoom {
  const known = rooms.get(roomId)
  if (known) return known
  const room: KnownRoom = { roomId, num: names.find(roomId) ?? -1, facts: undefined, activity: undefined }
  if (rooms.size >= KNOWN_ROOMS) rooms.clear()
  rooms.set(roomId, room)
  return room
}

/** `place`: the position of the room's last event; facts from before it are looked up anew. */
export function factsOf(store: Store, room: KnownRoom, place: number): Facts {
  if (room.facts && room.facts.asOf >= place) return room.facts
  const contentOf = (type: string): Record<string, unknown> | undefined => {
    const text = findStateContent(store, room.roomId, [type, ''], Infinity)
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>)
  }
  const roomType = contentOf('m.room.create')?.type
  const name = contentOf('m.room.name')?.name
  room.facts = {
    asOf: place,
    isEncrypted: contentOf('m.room.encryption') !== undefined,
    roomType: typeof roomType === 'string' ? roomType : null,
    name: typeof name === 'string' ? name : '',
  }
  return room.facts
}

/** Types by which a room comes to the top of the list in clients. spec: MSC4186 (`bump_stamp`) */
const ACTIVITY = [
  'm.room.create',
  'm.room.message',
  'm.room.encrypted',
  'm.sticker',
  'm.call.invite',
  'm.poll.start',
  'org.matrix.msc3381.poll.start',
  'm.beacon_info',
  'org.matrix.msc3672.beacon_info',
] as const

const LAST_ACTIVITY = `
  SELECT position FROM (
    SELECT position, type FROM events WHERE room = ?1 AND position > ?2 AND position <= ?3 ORDER BY position DESC LIMIT ${ACTIVITY_WITHIN}
  ) WHERE type IN (SELECT value FROM json_each(?4)) ORDER BY position DESC LIMIT 1`

/** Position of the last event that counts as activity. */
export function activityOf({ db, names }: Store, room: KnownRoom, place: number, until: number): number {
  const { activity } = room
  if (activity && activity.asOf >= place) return activity.position
  const types = JSON.stringify(ACTIVITY.flatMap((type) => names.find(type) ?? []))
  const found = db
    .query<{ position: number }, [number, number, number, string]>(LAST_ACTIVITY)
    .get(room.num, activity?.asOf ?? 0, until, types)?.position
  const position = found ?? activity?.position ?? firstEventOf(db, room)
  room.activity = { asOf: until, position }
  return position
}

const firstEventOf = (db: Store['db'], { num }: KnownRoom): number =>
  db.query<{ create_event: number }, [number]>('SELECT create_event FROM rooms WHERE room = ?').get(num)?.create_event ?? 0

/** The rooms that a space names as its own. spec: client-server-api#mspacechild */
export function childrenOf(store: Store, space: RoomId): ReadonlySet<string> {
  const children = listStateOfType(store, space, 'm.space.child').filter(({ pdu }) => Array.isArray(pdu.content.via) && pdu.content.via.length > 0)
  return new Set(children.map(({ pdu }) => pdu.state_key ?? ''))
}
