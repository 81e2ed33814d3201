import type { ClientEvent } from '#core/sync/client-event.ts'
import { countMark, LIVE, NEVER, noteSent, placeOfWish, type SentRoom } from '#core/sync/connection.ts'
import { isCovered, parseWish, type StateWish, unionOf } from '#core/sync/required-state.ts'
import { printSlidingRoom, type RoomAnswer } from '#core/sync/sliding-answer.ts'
import type { RoomConfig } from '#core/sync/sliding-request.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { bundlesFor } from '#store/bundles.ts'
import { printFor } from '#store/client-events.ts'
import { erasureFor } from '#store/erasure.ts'
import { findReach } from '#store/members.ts'
import type { Membership } from '#store/memberships.ts'
import { type Sight, sightOf } from '#store/sight.ts'
import { findStateContent } from '#store/state-content.ts'
import { hasReadBetween } from '#store/sync/ephemeral.ts'
import { findRoomMembership, hasJoinedBetween, knownUpTo, listInviters, type RoomMembership, strippedStateFor } from '#store/sync/memberships.ts'
import { listHeroes } from '#store/sync/summary.ts'
import { type UnreadCount, unreadCounts } from '#store/unread.ts'
import { activityOf } from './known-rooms.ts'
import { beginAnew, knowsMember, noteMember, type SlidingReading, unsignedFor } from './reading.ts'
import { hasEverJoined, type ListedRoom } from './room-list.ts'
import { listRemovedState, readChangedMembers, readMemberChanges, readNewlyWished, readStateChanges, readTimelineMembers, readWished, type StateWindow } from './state.ts'
import { countLive, readHistory, readNews, type SlidingTimeline } from './timeline.ts'

/** Changes of members in one room that a client gets though it may have been told of none of them. */
const FEW_MEMBERS = 100

export type WantedRoom = Readonly<{
  listed: ListedRoom
  config: RoomConfig
  /** Names of the lists in which it is. */
  lists: readonly string[]
}>

/** What one room has to tell this connection, as JSON text; undefined: nothing. Notes what was sent. */
export function readSlidingRoom(reading: SlidingReading, wanted: WantedRoom): string | undefined {
  const { listed, config } = wanted
  const { room: { roomId }, membership } = listed
  const sent = reading.connection.rooms.get(roomId)
  if (sent && !mayHaveNews(reading, sent, wanted)) return undefined
  const answer = membership ? readOutside(reading, wanted, membership, sent) : readInside(reading, wanted, sent)
  if (!answer) return undefined
  const { text, wish, covered } = answer
  noteSent(reading.connection, reading.move, roomId, {
    accountData: NEVER,
    ...sent,
    // What was read while the reader was outside, or before, is told with a room that begins anew.
    receipts: sent && !text?.isInitial ? sent.receipts : NEVER,
    sent: LIVE,
    covered: covered ?? config.timelineLimit,
    wish: placeOfWish(reading.connection, reading.move, (wish ?? config.wish).text),
    isDm: reading.direct.has(roomId),
  })
  return text === undefined ? undefined : printSlidingRoom(text, reading.form)
}

/** `text` undefined: nothing to tell, but something to note. */
type Told = Readonly<{ text: RoomAnswer | undefined; wish?: StateWish; covered?: number }>

const sentUpTo = ({ since }: SlidingReading, { sent }: SentRoom): number => (sent === LIVE ? since : sent)

function mayHaveNews(reading: SlidingReading, sent: SentRoom, { listed: { room: { roomId }, membership, place }, config }: WantedRoom): boolean {
  const { connection, direct } = reading
  const from = sentUpTo(reading, sent)
  if (sent.isDm !== direct.has(roomId)) return true
  if (membership) return membership.position > from
  return sent.sent !== LIVE || config.timelineLimit > sent.covered || isWider(connection.wishes[sent.wish], config.wish) ||
    (from < reading.floor ? place > from : reading.mayHaveMoved(roomId, 'timeline', from)) || hasReadOn(reading, roomId, from)
}

/** The counts of the form in use change with what the user reads on any of their devices. */
const hasReadOn = ({ form, store, userId, until, mayHaveMoved }: SlidingReading, roomId: RoomId, since: number): boolean =>
  form === 'unstable' && mayHaveMoved(roomId, 'receipts', since) && hasReadBetween(store, { roomId, userId, since, until })

