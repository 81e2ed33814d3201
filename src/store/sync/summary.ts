import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'

/** spec: client-server-api#get_matrixclientv3sync_response-200_roomsummary */
const HEROES = 5

/** Members of one kind that are put in the order of events; of more than that the first whom the server knew stand for all. */
const ORDERED_MEMBERS = 200

const HERO = `
  SELECT n.name, m.position
    FROM (SELECT user, position FROM memberships WHERE room = ?1 AND membership = ?2 ORDER BY user LIMIT ${ORDERED_MEMBERS}) m
    JOIN names n ON n.num = m.user
   WHERE m.user <> ?3 ORDER BY m.position LIMIT ${HEROES}`

type Hero = { name: UserId; position: number }

/** The first five people other than the reader, in the order of events: the joined and invited, or else those who have left. */
export function listHeroes({ db, names }: Store, roomId: RoomId, reader: UserId): UserId[] {
  const [room, user] = [names.find(roomId) ?? -1, names.find(reader) ?? -1]
  const query = db.query<Hero, [number, string, number]>(HERO)
  const having = (...memberships: string[]): UserId[] =>
    memberships
      .flatMap((membership) => query.all(room, membership, user))
      .toSorted((one, other) => one.position - other.position)
      .slice(0, HEROES)
      .map(({ name }) => name)
  const present = having('join', 'invite')
  return present.length > 0 ? present : having('leave', 'ban')
}

/** Counts always, heroes where the room has no name to be shown by. JSON text. */
export function readSummary(store: Store, roomId: RoomId, reader: UserId): { text: string; heroes: readonly UserId[] } {
  const row = store.db
    .query<{ joined: number; invited: number }, [number]>('SELECT joined, invited FROM rooms WHERE room = ?')
    .get(store.names.find(roomId) ?? -1)
  const counts = { 'm.joined_member_count': row?.joined ?? 0, 'm.invited_member_count': row?.invited ?? 0 }
  if (isNamed(store, roomId)) return { text: JSON.stringify(counts), heroes: [] }
  const heroes = listHeroes(store, roomId, reader)
  return { text: JSON.stringify({ 'm.heroes': heroes, ...counts }), heroes }
}

const NAME = `
  SELECT 1 FROM room_state s JOIN events e ON e.num = s.event
   WHERE s.room = ?1 AND s.type = ?2 AND s.state_key = ?3 AND e.json ->> ?4 <> ''`

function isNamed({ db, names }: Store, roomId: RoomId): boolean {
  const has = (type: string, path: string): boolean =>
    db.query(NAME).get(names.find(roomId) ?? -1, names.find(type) ?? -1, names.find('') ?? -1, path) !== null
  return has('m.room.name', '$.content.name') || has('m.room.canonical_alias', '$.content.alias')
}
