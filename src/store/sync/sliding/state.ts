import type { ClientEvent } from '#core/sync/client-event.ts'
import { parseWish, type StateWish } from '#core/sync/required-state.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from '#store/client-events.ts'
import { findStateAt, listStateBetween } from '#store/state-at.ts'
import type { Store } from '#store/store.ts'
import { hasMember, noteMember, type SlidingReading, toldMembers } from './reading.ts'

const MEMBER = 'm.room.member'

export type WishedState = Readonly<{
  roomId: RoomId
  wish: StateWish
  /** State after everything up to this position. */
  at: number
  /** It is the state of now, as far as this answer goes. */
  isNow: boolean
}>

/** Everything that is wished for by name, without the members that come with the timeline. */
export function readWished(reading: SlidingReading, wanted: WishedState): ClientEvent[] {
  const { roomId, wish, at, isNow } = wanted
  const events = isNow ? readCurrent(reading.store, wanted) : listStateBetween(reading.store, { roomId, since: 0, until: at })
  const wished = events.filter(({ type, stateKey }) => wish.wants(type, stateKey ?? ''))
  for (const { type, stateKey, num } of wished) if (type === MEMBER) noteMember(reading, roomId, stateKey ?? '', num)
  return wished
}

const CURRENT = `SELECT ${CLIENT_EVENT} FROM room_state s JOIN events e ON e.num = s.event WHERE s.room = ?1`
const OF_TYPES = `${CURRENT} AND s.type IN (SELECT value FROM json_each(?2))`
const BUT_MEMBERS = `${CURRENT} AND s.type < ?2 UNION ALL ${CURRENT} AND s.type > ?2`
const MEMBERS = `${CURRENT} AND s.type = ?2`

function readCurrent(store: Store, { roomId, wish, at }: WishedState): ClientEvent[] {
  const { db, names } = store
  const [room, member] = [names.find(roomId) ?? -1, names.find(MEMBER) ?? -1]
  const types = wish.types && JSON.stringify(wish.types.flatMap((type) => names.find(type) ?? []))
  const others = types === undefined
    ? db.query<ClientEventRow, [number, number]>(BUT_MEMBERS).all(room, member)
    : types === '[]' ? [] : db.query<ClientEventRow, [number, string]>(OF_TYPES).all(room, types)
  const members = wish.members === 'all'
    ? db.query<ClientEventRow, [number, number]>(MEMBERS).all(room, member).map((row) => clientEventOf(store, row))
    : wish.members.flatMap((userId) => findStateAt(store, roomId, MEMBER, userId, at) ?? [])
  const events = [...others.map((row) => clientEventOf(store, row)), ...members]
  // What was written since this answer began is left to the next one.
  return events.flatMap((event) => (event.num <= at ? [event] : (findStateAt(store, roomId, event.type, event.stateKey ?? '', at) ?? [])))
}

const CHANGED = `
  SELECT c.type, c.state_key, c.event, max(c.position) FROM state_changes c
   WHERE c.room = ?1 AND c.position > ?2 AND c.position <= ?3`
const GROUPED = 'GROUP BY c.type, c.state_key'
const CHANGED_BUT_MEMBERS = `SELECT ${CLIENT_EVENT} FROM (${CHANGED} AND c.type <> ?4 ${GROUPED}) n JOIN events e ON e.num = n.event`
const CHANGED_MEMBERS = `SELECT ${CLIENT_EVENT} FROM (${CHANGED} AND c.type = ?4 ${GROUPED}) n JOIN events e ON e.num = n.event`
const REMOVED = `SELECT type, state_key FROM (${CHANGED} ${GROUPED}) WHERE event IS NULL`

export type StateWindow = Readonly<{ roomId: RoomId; since: number; until: number }>

const readChanges = (store: Store, sql: string, { roomId, since, until }: StateWindow): ClientEvent[] =>
  store.db
    .query<ClientEventRow, [number, number, number, number]>(sql)
    .all(store.names.find(roomId) ?? -1, since, until, store.names.find(MEMBER) ?? -1)
    .map((row) => clientEventOf(store, row))

/** State other than members that changed in a window, as it stands at its end. */
export const readStateChanges = (store: Store, window: StateWindow): ClientEvent[] => readChanges(store, CHANGED_BUT_MEMBERS, window)

export const readMemberChanges = (store: Store, window: StateWindow): ClientEvent[] => readChanges(store, CHANGED_MEMBERS, window)

/** Keys that have left the state in a window. */
export const listRemovedState = ({ db, names }: Store, { roomId, since, until }: StateWindow): { type: string; stateKey: string }[] =>
  db
    .query<{ type: number; state_key: number }, [number, number, number]>(REMOVED)
    .all(names.find(roomId) ?? -1, since, until)
    .map(({ type, state_key }) => ({ type: names.textOf(type), stateKey: names.textOf(state_key) }))

/** State that the client wants now and did not want before. */
export function readNewlyWished(reading: SlidingReading, wanted: WishedState, before: string): ClientEvent[] {
  const old = parseWish(before)
  return readWished(reading, wanted).filter(({ type, stateKey }) => !old.wants(type, stateKey ?? ''))
}

/** Member events of those who appear in the timeline, and of some more, unless the client has them. */
export function readTimelineMembers(reading: SlidingReading, { roomId, at, events, more = [] }: { roomId: RoomId; at: number; events: readonly ClientEvent[]; more?: readonly string[] }): ClientEvent[] {
  const people = new Set<string>(more)
  for (const { sender, type, stateKey } of events) {
    people.add(sender)
    if (type === MEMBER && stateKey !== null) people.add(stateKey)
  }
  return [...people].flatMap((userId) => {
    const member = findStateAt(reading.store, roomId, MEMBER, userId, at)
    if (!member || hasMember(reading, roomId, userId, member.num)) return []
    noteMember(reading, roomId, userId, member.num)
    return [member]
  })
}

/** Members of whom the client was told and who have changed behind its back, while it did not ask for members. */
export const readChangedMembers = (reading: SlidingReading, roomId: RoomId, at: number): ClientEvent[] =>
  [...toldMembers(reading, roomId)].flatMap(([userId, told]) => {
    const member = findStateAt(reading.store, roomId, MEMBER, userId, at)
    if (!member || member.num === told) return []
    noteMember(reading, roomId, userId, member.num)
    return [member]
  })
