import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'

/** Users whose member event in a room changed after `since`, up to and including `until`. */
export const listMemberChanges = ({ db, names }: Store, roomId: RoomId, since: number, until: number): UserId[] =>
  db
    .query<{ state_key: number }, [number, number, number, number]>(
      'SELECT DISTINCT state_key FROM state_changes WHERE room = +? AND position > +? AND position <= +? AND type = +?')
    .all(names.find(roomId) ?? -1, since, until, names.find('m.room.member') ?? -1)
    .map(({ state_key }) => names.textOf(state_key) as UserId)