const isWider = (before: string | undefined, wish: StateWish): boolean =>
  before !== wish.text && (before === undefined || !isCovered(wish, parseWish(before)))

/** A room that the reader is in. */
function readInside(reading: SlidingReading, { listed, config, lists }: WantedRoom, sent: SentRoom | undefined): Told | undefined {
  const { store, userId, until } = reading
  const { room, place } = listed
  const { roomId } = room
  const from = sent ? sentUpTo(reading, sent) : 0
  const isInitial = sent === undefined || hasComeIn(reading, roomId, from)
  const isExpanded = !isInitial && config.timelineLimit > sent.covered
  const sight = isInitial || isExpanded ? sightFrom(reading, roomId) : undefined
  const window = { roomId, until, limit: config.timelineLimit, sight }
  const timeline = isInitial || isExpanded ? readHistory(reading, window) : readNews(reading, { ...window, since: from })
  const state = readRequired(reading, { roomId, config, timeline, sent, from, until, isInitial, isNow: true })
  const isDm = reading.direct.has(roomId)
  const hasNews = timeline.events.some(({ num }) => num > from) || timeline.isLimited || state.events.length > 0 || state.removed.length > 0
  const hasOlder = isExpanded && timeline.events.filter(({ num }) => num <= from).length > sent.covered
  const covered = isInitial || isExpanded || timeline.isLimited ? config.timelineLimit : sent.covered
  const noted = { wish: state.wish, covered }
  const unread = reading.form === 'v4' ? undefined : unreadCounts(store, userId, roomId)
  if (!isInitial && !hasNews && !hasOlder && sent.isDm === isDm && !hasOtherCounts(reading, roomId, { from, unread })) return { text: undefined, ...noted }
  if (unread) reading.move.counts.set(roomId, countMark(unread))
  if (timeline.events[0]) reading.shownFrom.set(roomId, timeline.events[0].num)
  if (hasOlder) reading.expanded.add(roomId)
  const summary = readSummary(reading, roomId, { isInitial, state: state.events, changed: state.changed, hasMembers: state.hasMembers })
  return {
    text: {
      isInitial,
      ...summary,
      isDm: (isInitial && isDm) || (sent !== undefined && sent.isDm !== isDm) ? isDm : undefined,
      isExpanded: hasOlder,
      requiredState: printState(reading, state, 'join'),
      timeline: printTimeline(reading, roomId, config, { timeline, sight, until: Infinity }),
      unread,
      bumpStamp: activityOf(store, room, place, until),
      membership: 'join',
      lists,
    },
    ...noted,
  }
}

/** Of a connection from before a restart it is not known what it was told. */
function hasOtherCounts(reading: SlidingReading, roomId: RoomId, { from, unread }: { from: number; unread: UnreadCount | undefined }): boolean {
  const told = reading.connection.counts.get(roomId)
  return unread !== undefined && (told === undefined ? hasReadOn(reading, roomId, from) : told !== countMark(unread))
}

/** What the reader may see of a room that they are in: everything since they came, and before that what the rules say. */
function sightFrom({ store, userId }: SlidingReading, roomId: RoomId): Sight {
  const joinedAt = findRoomMembership(store, userId, roomId)?.position ?? Infinity
  let known: Sight | undefined
  const before = (): Sight => (known ??= sightOf(store, roomId, userId))
  return {
    maySee: (num) => num >= joinedAt || before().maySee(num),
    membershipAt: (num) => (num >= joinedAt ? 'join' : before().membershipAt(num)),
  }
}

/** Whether the reader was outside at some time since; to them the room is then new. */
function hasComeIn({ store, userId, until }: SlidingReading, roomId: RoomId, from: number): boolean {
  const own = findRoomMembership(store, userId, roomId)
  if (!own || own.position <= from) return false
  const sight = sightOf(store, roomId, userId)
  const changes = store.db
    .query<{ position: number }, [number, number, number, number, number]>(
      'SELECT position FROM state_changes WHERE room = ? AND type = ? AND state_key = ? AND position > ? AND position <= ?')
    .all(store.names.find(roomId) ?? -1, store.names.find('m.room.member') ?? -1, store.names.find(userId) ?? -1, from, until)
  return [from, ...changes.map(({ position }) => position)].some((position) => sight.membershipAt(position) !== 'join')
}

