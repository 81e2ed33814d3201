import { pushSubject } from '#core/push-rules/conditions.ts'
import { evaluate, type PushOutcome, SILENT } from '#core/push-rules/evaluate.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { PushAction } from '#schema/push-rules.ts'
import { findClientEventByNum } from './client-events.ts'
import { MAIN_THREAD, threadIn } from './event-threads.ts'
import { findInvitePermission } from './invite-permission.ts'
import { emptyRoomAudience, pushContext, readerRules } from './push-audience.ts'
import type { Store } from './store.ts'

/** Notifications that are kept for one user beyond those that the counters of their rooms know. */
export const NOTIFICATIONS_LIMIT = 500

export type PersonalNotification = Readonly<{ user: number; room: number; position: number; isHighlight: boolean }>

/** Table `notifications`; called by the projector that counts. */
export function addNotification({ db }: Store, { user, room, position, isHighlight }: PersonalNotification): void {
  db.query('INSERT INTO notifications (user, position, room, is_highlight) VALUES (?, ?, ?, ?)')
    .run(user, position, room, Number(isHighlight))
  db.query(`
    DELETE FROM notifications WHERE user = ?1 AND position <=
      (SELECT position FROM notifications WHERE user = ?1 ORDER BY position DESC LIMIT 1 OFFSET ${NOTIFICATIONS_LIMIT})
  `).run(user)
}

export const deleteNotificationsOf = ({ db, names }: Store, userId: UserId): void =>
  void db.query('DELETE FROM notifications WHERE user = ?').run(names.numberOf(userId))

export type Notification = Readonly<{ event: ClientEvent; roomId: RoomId; actions: readonly PushAction[]; isRead: boolean }>

export type NotificationsWanted = Readonly<{
  userId: UserId
  /** Only what is older than this position; `Infinity` to start with the newest. */
  before: number
  limit: number
  onlyHighlights: boolean
}>

export type NotificationPage = Readonly<{ notifications: readonly Notification[]; next: number | undefined }>

type Room = { room: number; class: number; joined: number; read: number; main: number }
type Candidate = { position: number; room: Room; isHighlight: boolean | undefined }

/**
 * What a user was notified of since they joined, and the invitations that wait for an answer, newest first, with what their
 * rules say of it now. `next` is the `before` of the next page; absent when there is none. spec: client-server-api#get_matrixclientv3notifications
 */
export function listNotifications(store: Store, wanted: NotificationsWanted): NotificationPage {
  const user = store.names.find(wanted.userId) ?? -1
  const rooms = store.db
    .query<Room, [number]>(`
      SELECT r.room, r.class, r.joined, r.read, r.main FROM memberships m JOIN unread_readers r ON r.room = m.room AND r.user = m.user
       WHERE m.user = ?`)
    .all(user)
  const page = { ...wanted, before: Math.min(wanted.before, Number.MAX_SAFE_INTEGER) }
  const found = new Map<number, Candidate>()
  for (const room of rooms)
    for (const position of positionsIn(store, room, page)) found.set(position, { position, room, isHighlight: undefined })
  for (const candidate of [...personalOnes(store, user, rooms, page), ...invitations(store, user, page)]) found.set(candidate.position, candidate)
  const candidates = [...found.values()].sort((one, other) => other.position - one.position)
  const shown = candidates.slice(0, wanted.limit)
  return {
    notifications: shown.flatMap((candidate) => notificationOf(store, wanted, user, candidate) ?? []),
    next: candidates.length > shown.length ? shown.at(-1)?.position : undefined,
  }
}

const HIGHLIGHTS = `
  SELECT position FROM class_highlights
   WHERE room = ? AND class = ? AND position < ? AND position > ? ORDER BY position DESC LIMIT ?`

const COUNTERS = `
  SELECT counter FROM unread_counters WHERE room = ?1 AND thread = ${MAIN_THREAD} AND class = ?2
   UNION ALL
  SELECT counter FROM unread_counters WHERE room = ?1 AND class = ?2 AND thread > 0 AND position > ?3`

const STEPS = `
  SELECT position FROM unread_steps WHERE counter = ? AND position < ? AND position > ? ORDER BY position DESC LIMIT ?`

/** Where the reader's class was notified in one room: at least as many as fit the page and one more. */
function positionsIn({ db }: Store, { room, class: ofClass, joined }: Room, wanted: NotificationsWanted): number[] {
  const { before, limit, onlyHighlights } = wanted
  if (onlyHighlights) {
    const query = db.query<{ position: number }, [number, number, number, number, number]>(HIGHLIGHTS)
    return query.all(room, ofClass, before, joined, limit + 1).map(({ position }) => position)
  }
  const steps = db.query<{ position: number }, [number, number, number, number]>(STEPS)
  return db
    .query<{ counter: number }, [number, number, number]>(COUNTERS)
    .all(room, ofClass, joined)
    .flatMap(({ counter }) => steps.all(counter, before, joined, limit + 1).map(({ position }) => position))
}

