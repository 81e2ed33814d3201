import { hasSeen, noteSeen } from '#core/sync/lazy-members.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import { NO_EVENT_FILTER } from '#core/sync/filter.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from '#store/client-events.ts'
import { passesFilter } from '#store/event-filter.ts'
import { findStateAt, listStateBetween } from '#store/state-at.ts'
import type { Reading } from './reading.ts'

const MEMBER = 'm.room.member'

export type StateWanted = Readonly<{
  roomId: RoomId
  /** State after everything up to this position. */
  at: number
  /** Only what changed after this position; 0: everything. */
  since: number
  /** Whose member events the reader needs to show the timeline. */
  people: Iterable<string>
  /** Of a room that is told whole: up to where the reader knows members from an earlier time in it. */
  knownUpTo?: number | undefined
}>

/** The state section of a room: everything or what changed, with or without lazy members. */
export function readState(reading: Reading, wanted: StateWanted): ClientEvent[] {
  const filter = reading.filter.room.state
  const changed = wanted.since === 0 ? wholeState(reading, wanted) : listStateBetween(reading.store, { ...wanted, until: wanted.at })
  const events = filter.lazyLoadMembers ? [...changed, ...missingMembers(reading, wanted, changed)] : changed
  return filter === NO_EVENT_FILTER ? events : events.filter((event) => passesFilter(reading.store, filter, event, wanted.roomId))
}

/**
 * State that changed behind the start of the timeline, and that the filter has kept out of it: nothing else would tell of it.
 * Members are among it whether they are loaded lazily or not.
 */
export function readHiddenState(reading: Reading, { roomId, at, since, shown }: Pick<StateWanted, 'roomId' | 'at' | 'since'> & { shown: readonly ClientEvent[] }): ClientEvent[] {
  const known = new Set(shown.map(({ num }) => num))
  const filter = reading.filter.room.state
  const hidden = listStateBetween(reading.store, { roomId, since, until: at })
    .filter((event) => !known.has(event.num) && passesFilter(reading.store, filter, event, roomId))
  for (const { type, stateKey, num } of hidden) if (type === MEMBER) noteTold(reading, roomId, stateKey ?? '', num)
  return hidden
}

function wholeState(reading: Reading, { roomId, at, people, knownUpTo }: StateWanted): ClientEvent[] {
  const { store, userId, filter } = reading
  if (!filter.room.state.lazyLoadMembers) return stateAt(reading, roomId, at, 'all')
  const named = new Set([...people, userId])
  // Who was here before still has the members of then, so those who changed meanwhile have to be told.
  const missed = knownUpTo === undefined ? [] : listStateBetween(store, { roomId, since: knownUpTo, until: at })
  for (const { type, stateKey } of missed) if (type === MEMBER && stateKey !== null) named.add(stateKey)
  const members = [...named].flatMap((member) => findStateAt(store, roomId, MEMBER, member, at) ?? [])
  for (const { stateKey, num } of members) noteTold(reading, roomId, stateKey ?? '', num)
  return [...stateAt(reading, roomId, at, 'without members'), ...members]
}

const noteTold = ({ seenMembers, until }: Reading, roomId: RoomId, userId: string, event: number): void =>
  noteSeen(seenMembers, roomId, userId, { event, at: until })

/** Member events of people who speak in the timeline, unless this device has been told them. */
function missingMembers(reading: Reading, { roomId, at, since, people }: StateWanted, changed: readonly ClientEvent[]): ClientEvent[] {
  if (since === 0) return []
  for (const { type, stateKey, num } of changed) if (type === MEMBER) noteTold(reading, roomId, stateKey ?? '', num)
  const told = new Set(changed.map(({ num }) => num))
  return [...new Set(people)].flatMap((person) => {
    const member = findStateAt(reading.store, roomId, MEMBER, person, at)
    if (!member || told.has(member.num)) return []
    const isKnown = hasSeen(reading.seenMembers, roomId, person, { event: member.num, since: reading.since })
    if (isKnown && !reading.filter.room.state.includeRedundantMembers) return []
    noteTold(reading, roomId, person, member.num)
    return [member]
  })
}

/**
 * Most of the current state is as old as the timeline, so it is read as it stands now, and only what has changed since
 * is looked up in the past.
 */
function stateAt({ store }: Reading, roomId: RoomId, at: number, which: 'all' | 'without members'): ClientEvent[] {
  const room = store.names.find(roomId)
  const member = store.names.find(MEMBER)
  if (room === undefined || member === undefined) return []
  const ranges = which === 'all' ? ['s.type IS NOT NULL'] : ['s.type < ?2', 's.type > ?2']
  const sql = ranges
    .map((range) => `SELECT ${CLIENT_EVENT} FROM room_state s JOIN events e ON e.num = s.event WHERE s.room = ?1 AND ${range} AND ?2 > 0`)
    .join(' UNION ALL ')
  const now = store.db.query<ClientEventRow, [number, number]>(sql).all(room, member).map((row) => clientEventOf(store, row))
  return now.flatMap((event) => {
    if (event.num <= at) return [event]
    return findStateAt(store, roomId, event.type, event.stateKey ?? '', at) ?? []
  })
}