/** Someone who was invited, knocks, or is out again. */
function readOutside(reading: SlidingReading, { config, lists }: WantedRoom, membership: RoomMembership, sent: SentRoom | undefined): Told | undefined {
  const { roomId, position } = membership
  const answer = { isInitial: sent === undefined, bumpStamp: position, membership: membership.membership, lists }
  if (sent && position <= sentUpTo(reading, sent)) return { text: undefined }
  if (membership.membership === 'invite' || membership.membership === 'knock') {
    if (sent) beginAnew(reading, roomId)
    return { text: { ...answer, isInitial: true, strippedState: strippedStateFor(reading, membership) }, covered: 0 }
  }
  if (!hasEverJoined(reading.store, reading.userId, roomId)) return { text: { ...answer, ...readRefusal(reading, config.wish, membership) }, covered: 0 }
  const from = sent ? sentUpTo(reading, sent) : 0
  const isInitial = sent === undefined
  const sight = sightOf(reading.store, roomId, reading.userId)
  const window = { roomId, until: position, limit: config.timelineLimit, sight }
  const known = isInitial ? from : knownBefore(reading, membership, from)
  const news = isInitial ? readHistory(reading, window) : readNews(reading, { ...window, since: from })
  const timeline = known === from ? news : { ...news, isLimited: true }
  // Someone who is banned after they have left sees that, but not what else has changed since.
  const until = Math.min(position, findReach(reading.store, roomId, reading.userId) ?? position)
  const state = readRequired(reading, { roomId, config, timeline, sent, from: known, until, isInitial, isNow: false })
  const summary = readNames(reading, roomId, { until, isInitial, changed: state.changed })
  const own = until < position ? readOwnMember(reading, config.wish, membership) : []
  const events = state.events.filter(({ type, stateKey }) => own.length === 0 || type !== 'm.room.member' || stateKey !== reading.userId)
  const requiredState = printState(reading, { ...state, events: [...events, ...own] }, membership.membership)
  return {
    text: { ...answer, ...summary, isInitial, requiredState, timeline: printTimeline(reading, roomId, config, { timeline, sight, until: position }) },
    wish: state.wish,
    covered: config.timelineLimit,
  }
}

/**
 * From where on the client has to be told what became of a room that the reader is out of: of one that they came into
 * and went out of again since, also what had changed while they were outside before.
 */
function knownBefore({ store, userId }: SlidingReading, membership: RoomMembership, from: number): number {
  if (!hasJoinedBetween({ store, userId, since: from, until: membership.position }, membership)) return from
  return knownUpTo({ store, userId, since: from }, membership.roomId) ?? 0
}

/** An invitation or a knock has come to nothing: the reader sees their own member event, and no more of the room. */
function readRefusal(reading: SlidingReading, wish: StateWish, membership: RoomMembership): Partial<RoomAnswer> {
  if (reading.form === 'v4') return { isInitial: false, strippedState: strippedStateFor(reading, membership) }
  const own = readOwnMember(reading, wish, membership)
  return { requiredState: own.map((event) => printFor(reading.store, event, unsignedFor(reading, membership.membership))) }
}

/** The reader's own newest member event, where members are wished for. */
function readOwnMember({ store, userId }: SlidingReading, wish: StateWish, { roomId, position }: RoomMembership): ClientEvent[] {
  const isWished = wish.lazyMembers || wish.wants('m.room.member', userId)
  return isWished ? readMemberChanges(store, { roomId, since: position - 1, until: position }).filter(({ stateKey }) => stateKey === userId) : []
}

type RequiredOf = Readonly<{
  roomId: RoomId
  config: RoomConfig
  timeline: SlidingTimeline
  sent: SentRoom | undefined
  from: number
  until: number
  isInitial: boolean
  isNow: boolean
}>

type Required = Readonly<{
  events: readonly ClientEvent[]
  removed: readonly { type: string; stateKey: string }[]
  /** All state but members that changed; undefined in an initial answer. */
  changed: readonly ClientEvent[] | undefined
  hasMembers: boolean
  /** For which wish the client is up to date now. */
  wish: StateWish
}>