type PersonalRow = { position: number; room: number; is_highlight: number }

const PERSONAL = `
  SELECT position, room, is_highlight FROM notifications
   WHERE user = ? AND position < ? AND (is_highlight OR NOT ?) ORDER BY position DESC LIMIT ?`

function personalOnes({ db }: Store, user: number, rooms: readonly Room[], wanted: NotificationsWanted): Candidate[] {
  const { before, limit, onlyHighlights } = wanted
  const byNumber = new Map(rooms.map((room) => [room.room, room]))
  return db
    .query<PersonalRow, [number, number, number, number]>(PERSONAL)
    .all(user, before, Number(onlyHighlights), limit + 1)
    .flatMap(({ position, room: number, is_highlight }) => {
      const room = byNumber.get(number)
      return room && position > room.joined ? [{ position, room, isHighlight: is_highlight === 1 }] : []
    })
}

type Invitation = { room: number; position: number; sender: number }

const INVITATIONS = `
  SELECT m.room, m.position, e.sender FROM memberships m JOIN events e ON e.num = m.event
   WHERE m.user = ? AND m.membership = 'invite' AND m.position < ? ORDER BY m.position DESC LIMIT ?`

/** Nothing is counted for whoever is not in a room yet, so these are found by the memberships themselves. */
const invitations = (store: Store, user: number, { userId, before, limit }: NotificationsWanted): Candidate[] =>
  store.db
    .query<Invitation, [number, number, number]>(INVITATIONS)
    .all(user, before, limit + 1)
    .filter(({ sender }) => findInvitePermission(store, userId, store.names.textOf(sender) as UserId) !== 'ignore')
    .map(({ room, position }) => ({ position, room: { room, class: 0, joined: position - 1, read: 0, main: 0 }, isHighlight: undefined }))

function notificationOf(store: Store, wanted: NotificationsWanted, user: number, candidate: Candidate): Notification | undefined {
  const { userId, onlyHighlights } = wanted
  const { position, room, isHighlight } = candidate
  const event = eventAt(store, room.room, position)
  if (!event || event.redactedBy !== null || event.sender === userId) return undefined
  const roomId = store.names.textOf(room.room) as RoomId
  const content = (JSON.parse(`${event.body}}`) as { content: JsonObject }).content
  const thread = threadIn(store, roomId, content)
  const now = outcomeNow(store, { userId, roomId, event, content, isInThread: thread !== 'main' })
  const actions = now.notify ? now.actions : actionsThen(isHighlight)
  if (actions.length === 0 || (onlyHighlights && !now.highlight && !isHighlight)) return undefined
  const mark = thread === 'main' ? room.main : markOf(store, room.room, user, thread)
  return { event, roomId, actions, isRead: position <= Math.max(room.read, mark) }
}

function eventAt(store: Store, room: number, position: number): ClientEvent | undefined {
  const row = store.db.query<{ num: number }, [number, number]>('SELECT num FROM events WHERE room = ? AND position = ?').get(room, position)
  return row ? findClientEventByNum(store, row.num) : undefined
}

/** Of what was personal it is known how it was, whatever the rules have become. */
function actionsThen(isHighlight: boolean | undefined): PushAction[] {
  if (isHighlight === undefined) return []
  return isHighlight ? ['notify', { set_tweak: 'highlight' }] : ['notify']
}

type Asked = Readonly<{ userId: UserId; roomId: RoomId; event: ClientEvent; content: JsonObject; isInThread: boolean }>

function outcomeNow(store: Store, { userId, roomId, event, content, isInThread }: Asked): PushOutcome {
  const { type, sender, stateKey } = event
  const { ruleset, reader, isIgnoring } = readerRules(store, roomId, userId, sender)
  if (isIgnoring) return SILENT
  const context = pushContext(store, emptyRoomAudience(), { roomId, sender, isInThread })
  const pushEvent = { type, sender, content, ...(stateKey === null ? {} : { state_key: stateKey }) }
  return evaluate(ruleset, pushSubject(pushEvent, context), reader)
}

const markOf = ({ db, names }: Store, room: number, user: number, thread: string): number =>
  db
    .query<{ position: number }, [number, number, number]>(
      'SELECT position FROM unread_marks WHERE room = ? AND user = ? AND thread = ?',
    )
    .get(room, user, names.find(thread) ?? -1)?.position ?? 0
