import type { RoomAlias, RoomId, UserId } from '#schema/identifiers.ts'
import type { RoomAliasDeleted, RoomAliasSet } from '#schema/journal/alias.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export const projectRoomAliasSet: Project<RoomAliasSet> = ({ db, names }, { alias, roomId, creator }) => {
  db.query('INSERT OR REPLACE INTO aliases (alias, room, creator) VALUES (?, ?, ?)')
    .run(names.numberOf(alias), names.numberOf(roomId), names.numberOf(creator))
}

export const projectRoomAliasDeleted: Project<RoomAliasDeleted> = ({ db, names }, { alias }) => {
  db.query('DELETE FROM aliases WHERE alias = ?').run(names.numberOf(alias))
}

/** Which room a local alias names, and who made it. */
export function findAlias({ db, names }: Store, alias: RoomAlias): { roomId: RoomId; creator: UserId } | undefined {
  const num = names.find(alias)
  if (num === undefined) return undefined
  const row = db
    .query<{ room: number; creator: number }, [number]>('SELECT room, creator FROM aliases WHERE alias = ?')
    .get(num)
  return row ? { roomId: names.textOf(row.room) as RoomId, creator: names.textOf(row.creator) as UserId } : undefined
}

/** The local aliases of a room, in alphabetical order. */
export function listAliasesOf({ db, names }: Store, roomId: RoomId): RoomAlias[] {
  const room = names.find(roomId)
  if (room === undefined) return []
  return db
    .query<{ name: RoomAlias }, [number]>(
      'SELECT n.name FROM aliases JOIN names n ON n.num = alias WHERE room = ? ORDER BY n.name',
    )
    .all(room)
    .map(({ name }) => name)
}