function readRequired(reading: SlidingReading, of: RequiredOf): Required {
  const { roomId, config: { wish }, timeline, sent, until, isInitial, isNow } = of
  const wanted = { roomId, wish, at: until, isNow }
  const people = wish.lazyMembers ? timeline.events : []
  if (isInitial || !sent) {
    if (sent) beginAnew(reading, roomId)
    const known = sent && knownUpTo({ store: reading.store, userId: reading.userId, since: of.from }, roomId)
    // Who comes again still has the members of then.
    const missed = known === undefined ? [] : readWishedMembers(reading, of, { roomId, since: known, until })
    const more = sent && wish.lazyMembers ? listInviters(reading, roomId) : []
    const events = [...readWished(reading, wanted), ...missed, ...readTimelineMembers(reading, { roomId, at: until, events: people, more })]
    return { events: [...new Map(events.map((event) => [event.num, event])).values()], removed: [], changed: undefined, hasMembers: true, wish }
  }
  const window = { roomId, since: of.from, until }
  const hasMembers = reading.mayHaveMoved(roomId, 'membership', of.from)
  const changed = reading.mayHaveMoved(roomId, 'timeline', of.from) ? readStateChanges(reading.store, window) : []
  const members = hasMembers ? readWishedMembers(reading, of, window) : []
  const before = reading.connection.wishes[sent.wish]
  const isNewWish = isWider(before, wish)
  const added = isNewWish && before !== undefined ? readNewlyWished(reading, wanted, before) : isNewWish ? readWished(reading, wanted) : []
  const isLazyAgain = wish.lazyMembers && before !== undefined && isNewWish && !parseWish(before).lazyMembers
  const lazy = [...(isLazyAgain ? readChangedMembers(reading, roomId, until) : []), ...readTimelineMembers(reading, { roomId, at: until, events: people })]
  const events = new Map([...changed, ...members, ...added, ...lazy].filter(isWanted(wish, members, lazy)).map((event) => [event.num, event]))
  const removed = reading.form === 'v4' && changed.length + members.length > 0
    ? listRemovedState(reading.store, window).filter(({ type, stateKey }) => wish.wants(type, stateKey))
    : []
  return { events: [...events.values()], removed, changed, hasMembers, wish: wishAfter(before, wish, changed) }
}

/** Members were chosen already; everything else has to be wished for. */
const isWanted = (wish: StateWish, ...chosen: readonly (readonly ClientEvent[])[]) => {
  const known = new Set(chosen.flat().map(({ num }) => num))
  return ({ num, type, stateKey }: ClientEvent): boolean => known.has(num) || wish.wants(type, stateKey ?? '')
}

/**
 * Without a gap all changes of members are told, so that a client that knows all of them stays up to date; with one, only
 * those of whom it has been told, or all if that is not known any more and they are few.
 */
function readWishedMembers(reading: SlidingReading, { roomId, config: { wish }, timeline }: RequiredOf, window: StateWindow): ClientEvent[] {
  const takesAll = wish.members === 'all' || (wish.lazyMembers && !timeline.isLimited)
  if (!takesAll && !wish.lazyMembers && wish.members.length === 0) return []
  const changes = readMemberChanges(reading.store, window)
  const mayKnowAny = reading.connection.isForgetful && changes.length <= FEW_MEMBERS
  const isKnown = (userId: string): boolean => wish.lazyMembers && (mayKnowAny || knowsMember(reading, roomId, userId))
  const wished = takesAll ? changes : changes.filter(({ stateKey }) => wish.wants('m.room.member', stateKey ?? '') || isKnown(stateKey ?? ''))
  for (const { stateKey, num } of wished) noteMember(reading, roomId, stateKey ?? '', num)
  return wished
}

/** A client that asks for less keeps what it has, as long as nothing of that changes behind its back. */
function wishAfter(before: string | undefined, wish: StateWish, changed: readonly ClientEvent[]): StateWish {
  if (before === undefined || before === wish.text) return wish
  const old = parseWish(before)
  const hasMissed = changed.some(({ type, stateKey }) => old.wants(type, stateKey ?? '') && !wish.wants(type, stateKey ?? ''))
  if (hasMissed || old.members === 'all' || old.lazyMembers !== wish.lazyMembers) return wish
  return isCovered(wish, old) ? old : unionOf(old, wish)
}

const contentOf = ({ body }: ClientEvent): Record<string, unknown> => (JSON.parse(`${body}}`) as { content: Record<string, unknown> }).content

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const textIn = (content: string | undefined, key: string): string | undefined =>
  content === undefined ? undefined : textOf((JSON.parse(content) as Record<string, unknown>)[key])

