import { evaluateForAudience } from '#core/push-rules/audience.ts'
import { type PushSubject, pushSubject } from '#core/push-rules/conditions.ts'
import { type PushOutcome, SILENT } from '#core/push-rules/evaluate.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import type { MessageSelfDestructed } from '#schema/journal/self-destruct.ts'
import type { EventAppended, EventRedacted } from '#schema/journal/room.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { MAIN_THREAD, parseContent, threadIn, threadNumber } from './event-threads.ts'
import { eventKeyOf, type EventKey } from './events.ts'
import { addNotification } from './notifications.ts'
import type { Project } from './projectors.ts'
import {
  dropAudience, emptyRoomAudience, keepAudience, knownAudience, pushContext, type RoomAudience, seatReader,
} from './push-audience.ts'
import type { Store } from './store.ts'
import { enterClass, type ReaderRow, readByWriting } from './unread-readers.ts'

/**
 * Weighs an event for everyone of ours who is in the room, once per class of rules. Called before the event is in any
 * table, so that the rules see the room as it was (G-73).
 */
export const projectUnread: Project<EventAppended> = (store, fact, position) => {
  const room = store.names.find(fact.roomId)
  if (room === undefined) return
  const here = audienceOf(store, fact.roomId, room, position)
  const { members } = here.audience
  if (members.size === 0) return
  const { sender, type, state_key: stateKey } = fact.pdu
  const isByReader = members.has(sender)
  const isMark = isByReader && stateKey === undefined && type !== 'm.room.redaction'
  const hasOthers = members.size > Number(isByReader)
  if (!isMark && !hasOthers) return
  const content = contentOf(fact)
  const thread = threadNumber(store, threadIn(store, fact.roomId, content))
  const place: Place = { roomId: fact.roomId, room, thread, position, here }
  if (hasOthers) {
    const context = pushContext(store, here, { roomId: fact.roomId, sender, isInThread: thread !== MAIN_THREAD })
    const event = { type, sender, content, ...(stateKey === undefined ? {} : { state_key: stateKey }) }
    count(store, place, pushSubject(event, context), isByReader && !isMark)
  }
  if (isMark) {
    const reader = { room, user: store.names.numberOf(sender) }
    readByWriting(store, reader, thread, position, here.touched.has(sender))
  }
}

type Place = Readonly<{ roomId: RoomId; room: number; thread: number; position: number; here: RoomAudience }>

// Of events that are no state the writer is sent the text alone.
const contentOf = ({ pdu, json, contentStart, contentEnd }: EventAppended): JsonObject =>
  (pdu as Partial<Pdu>).content ?? (JSON.parse(json.slice(contentStart, contentEnd)) as JsonObject)

const READERS = `
  SELECT r.room, r.user, r.class, r.since, r.read, n.name,
         NOT EXISTS (SELECT 1 FROM push_rules p WHERE p.user = r.user) AND NOT EXISTS (
           SELECT 1 FROM account_data a WHERE a.user = r.user AND a.room = 0 AND a.type = 'm.ignored_user_list') AS is_usual
    FROM unread_readers r JOIN names n ON n.num = r.user WHERE r.room = ?`

/** Reads who is in the room. Rules that come out differently now, in another version of this program, make another class. */
function audienceOf(store: Store, roomId: RoomId, room: number, position: number): RoomAudience {
  const known = knownAudience(store, room)
  if (known) return known
  const here = emptyRoomAudience()
  const rows = store.db
    .query<ReaderRow & { name: UserId; is_usual: number }, [number]>(READERS)
    .all(room)
  for (const { name, is_usual, ...row } of rows) {
    const key = seatReader(store, here, roomId, name, is_usual === 1)
    enterClass(store, row, store.names.numberOf(key), position - 1)
  }
  const touched = store.db.query<{ user: number }, [number]>('SELECT DISTINCT user FROM unread_personal WHERE room = ?').all(room)
  for (const { user } of touched) here.touched.add(store.names.textOf(user) as UserId)
  keepAudience(store, room, here)
  return here
}

function count(store: Store, place: Place, subject: PushSubject, isOwnStep: boolean): void {
  const { audience, ignoring } = place.here
  const { classes, personal } = evaluateForAudience(audience, subject)
  // In the order of their numbers, so that the rows do not depend on who was seated first.
  const moved = [...classes].flatMap(([key, outcome]) => (outcome.notify ? [[store.names.numberOf(key), outcome] as const] : []))
  for (const [ofClass, outcome] of moved.sort(([one], [other]) => one - other)) step(store, place, ofClass, outcome)

  const { sender } = subject.event
  const silenced = new Set(ignoring.get(sender))
  if (isOwnStep) silenced.add(sender)
  for (const [userId, outcome] of personal) if (!silenced.has(userId)) differ(store, place, userId, outcome, classOutcome(userId))
  for (const userId of silenced) differ(store, place, userId, SILENT, classOutcome(userId))

  function classOutcome(userId: UserId): PushOutcome {
    const classKey = audience.members.get(userId)?.ruleset.classKey
    return (classKey === undefined ? undefined : classes.get(classKey)) ?? SILENT
  }
}

