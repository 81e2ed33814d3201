import type { ReceiptPosted } from '#schema/journal/room.ts'
import { eventKeyOf } from './events.ts'
import type { Project } from './projectors.ts'

/** SQLite will not have NULL in a primary key, so the unthreaded receipt is filed under ''. */
export const UNTHREADED = ''

/** Table `receipts`: the furthest receipt of each user, per room, type and thread. A receipt never moves back (G-90). */
export const projectReceiptPosted: Project<ReceiptPosted> = ({ db, names }, fact, position) => {
  db.query(`
    INSERT INTO receipts (room, user, type, thread, event, ts, position)
    SELECT ?1, ?2, ?3, ?4, num, ?6, ?7 FROM events WHERE event_id = ?5
    ON CONFLICT (room, user, type, thread) DO UPDATE SET event = excluded.event, ts = excluded.ts, position = excluded.position
     WHERE excluded.event > event
  `).run(
    names.numberOf(fact.roomId),
    names.numberOf(fact.userId),
    fact.receiptType,
    fact.threadId ?? UNTHREADED,
    eventKeyOf(fact.eventId),
    fact.ts,
    position,
  )
}