type NamesOf = Readonly<{
  until: number
  isInitial: boolean
  changed: readonly ClientEvent[] | undefined
  /** Where they may stand, so that they need not be looked up. */
  state?: readonly ClientEvent[] | undefined
}>

/** Name and picture where they are new; JSON null where they are gone. */
function readNames({ store }: SlidingReading, roomId: RoomId, { until, isInitial, changed = [], state = changed }: NamesOf): Pick<RoomAnswer, 'name' | 'avatar'> {
  const read = (type: string, key: string): string | undefined => {
    const isPlace = (event: ClientEvent): boolean => event.type === type && event.stateKey === ''
    if (!isInitial && !changed.some(isPlace)) return undefined
    const event = state.find(isPlace)
    const text = event ? textOf(contentOf(event)[key]) : textIn(findStateContent(store, roomId, [type, ''], until), key)
    return text === undefined ? (isInitial ? undefined : 'null') : JSON.stringify(text)
  }
  return { name: read('m.room.name', 'name'), avatar: read('m.room.avatar', 'url') }
}

type SummaryOf = Readonly<{ isInitial: boolean; state: readonly ClientEvent[] | undefined; changed: readonly ClientEvent[] | undefined; hasMembers: boolean }>

function readSummary(reading: SlidingReading, roomId: RoomId, { isInitial, state, changed, hasMembers }: SummaryOf): Partial<RoomAnswer> {
  const { store, userId } = reading
  const names = readNames(reading, roomId, { until: Infinity, isInitial, changed, state })
  const isRenamed = names.name !== undefined
  if (!isInitial && !hasMembers && !isRenamed) return names
  const hasName = isRenamed ? names.name !== 'null' : textIn(findStateContent(store, roomId, ['m.room.name', ''], Infinity), 'name') !== undefined
  const counts = store.db
    .query<{ joined: number; invited: number }, [number]>('SELECT joined, invited FROM rooms WHERE room = ?')
    .get(store.names.find(roomId) ?? -1)
  return {
    ...names,
    heroes: hasName ? undefined : JSON.stringify(listHeroes(store, roomId, userId).map((hero) => describeHero(reading, roomId, hero))),
    joinedCount: counts?.joined ?? 0,
    invitedCount: counts?.invited ?? 0,
  }
}

function describeHero({ store }: SlidingReading, roomId: RoomId, hero: string): Record<string, string> {
  const content = findStateContent(store, roomId, ['m.room.member', hero], Infinity)
  const [displayname, avatarUrl] = [textIn(content, 'displayname'), textIn(content, 'avatar_url')]
  return { user_id: hero, ...(displayname === undefined ? {} : { displayname }), ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }) }
}

function printState(reading: SlidingReading, { events, removed }: Required, membership: Membership): string[] {
  const printed = events.map((event) => printFor(reading.store, event, unsignedFor(reading, membership)))
  return [...printed, ...removed.map(({ type, stateKey }) => JSON.stringify({ type, state_key: stateKey }))]
}

type PrintedOf = Readonly<{ timeline: SlidingTimeline; sight: Sight | undefined; until: number }>

/** With a gap in front of it a client cannot put together what relates to what by itself. */
function printTimeline(reading: SlidingReading, roomId: RoomId, { timelineLimit }: RoomConfig, { timeline, sight, until }: PrintedOf): RoomAnswer['timeline'] {
  if (timelineLimit === 0) return undefined
  const { store, userId, since, isFirst, ignored } = reading
  const isAllSeen = !sight || timeline.events.every(({ num }) => sight.membershipAt(num) === 'join')
  const erase = isAllSeen ? (event: ClientEvent) => event : erasureFor(store, roomId, sight)
  const print = (event: ClientEvent, relations?: string): string =>
    printFor(store, erase(event), { ...unsignedFor(reading, sight?.membershipAt(event.num) ?? 'join'), relations })
  const maySee = ({ num, sender }: ClientEvent): boolean => (sight?.maySee(num) ?? true) && !ignored.has(sender)
  const bundles = timeline.isLimited
    ? bundlesFor(store, timeline.events, { userId, until, ignored: () => ignored, maySee, print })
    : undefined
  return {
    events: timeline.events.map((event) => print(event, bundles?.get(event.num))),
    isLimited: timeline.isLimited,
    prevBatch: timeline.prevBatch,
    live: isFirst ? 0 : countLive(timeline.events, since),
  }
}