const STEP = `
  INSERT INTO unread_steps (counter, position, notify, highlight) VALUES (?1, ?2,
    1 + ifnull((SELECT notify FROM unread_steps WHERE counter = ?1 ORDER BY position DESC LIMIT 1), 0),
    ?3 + ifnull((SELECT highlight FROM unread_steps WHERE counter = ?1 ORDER BY position DESC LIMIT 1), 0))`

/** One row for the class, however many are in it. */
function step(store: Store, place: Place, ofClass: number, { highlight }: PushOutcome): void {
  const { db } = store
  const { room, thread, position } = place
  const counter = counterOf(store, place, ofClass)
  db.query(STEP).run(counter, position, Number(highlight))
  if (thread !== MAIN_THREAD) db.query('UPDATE unread_counters SET position = ? WHERE counter = ?').run(position, counter)
  if (highlight) db.query('INSERT INTO class_highlights (room, class, position) VALUES (?, ?, ?)').run(room, ofClass, position)
}

function counterOf(store: Store, { room, thread, position, here }: Place, ofClass: number): number {
  const known = thread === MAIN_THREAD ? here.counters.get(ofClass) : undefined
  if (known !== undefined) return known
  const counter = findCounter(store, room, thread, ofClass) ?? insertCounter(store, [room, thread, ofClass, position])
  if (thread === MAIN_THREAD) here.counters.set(ofClass, counter)
  return counter
}

const insertCounter = ({ db }: Store, row: [room: number, thread: number, ofClass: number, position: number]): number =>
  Number(db.query('INSERT INTO unread_counters (room, thread, class, position) VALUES (?, ?, ?, ?)').run(...row).lastInsertRowid)

export const findCounter = ({ db }: Store, room: number, thread: number, ofClass: number): number | undefined =>
  db
    .query<{ counter: number }, [number, number, number]>(
      'SELECT counter FROM unread_counters WHERE room = ? AND thread = ? AND class = ?',
    )
    .get(room, thread, ofClass)?.counter

/** A row for what the event is to one reader, where that is not what it is to their class. */
function differ(store: Store, place: Place, userId: UserId, outcome: PushOutcome, ofClass: PushOutcome): void {
  const { room, thread, position, here } = place
  const notify = Number(outcome.notify) - Number(ofClass.notify)
  const highlight = Number(outcome.highlight) - Number(ofClass.highlight)
  if (notify === 0 && highlight === 0) return
  const user = store.names.numberOf(userId)
  here.touched.add(userId)
  store.db
    .query('INSERT INTO unread_personal (room, user, thread, position, notify, highlight) VALUES (?, ?, ?, ?, ?, ?)')
    .run(room, user, thread, position, notify, highlight)
  if (outcome.notify) addNotification(store, { user, room, position, isHighlight: outcome.highlight })
}

type RedactedRow = { position: number | null; state_key: number | null; json: string; content_start: number; content_end: number }

const REDACTED_STEPS = `
  INSERT OR IGNORE INTO unread_redacted (counter, position, highlight)
  SELECT s.counter, s.position, s.highlight - ifnull((
           SELECT p.highlight FROM unread_steps p WHERE p.counter = s.counter AND p.position < s.position
            ORDER BY p.position DESC LIMIT 1), 0)
    FROM unread_counters c JOIN unread_steps s ON s.counter = c.counter AND s.position = ?2
   WHERE c.room = ?1`

/**
 * What is redacted stops counting. Called while the event still has its content, because that says where it was
 * counted; where that cannot be told any more all counters of the room are searched.
 */
export const projectUnreadRedaction: Project<EventRedacted | MessageSelfDestructed> = (store, { roomId, eventId }) => {
  const { db, names } = store
  const row = db
    .query<RedactedRow, [EventKey]>('SELECT position, state_key, json, content_start, content_end FROM events WHERE event_id = ?')
    .get(eventKeyOf(eventId))
  const room = names.find(roomId)
  if (!row || row.position === null || room === undefined) return
  let isCertain = true
  const thread = threadIn(store, roomId, parseContent(row), () => {
    isCertain = false
  })
  const number = thread === 'main' ? MAIN_THREAD : (names.find(thread) ?? -1)
  if (isCertain) db.query(`${REDACTED_STEPS} AND c.thread = ?3`).run(room, row.position, number)
  else db.query(REDACTED_STEPS).run(room, row.position)
  db.query('DELETE FROM unread_personal WHERE room = ? AND position = ?').run(room, row.position)
  // Levels and names may go with a redacted event of the state.
  if (row.state_key !== null) dropAudience(store, room)
}
