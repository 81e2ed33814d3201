import type { EventAppended, ReceiptPosted } from '#schema/journal/room.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { MAIN_THREAD, threadNumber } from './event-threads.ts'
import { eventKeyOf, type EventKey } from './events.ts'
import type { Project } from './projectors.ts'
import { classKeyOf, type RoomAudience, seatReader, unseatReader } from './push-audience.ts'
import type { Store } from './store.ts'

/** Classes that someone may have left since they read; what was counted in older ones is taken for read. */
export const SEGMENTS_LIMIT = 100

type Reader = Readonly<{ room: number; user: number }>
export type ReaderRow = Reader & Readonly<{ class: number; since: number; read: number }>

const findReader = ({ db }: Store, { room, user }: Reader): ReaderRow | null =>
  db
    .query<ReaderRow, [number, number]>('SELECT room, user, class, since, read FROM unread_readers WHERE room = ? AND user = ?')
    .get(room, user)

/** The readers of a room, and what is remembered about it, follow its state. */
export const projectAudience: Project<EventAppended> = (store, fact, position) => {
  const { type, state_key: stateKey } = fact.pdu
  if (stateKey === undefined) return
  const here = store.audiences.rooms.get(store.names.numberOf(fact.roomId))
  if (here && (type === 'm.room.power_levels' || type === 'm.room.create')) here.power = undefined
  if (type === 'm.room.member') projectReader(store, fact, position, here)
}

/** Table `unread_readers`: our users count from their join on. */
function projectReader(store: Store, { roomId, pdu }: EventAppended, position: number, here: RoomAudience | undefined): void {
  const userId = pdu.state_key as UserId
  const reader = { room: store.names.numberOf(roomId), user: store.names.numberOf(userId) }
  const isJoined = pdu.content.membership === 'join'
  if (here) here.joined = undefined
  if (findReader(store, reader)) {
    if (!isJoined) deleteReader(store, reader)
  } else if (isJoined && isOurs(store, reader.user)) {
    insertReader(store, reader, store.names.numberOf(classKeyOf(store, roomId, userId)), position)
  } else return
  if (here && isJoined) seatReader(store, here, roomId, userId)
  else if (here) unseatReader(store, here, userId)
}

const isOurs = ({ db }: Store, user: number): boolean => db.query('SELECT 1 FROM users WHERE user = ?').get(user) !== null

const insertReader = ({ db }: Store, { room, user }: Reader, ofClass: number, position: number): void =>
  void db
    .query('INSERT INTO unread_readers (room, user, class, since, joined, read, main) VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?4)')
    .run(room, user, ofClass, position)

function deleteReader({ db }: Store, { room, user }: Reader): void {
  for (const table of ['unread_readers', 'unread_marks', 'unread_segments', 'unread_personal'])
    db.query(`DELETE FROM ${table} WHERE room = ? AND user = ?`).run(room, user)
}

/** The user's rules have changed: what was counted by the old ones stays counted. */
export function reclassify(store: Store, userId: UserId, position: number): void {
  store.audiences.users.delete(userId)
  const rows = store.db
    .query<ReaderRow, [number]>(`
      SELECT r.room, r.user, r.class, r.since, r.read FROM memberships m JOIN unread_readers r ON r.room = m.room AND r.user = m.user
       WHERE m.user = ?`)
    .all(store.names.numberOf(userId))
  for (const row of rows) {
    const roomId = store.names.textOf(row.room) as RoomId
    const here = store.audiences.rooms.get(row.room)
    const key = here ? seatReader(store, here, roomId, userId) : classKeyOf(store, roomId, userId)
    enterClass(store, row, store.names.numberOf(key), position)
  }
}

/** From `position` on the reader counts in another class. */
export function enterClass(store: Store, row: ReaderRow, ofClass: number, position: number): void {
  if (row.class === ofClass) return
  const { db } = store
  const { room, user, since } = row
  if (row.class !== 0 && hasMoved(store, row)) {
    db.query('INSERT INTO unread_segments (room, user, since, until, class) VALUES (?, ?, ?, ?, ?)')
      .run(room, user, since, position, row.class)
    db.query(`
      DELETE FROM unread_segments WHERE room = ?1 AND user = ?2 AND since <=
        (SELECT since FROM unread_segments WHERE room = ?1 AND user = ?2 ORDER BY since DESC LIMIT 1 OFFSET ${SEGMENTS_LIMIT})
    `).run(room, user)
  }
  db.query('UPDATE unread_readers SET class = ?3, since = ?4 WHERE room = ?1 AND user = ?2').run(room, user, ofClass, position)
}

