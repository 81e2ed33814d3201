import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { ContentReported } from '#schema/journal/report.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Reports of one user that are kept; of more, the oldest go. */
export const REPORTS_PER_USER = 1_000

export type ReportRow = Readonly<{
  position: number
  reporter: UserId
  about: ContentReported['about']
  roomId: RoomId | null
  eventId: EventId | null
  userId: UserId | null
  reason: string | null
  score: number | null
  ts: number
}>

export const projectContentReported: Project<ContentReported> = ({ db, names }, fact, position) => {
  const { userId, about, roomId, eventId, targetId, reason, score, ts } = fact
  const reporter = names.numberOf(userId)
  db.query(`
    INSERT INTO reports (position, reporter, about, room, event_id, user, reason, score, ts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  `).run(
    position,
    reporter,
    about,
    roomId === null ? null : names.numberOf(roomId),
    eventId,
    targetId === null ? null : names.numberOf(targetId),
    reason,
    score,
    ts,
  )
  db.query(`
    DELETE FROM reports WHERE reporter = ?1 AND position <= (
      SELECT position FROM reports WHERE reporter = ?1 ORDER BY position DESC LIMIT 1 OFFSET ${REPORTS_PER_USER})
  `).run(reporter)
}

/** Reports, the newest first, before the one of `before` if there is one. */
export function listReports({ db }: Store, { before, limit }: { before?: number; limit: number }): ReportRow[] {
  return db
    .query<ReportRow, [number, number]>(`
      SELECT r.position, reporter.name AS reporter, r.about, room.name AS roomId, r.event_id AS eventId,
             target.name AS userId, r.reason, r.score, r.ts
        FROM reports r JOIN names reporter ON reporter.num = r.reporter
        LEFT JOIN names room ON room.num = r.room LEFT JOIN names target ON target.num = r.user
       WHERE r.position < ? ORDER BY r.position DESC LIMIT ?
    `)
    .all(before ?? Number.MAX_SAFE_INTEGER, limit)
}
