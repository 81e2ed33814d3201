import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'

const MEMBERSHIP_BEFORE = `
  SELECT e.json ->> '$.content.membership' FROM state_changes b LEFT JOIN events e ON e.num = b.event
   WHERE b.room = m.room AND b.type = ?2 AND b.state_key = m.user AND b.position <= ?3 ORDER BY b.position DESC LIMIT 1`

/** Users who are in a room, and came into it after `since`, up to and including `until`. */
export const listArrivals = ({ db, names }: Store, roomId: RoomId, since: number, until: number): UserId[] =>
  db
    .query<{ name: UserId }, [number, number, number, number]>(`
      SELECT n.name FROM (
        SELECT DISTINCT state_key FROM state_changes WHERE room = ?1 AND type = ?2 AND position > ?3 AND position <= ?4) c
        JOIN memberships m ON m.user = c.state_key AND m.room = ?1 AND m.membership = 'join'
        JOIN names n ON n.num = m.user
       WHERE coalesce((${MEMBERSHIP_BEFORE}), 'leave') <> 'join'`)
    .all(names.find(roomId) ?? -1, names.find('m.room.member') ?? -1, since, until)
    .map(({ name }) => name)
