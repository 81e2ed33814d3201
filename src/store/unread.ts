import type { RoomId, UserId } from '#schema/identifiers.ts'
import { MAIN_THREAD } from './event-threads.ts'
import type { Store } from './store.ts'
import { findCounter } from './unread-counters.ts'

export type UnreadCount = Readonly<{ notify: number; highlight: number }>

/** Per thread: `notify` and `highlight` are those of the main timeline, and `threads` has the others by their roots. */
export type UnreadCounts = UnreadCount & Readonly<{ threads: ReadonlyMap<string, UnreadCount> }>

export type UnreadOptions = Readonly<{
  /** Tells threads apart; without it they count with the room. */
  perThread?: boolean
}>

/**
 * How much a user of this server has not read in a room that they are in. Nothing is ever below zero.
 * spec: client-server-api#receiving-notifications
 */
export function unreadCounts(store: Store, userId: UserId, roomId: RoomId, options: UnreadOptions = {}): UnreadCounts {
  const tallies = tallyRoom(store, store.names.find(roomId) ?? -1, store.names.find(userId) ?? -1)
  if (!options.perThread) return { ...sumOf(tallies.values()), threads: new Map() }
  const main = tallies.get(MAIN_THREAD) ?? NOTHING
  tallies.delete(MAIN_THREAD)
  return { ...main, threads: new Map([...tallies].map(([thread, count]) => [store.names.textOf(thread), count])) }
}

export type MissedOptions = Readonly<{
  /** Counts rooms with something unread in place of messages. */
  byRoom: boolean
}>

/** The number on the badge of an app: what a user has not read in all rooms. */
export function countMissed(store: Store, userId: UserId, { byRoom }: MissedOptions): number {
  const user = store.names.find(userId) ?? -1
  const rooms = store.db
    .query<{ room: number }, [number]>("SELECT room FROM memberships WHERE user = ? AND membership = 'join'")
    .all(user)
  return rooms.reduce((total, { room }) => {
    const { notify } = sumOf(tallyRoom(store, room, user).values())
    return total + (byRoom ? Number(notify > 0) : notify)
  }, 0)
}

const NOTHING: UnreadCount = { notify: 0, highlight: 0 }

const add = (one: UnreadCount, other: UnreadCount): UnreadCount =>
  ({ notify: one.notify + other.notify, highlight: one.highlight + other.highlight })

const sumOf = (counts: Iterable<UnreadCount>): UnreadCount => [...counts].reduce(add, NOTHING)

type Segment = { class: number; since: number; until: number }
type ReaderRow = { class: number; since: number; read: number; main: number }
type Reader = Readonly<{ room: number; read: number; marks: ReadonlyMap<number, number> }>
type Tallies = Map<number, UnreadCount>

const NOW = Number.MAX_SAFE_INTEGER

/** What is unread, by number of the thread; threads without anything are left out. */
function tallyRoom(store: Store, room: number, user: number): Tallies {
  const { db } = store
  const tallies: Tallies = new Map()
  const row = db
    .query<ReaderRow, [number, number]>('SELECT class, since, read, main FROM unread_readers WHERE room = ? AND user = ?')
    .get(room, user)
  if (!row) return tallies
  const marks = db
    .query<{ thread: number; position: number }, [number, number]>(
      'SELECT thread, position FROM unread_marks WHERE room = ? AND user = ?',
    )
    .all(room, user)
    .map(({ thread, position }) => [thread, position] as const)
  const reader: Reader = { room, read: row.read, marks: new Map([[MAIN_THREAD, row.main], ...marks]) }
  const segments = db
    .query<Segment, [number, number, number]>(
      'SELECT class, since, until FROM unread_segments WHERE room = ? AND user = ? AND until > ?',
    )
    .all(room, user, row.read)
  for (const segment of [...segments, { ...row, until: NOW }]) tallySegment(store, reader, segment, tallies)
  const personal = db
    .query<UnreadCount & { thread: number }, [number, number]>(`
      SELECT thread, sum(notify) AS notify, sum(highlight) AS highlight FROM unread_personal
       WHERE room = ? AND user = ? GROUP BY thread`)
    .all(room, user)
  for (const { thread, ...count } of personal) addTo(tallies, thread, count)
  return aboveZero(tallies)
}

function tallySegment(store: Store, reader: Reader, segment: Segment, tallies: Tallies): void {
  const since = Math.max(segment.since, reader.read)
  const main = findCounter(store, reader.room, MAIN_THREAD, segment.class)
  const threads = store.db
    .query<{ counter: number; thread: number }, [number, number, number]>(`
      SELECT counter, thread FROM unread_counters WHERE room = ? AND class = ? AND thread > 0 AND position > ?`)
    .all(reader.room, segment.class, since)
  const counters = main === undefined ? threads : [{ counter: main, thread: MAIN_THREAD }, ...threads]
  for (const { counter, thread } of counters) {
    const from = Math.max(since, reader.marks.get(thread) ?? 0)
    addTo(tallies, thread, movedBetween(store, counter, from, segment.until))
  }
}

type Step = UnreadCount & { position: number }

const STEP_AT = `
  SELECT position, notify, highlight FROM unread_steps WHERE counter = ? AND position <= ? ORDER BY position DESC LIMIT 1`

/** How far a counter has moved behind `from` up to and including `until`, less what was redacted since. */
function movedBetween({ db }: Store, counter: number, from: number, until: number): UnreadCount {
  const step = db.query<Step, [number, number]>(STEP_AT)
  const end = step.get(counter, until)
  if (!end || end.position <= from) return NOTHING
  const start = step.get(counter, from) ?? NOTHING
  const redacted = db
    .query<UnreadCount, [number, number, number]>(`
      SELECT count(*) AS notify, ifnull(sum(highlight), 0) AS highlight FROM unread_redacted
       WHERE counter = ? AND position > ? AND position <= ?`)
    .get(counter, from, until) ?? NOTHING
  return {
    notify: end.notify - start.notify - redacted.notify,
    highlight: end.highlight - start.highlight - redacted.highlight,
  }
}

const addTo = (tallies: Tallies, thread: number, count: UnreadCount): void =>
  void tallies.set(thread, add(tallies.get(thread) ?? NOTHING, count))

function aboveZero(tallies: Tallies): Tallies {
  for (const [thread, { notify, highlight }] of tallies) {
    const count = { notify: Math.max(notify, 0), highlight: Math.max(highlight, 0) }
    if (count.notify + count.highlight === 0) tallies.delete(thread)
    else tallies.set(thread, count)
  }
  return tallies
}
