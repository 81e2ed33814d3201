import { isJsonObject, ownValue } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { closeness, parseSearchTerm, type SearchTerm } from '#core/search-words.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import { type EventFilter, matchesEventFilter, NO_EVENT_FILTER, parseEventFilter } from '#core/sync/filter.ts'
import { printTimelineToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { after, before, membersOf, readHistory } from '#http/history.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { readerOrNone, type RoomReader } from '#http/room-reader.ts'
import { search } from '#schema/client/search.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { forbidden, invalidParam, MatrixError } from '#schema/matrix-error.ts'
import { findClientEventByNum } from '#store/client-events.ts'
import { passesFilter } from '#store/event-filter.ts'
import { listRoomsOnceJoined, listPredecessors } from '#store/room-history.ts'
import { type Matches, NO_MATCHES, SEARCHED_TYPES, searchedText } from '#store/search.ts'
import { listCurrentState, listStateAt } from '#store/state-at.ts'
import type { Store } from '#store/store.ts'
import { placeAt } from '#store/timeline.ts'

const LIMIT_DEFAULT = 10
const LIMIT = 100
/** Events before and after a result, for those who name no number and at most. */
const CONTEXT_DEFAULT = 5
const CONTEXT_LIMIT = 50

type Criteria = NonNullable<SignedInCall<typeof search>['body']['search_categories']['room_events']>

export const searchPage = (server: Homeserver) =>
  page().post(
    '/_matrix/client/v3/search',
    signedIn(server, search, async ({ query, body, requester }) => {
      if (!server.searcher) throw forbidden('This server does not search messages')
      const criteria = body.search_categories.room_events
      if (!criteria) return { search_categories: {} }
      const found = await readSearch(server, { criteria, requester, place: readPlace(query.next_batch) })
      return rawJson(`{"search_categories":{"room_events":${found}}}`)
    }),
  )

/** Where a page begins: after `offset` matches among the events up to `until`, of everything or of one group. */
type Place = Readonly<{ until?: number; offset: number; group?: Group }>
type Group = Readonly<{ key: 'room_id' | 'sender'; value: string }>

const printPlace = ({ until, offset, group }: Place): string =>
  Buffer.from(JSON.stringify([until, offset, ...(group ? [group.key, group.value] : [])])).toString('base64url')

function readPlace(text: string | undefined): Place {
  if (!text) return { offset: 0 }
  try {
    const [until, offset, key, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (Number.isSafeInteger(until) && Number.isSafeInteger(offset)) {
      const place = { until: until as number, offset: offset as number }
      if (key === undefined) return place
      if ((key === 'room_id' || key === 'sender') && typeof value === 'string') return { ...place, group: { key, value } }
    }
  } catch {
    // Not of our making, as below.
  }
  throw invalidParam('next_batch is not a token of this server')
}

type Search = Readonly<{ criteria: Criteria; requester: Requester; place: Place }>

/** spec: client-server-api#post_matrixclientv3search */
async function readSearch(server: Homeserver, asked: Search): Promise<string> {
  const { criteria, requester } = asked
  const filter = readFilter(criteria.filter)
  const term = parseSearchTerm(criteria.search_term)
  const until = asked.place.until ?? server.notifier.seen.position
  const place = { ...asked.place, until }
  const readerOf = readersFor(server, requester)
  const matches = term ? inSight(await findMatches(server, asked, { filter, term, until }), readerOf) : NO_MATCHES
  const page = readPage(server, matches, { readerOf, filter, offset: place.offset, limit: readLimit(filter.limit, LIMIT_DEFAULT, LIMIT) })
  const results = page.results.map((result) => printResult(server.store, result, { words: term?.words ?? [], context: criteria.event_context }))
  const isMore = page.end < matches.nums.length
  return [
    `{"count":${matches.nums.length},"highlights":${JSON.stringify(term?.words ?? [])},"results":[${results.join(',')}]`,
    criteria.include_state ? `,"state":${printStates(server.store, page.results)}` : '',
    criteria.groupings?.group_by ? `,"groups":${JSON.stringify(groupsOf(server, criteria.groupings.group_by, matches, page, until))}` : '',
    isMore ? `,"next_batch":${JSON.stringify(printPlace({ ...place, offset: page.end }))}` : '',
    '}',
  ].join('')
}

function readFilter(definition: Criteria['filter']): EventFilter {
  if (definition === undefined) return NO_EVENT_FILTER
  const filter = parseEventFilter(definition)
  if (filter instanceof MatrixError) throw filter
  return filter
}

const TYPE_OF_KEY: Readonly<Record<string, string>> = {
  'content.body': 'm.room.message',
  'content.name': 'm.room.name',
  'content.topic': 'm.room.topic',
}

async function findMatches(
  { store, searcher }: Homeserver,
  { criteria, requester, place: { group } }: Search,
  { filter, term, until }: { filter: EventFilter; term: SearchTerm; until: number },
): Promise<Matches> {
  const { names } = store
  const known = (texts: readonly string[]): number[] => texts.flatMap((text) => names.find(text) ?? [])
  const keyed = criteria.keys ? criteria.keys.flatMap((key) => TYPE_OF_KEY[key] ?? []) : SEARCHED_TYPES
  const ofType = { ...NO_EVENT_FILTER, notTypes: filter.notTypes, ...(filter.types ? { types: filter.types } : {}) }
  const rooms = roomsOf(store, requester.userId, filter).filter((roomId) => group?.key !== 'room_id' || roomId === group.value)
  const senders = group?.key === 'sender' ? [group.value] : filter.senders
  const matches = await searcher?.find({
    ...term,
    rooms: known(rooms),
    types: known(keyed.filter((type) => matchesEventFilter(ofType, { type }))),
    senders: senders && known(senders),
    notSenders: filter.notSenders.length > 0 ? known(filter.notSenders) : undefined,
    until,
    order: criteria.order_by ?? 'rank',
  })
  return matches ?? NO_MATCHES
}

/** All that the user is or was in; where the filter names rooms, these and what they were upgraded from. */
function roomsOf(store: Store, userId: UserId, { rooms, notRooms }: EventFilter): RoomId[] {
  const own = listRoomsOnceJoined(store, userId)
  const wanted = rooms && new Set(rooms.flatMap((roomId) => [roomId, ...listPredecessors(store, roomId as RoomId)]))
  return own.filter((roomId) => (wanted?.has(roomId) ?? true) && !notRooms.includes(roomId))
}

type ReaderOf = (room: number) => RoomReader | undefined

function readersFor(server: Homeserver, requester: Requester): ReaderOf {
  const readers = new Map<number, RoomReader | undefined>()
  return (room) => {
    if (!readers.has(room)) readers.set(room, readerOrNone(server, server.store.names.textOf(room) as RoomId, requester))
    return readers.get(room)
  }
}

/** The matches that the user may see, of which the index knows nothing: not even their number is for others. */
function inSight({ nums, rooms, senders }: Matches, readerOf: ReaderOf): Matches {
  const shown = nums.map((num, at) => readerOf(rooms[at] ?? 0)?.isInSight(num) === true)
  const only = (column: readonly number[]): number[] => column.filter((_each, at) => shown[at])
  return { nums: only(nums), rooms: only(rooms), senders: only(senders) }
}

type Result = Readonly<{ event: ClientEvent; reader: RoomReader }>
type Page = Readonly<{ results: readonly Result[]; /** How many of the matches have been looked at. */ end: number }>
type Wanted = Readonly<{ readerOf: ReaderOf; filter: EventFilter; offset: number; limit: number }>

/** The next matches that the user is shown. */
function readPage({ store }: Homeserver, { nums, rooms }: Matches, { readerOf, filter, offset, limit }: Wanted): Page {
  // Which rooms are searched is settled; among them are some that the filter does not name.
  const { rooms: _rooms, ...ofEvents } = filter
  const results: Result[] = []
  let end = offset
  for (; end < nums.length && results.length < limit; end++) {
    const reader = readerOf(rooms[end] ?? 0)
    const event = reader && findClientEventByNum(store, nums[end] ?? 0)
    if (!event || event.redactedBy !== null || !reader.maySee(event)) continue
    if (!passesFilter(store, ofEvents, event, reader.roomId)) continue
    results.push({ event, reader })
  }
  return { results, end }
}

type Printing = Readonly<{ words: readonly string[]; context: Criteria['event_context'] }>

function printResult(store: Store, result: Result, { words, context }: Printing): string {
  const { event, reader } = result
  const { content } = JSON.parse(`${event.body}}`) as { content: JsonObject }
  const rank = closeness(searchedText(event.type, content) ?? '', words)
  return `{"rank":${rank},"result":${reader.printAll([event])}${context ? `,"context":${printContext(store, result, context)}` : ''}}`
}

function printContext(store: Store, { event, reader }: Result, context: NonNullable<Criteria['event_context']>): string {
  const { before_limit: beforeLimit, after_limit: afterLimit, include_profile: withProfiles } = context
  const edge = reader.until === Infinity ? undefined : placeAt(store, reader.roomId, reader.until)
  const limits = [beforeLimit, afterLimit].map((limit) => readLimit(limit, CONTEXT_DEFAULT, CONTEXT_LIMIT))
  const earlier = readHistory(store, reader, { from: before(event), dir: 'b', limit: limits[0] ?? 0, filter: NO_EVENT_FILTER })
  const later = readHistory(store, reader, { from: after(event), to: edge, dir: 'f', limit: limits[1] ?? 0, filter: NO_EVENT_FILTER })
  const shown = [...earlier.events, event, ...later.events]
  return `{"start":"${printTimelineToken(earlier.end)}","end":"${printTimelineToken(later.end)}"` +
    `,"events_before":[${reader.printAll(earlier.events)}],"events_after":[${reader.printAll(later.events)}]${
      withProfiles ? `,"profile_info":${JSON.stringify(profilesOf(store, reader.roomId, shown, later.events.at(-1) ?? event))}` : ''}}`
}

/** Who the senders were at the time. */
function profilesOf(store: Store, roomId: RoomId, events: readonly ClientEvent[], { num }: ClientEvent): Record<string, JsonObject> {
  return Object.fromEntries(membersOf(store, roomId, events, num).map(({ stateKey, body }) => {
    const { content } = JSON.parse(`${body}}`) as { content: JsonObject }
    const said = (['displayname', 'avatar_url'] as const).flatMap((key) => {
      const value = ownValue(isJsonObject(content) ? content : {}, key)
      return typeof value === 'string' ? [[key, value] as const] : []
    })
    return [stateKey ?? '', Object.fromEntries(said)]
  }))
}

/** The current state of each room in the results, or that at the end of the user's stay. */
function printStates(store: Store, results: readonly Result[]): string {
  const readers = new Map(results.map(({ reader }) => [reader.roomId, reader]))
  const states = [...readers.values()].map(({ roomId, until, print }) => {
    const state = until === Infinity ? listCurrentState(store, roomId) : listStateAt(store, roomId, until)
    return `${JSON.stringify(roomId)}:[${state.map((event) => print(event)).join(',')}]`
  })
  return `{${states.join(',')}}`
}

type Grouped = { order: number; results: string[]; next_batch?: string }

function groupsOf(
  { store }: Homeserver,
  keys: NonNullable<NonNullable<Criteria['groupings']>['group_by']>,
  matches: Matches,
  { results, end }: Page,
  until: number,
): Record<string, Record<string, Grouped>> {
  return Object.fromEntries(keys.map(({ key }) => {
    const groups: Record<string, Grouped> = {}
    for (const { event, reader } of results) {
      const value = key === 'room_id' ? reader.roomId : event.sender
      const group = (groups[value] ??= { order: Object.keys(groups).length + 1, results: [] })
      group.results.push(event.eventId)
    }
    for (const [value, group] of Object.entries(groups)) {
      const num = store.names.find(value)
      const members = (key === 'room_id' ? matches.rooms : matches.senders).map((each) => each === num)
      const offset = members.slice(0, end).filter(Boolean).length
      if (members.indexOf(true, end) >= 0) group.next_batch = printPlace({ until, offset, group: { key, value } })
    }
    return [key, groups]
  }))
}