const MOVED = `
  SELECT 1 FROM unread_counters c WHERE room = ?1 AND thread = ${MAIN_THREAD} AND class = ?2
     AND EXISTS (SELECT 1 FROM unread_steps s WHERE s.counter = c.counter AND s.position > ?3)
   UNION ALL
  SELECT 1 FROM unread_counters WHERE room = ?1 AND class = ?2 AND thread > 0 AND position > ?3 LIMIT 1`

/** Whether the reader's class has counted anything that they may not have read. */
const hasMoved = ({ db }: Store, { room, class: ofClass, since, read }: ReaderRow): boolean =>
  db.query(MOVED).get(room, ofClass, Math.max(since, read)) !== null

/** A receipt of one of our users marks as read what comes before it. Either type counts, whichever is further (G-72). */
export const projectReadMark: Project<ReceiptPosted> = (store, { roomId, userId, eventId, threadId }) => {
  const { db, names } = store
  const reader = { room: names.numberOf(roomId), user: names.numberOf(userId) }
  if (!findReader(store, reader)) return
  const position = db
    .query<{ position: number | null }, [EventKey, number]>('SELECT position FROM events WHERE event_id = ? AND room = ?')
    .get(eventKeyOf(eventId), reader.room)?.position ?? expiredPosition(store, eventId)
  if (position === undefined || position === null) return
  if (threadId === null) readEverything(store, reader, position)
  else readThread(store, reader, threadNumber(store, threadId), position)
}

/** A client may still know a message that has expired here, and say that everything up to it is read. */
const expiredPosition = ({ db }: Store, eventId: EventId): number | undefined =>
  db.query<{ num: number }, [EventKey]>('SELECT num FROM expired_events WHERE event_id = ?').get(eventKeyOf(eventId))?.num

function readEverything({ db }: Store, { room, user }: Reader, position: number): void {
  const { changes } = db
    .query('UPDATE unread_readers SET read = ?3 WHERE room = ?1 AND user = ?2 AND read < ?3')
    .run(room, user, position)
  if (changes === 0) return
  db.query('DELETE FROM unread_marks WHERE room = ? AND user = ? AND position <= ?').run(room, user, position)
  db.query('DELETE FROM unread_personal WHERE room = ? AND user = ? AND position <= ?').run(room, user, position)
  db.query('DELETE FROM unread_segments WHERE room = ? AND user = ? AND until <= ?').run(room, user, position)
}

function readThread(store: Store, reader: Reader, thread: number, position: number): void {
  moveMark(store, reader, thread, position)
  dropPersonal(store, reader, thread, position)
}

/** Who says something has read the thread up to there. spec: client-server-api#marking-notifications-as-read */
export function readByWriting(store: Store, reader: Reader, thread: number, position: number, mayHavePersonal: boolean): void {
  moveMark(store, reader, thread, position)
  if (mayHavePersonal) dropPersonal(store, reader, thread, position)
}

function moveMark({ db }: Store, { room, user }: Reader, thread: number, position: number): void {
  if (thread === MAIN_THREAD) {
    db.query('UPDATE unread_readers SET main = ?3 WHERE room = ?1 AND user = ?2 AND main < ?3').run(room, user, position)
    return
  }
  db.query(`
    INSERT INTO unread_marks (room, user, thread, position)
    SELECT room, user, ?3, ?4 FROM unread_readers WHERE room = ?1 AND user = ?2 AND read < ?4
    ON CONFLICT (room, user, thread) DO UPDATE SET position = excluded.position WHERE excluded.position > position
  `).run(room, user, thread, position)
}

const dropPersonal = ({ db }: Store, { room, user }: Reader, thread: number, position: number): void =>
  void db
    .query('DELETE FROM unread_personal WHERE room = ? AND user = ? AND thread = ? AND position <= ?')
    .run(room, user, thread, position)
