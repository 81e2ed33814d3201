import { isQuiet, printInvite, printJoinedRoom, printKnock, printLeftRoom, type RoomSection } from '#core/sync/assemble.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import { isSelective, matchesRoom } from '#core/sync/filter.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { bundlesFor } from '#store/bundles.ts'
import { findClientEventByNum } from '#store/client-events.ts'
import { passesFilter } from '#store/event-filter.ts'
import { findInvitePermission } from '#store/invite-permission.ts'
import { findReach } from '#store/members.ts'
import { type Sight, sightOf } from '#store/sight.ts'
import { listStickyEvents } from '#store/sticky-events.ts'
import { roomAccountData } from './account-data.ts'
import { readCounts } from './counts.ts'
import { hasReadBetween, readEphemeral } from './ephemeral.ts'
import { hasJoinedBetween, knownUpTo, listInviters, membershipAtToken, membershipBefore, type RoomMembership, strippedStateFor } from './memberships.ts'
import { type Print, printerFor } from './print.ts'
import type { Reading } from './reading.ts'
import { sharedWindow } from './shared-windows.ts'
import { readHiddenState, readState } from './state.ts'
import { readSummary } from './summary.ts'
import { emptyTimeline, readTimeline, type Timeline } from './timeline.ts'

export type RoomTexts = Readonly<{
  join: Map<string, string>
  invite: Map<string, string>
  knock: Map<string, string>
  leave: Map<string, string>
}>

/** The rooms that have something to say, each as JSON text under its section. */
export function readRooms(reading: Reading, memberships: readonly RoomMembership[]): RoomTexts {
  const texts: RoomTexts = { join: new Map(), invite: new Map(), knock: new Map(), leave: new Map() }
  for (const membership of memberships) {
    const { roomId } = membership
    if (!matchesRoom(reading.filter.room, roomId)) continue
    if (membership.membership === 'join') keep(texts.join, roomId, joinedRoom(reading, membership))
    else if (membership.position <= reading.since && !reading.isFullState) continue
    else if (membership.membership === 'invite') keep(texts.invite, roomId, invitation(reading, membership))
    else if (membership.membership === 'knock') keep(texts.knock, roomId, printKnock(strippedStateFor(reading, membership)))
    else keep(texts.leave, roomId, leftRoom(reading, membership))
  }
  return texts
}

function keep(texts: Map<string, string>, roomId: string, text: string | undefined): void {
  if (text !== undefined) texts.set(roomId, text)
}

/** Invitations of ignored users are not shown (G-71), nor are those that the reader has rules to ignore. */
function invitation(reading: Reading, membership: RoomMembership): string | undefined {
  const { sender } = membership
  const isHidden = reading.ignored.has(sender) || findInvitePermission(reading.store, reading.userId, sender) === 'ignore'
  return isHidden ? undefined : printInvite(strippedStateFor(reading, membership))
}

function joinedRoom(reading: Reading, membership: RoomMembership): string | undefined {
  const { roomId } = membership
  const isMoved = membership.position > reading.since
  const isNew = isMoved && (reading.isInitial || membershipBefore(reading, membership) !== 'join')
  const isWhole = isNew || reading.isFullState
  const since = isNew ? 0 : reading.since
  const sight = isNew ? sightOfNewRoom(reading, membership) : undefined
  const print = printerFor(reading, roomId, sight)
  const timeline = readTimeline(reading, { roomId, since, until: reading.until, sight, stateAt: reading.until })
  const summary = readSummaryIfChanged(reading, roomId, timeline, isWhole)
  const known = isNew && !reading.isInitial ? knownUpTo(reading, roomId) : undefined
  const state = roomState(reading, {
    roomId,
    since: isWhole ? 0 : since,
    until: reading.until,
    timeline,
    more: [...(summary?.heroes ?? []), ...(isNew && !reading.isInitial ? listInviters(reading, roomId) : [])],
    knownUpTo: known,
  })
  const section: RoomSection = {
    timeline: printTimeline(reading, timeline, { sight, until: Infinity, print }),
    isLimited: timeline.isLimited || (isNew && !reading.isInitial && hasGap(timeline, known)),
    prevBatch: timeline.prevBatch,
    state: state.map((event) => print(event)),
    isStateAfter: reading.stateAfter,
    ephemeral: readEphemeral(reading, roomId, since),
    accountData: roomAccountData(reading, roomId, isWhole),
    summary: summary?.text,
    counts: stickyMember(reading, { roomId, since, shown: timeline.events, print }),
  }
  if (isQuiet(section) && !isNew && !hasReadOn(reading, roomId)) return undefined
  const counts = [section.counts, readCounts(reading, roomId)].filter((text) => text !== '').join(',')
  return printJoinedRoom({ ...section, counts })
}

/** Counts are told also to a client that wants no receipts. */
const hasReadOn = ({ store, userId, since, until, filter, mayHaveMoved }: Reading, roomId: RoomId): boolean =>
  isSelective(filter.room.ephemeral) && mayHaveMoved(roomId, 'receipts') && hasReadBetween(store, { roomId, userId, since, until })

/**
 * To a client that was not told of the room before, whatever lies in front of the timeline is a gap; to one that was, the
 * timeline does not go on where theirs ended.
 */
const hasGap = ({ events }: Timeline, known: number | undefined): boolean => events[0]?.type !== 'm.room.create' || known !== undefined

type Sticky = Readonly<{ roomId: RoomId; since: number; shown: readonly ClientEvent[]; print: Print }>

/** Sticky events that a gap has left out of the timeline, whatever the filter (MSC4354). */
function stickyMember(reading: Reading, { roomId, since, shown, print }: Sticky): string {
  const { store, until, now, ignored } = reading
  if (since > 0 && !reading.mayHaveMoved(roomId, 'timeline')) return ''
  const events = sharedWindow(reading, `sticky ${Math.trunc(now / 1_000)}`, { roomId, since, until }, () => listStickyEvents(store, { roomId, since, until, now }))
    .filter(({ num, sender }) => !ignored.has(sender) && !shown.some((event) => event.num === num))
  return events.length === 0 ? '' : `"msc4354_sticky":{"events":[${events.map((event) => print(event)).join(',')}]}`
}

/** From the reader's newest own member event on they are in and may see all; only what lies before needs a look. */
function sightOfNewRoom({ store, userId }: Reading, { roomId, position }: RoomMembership): Sight {
  let past: Sight | undefined
  const before = (): Sight => (past ??= sightOf(store, roomId, userId))
  return {
    maySee: (num) => num >= position || before().maySee(num),
    membershipAt: (num) => (num >= position ? 'join' : before().membershipAt(num)),
  }
}

type StateOf = { roomId: RoomId; since: number; until: number; timeline: Timeline; more: readonly string[]; knownUpTo?: number | undefined }

/** State up to the start of the timeline, or up to its end where the client asks for `state_after`. */
function roomState(reading: Reading, { roomId, since, until, timeline, more, knownUpTo }: StateOf): ClientEvent[] {
  const people = [...timeline.events.map(({ sender }) => sender), ...more]
  const start = timeline.events[0]?.num
  const isAtEnd = reading.stateAfter !== false
  const at = !isAtEnd && start !== undefined ? Math.min(start - 1, until) : until
  // Everything that changed is in the timeline itself when that has no gap.
  const isComplete = !timeline.isLimited && since > 0 && !isAtEnd
  const state = readState(reading, { roomId, at: isComplete ? Math.min(at, until) : at, since: isComplete ? at : since, people, knownUpTo })
  if (isAtEnd || !isSelective(reading.filter.room.timeline)) return state
  const hidden = readHiddenState(reading, { roomId, at: until, since: isComplete ? since : at, shown: timeline.events })
  const places = new Set(hidden.map(placeOf))
  return [...state.filter((event) => !places.has(placeOf(event))), ...hidden]
}

const placeOf = ({ type, stateKey }: ClientEvent): string => `${type} ${stateKey}`

function readSummaryIfChanged(reading: Reading, roomId: RoomId, { events, isLimited }: Timeline, isWhole: boolean) {
  const { store, userId, filter, mayHaveMoved } = reading
  const isHidden = isSelective(filter.room.timeline) && mayHaveMoved(roomId, 'membership')
  const mayHaveChanged = isWhole || isLimited || isHidden || events.some(({ type }) => type === 'm.room.member')
  return mayHaveChanged ? readSummary(store, roomId, userId) : undefined
}

type Printing = Readonly<{ sight: Sight | undefined; until: number; print: Print }>

/**
 * With a gap in front of it a client cannot have put together what relates to what by itself.
 * spec: client-server-api#aggregations-of-child-events
 */
function printTimeline(reading: Reading, { events, isLimited }: Timeline, { sight, until, print }: Printing): string[] {
  const { store, userId } = reading
  if (!isLimited) return events.map((event) => print(event))
  const maySee = ({ num, sender }: ClientEvent): boolean => (sight?.maySee(num) ?? true) && !reading.ignored.has(sender)
  const bundles = bundlesFor(store, events, { userId, until, ignored: () => reading.ignored, maySee, print })
  return events.map((event) => print(event, bundles.get(event.num)))
}

/** A room is shown up to the reader's own leaving; that they were banned later is told, but not what else has become of it. */
function leftRoom(reading: Reading, membership: RoomMembership): string | undefined {
  const { roomId, position, event } = membership
  const isWhole = reading.isInitial || reading.isFullState
  const reach = findReach(reading.store, roomId, reading.userId)
  const before = !isWhole ? membershipAtToken(reading, membership) : reach === undefined ? 'invite' : 'join'
  const inside = sightOf(reading.store, roomId, reading.userId)
  // A ban is told to whom it is about, even if they were outside before: in the timeline where nothing stands behind that.
  const isTold = (num: number): boolean => num === event && reading.stateAfter === false
  const sight: Sight = { ...inside, maySee: (num) => isTold(num) || inside.maySee(num) }
  // Who never was in the room sees that the invitation or knock has ended, or that they are banned, and nothing else.
  const cameAndWent = before !== 'join' && hasJoinedBetween(reading, membership)
  const wasInside = before === 'join' || cameAndWent
  const wasAsked = before === 'invite' || before === 'knock'
  const since = wasInside ? (isWhole || cameAndWent ? 0 : reading.since) : position - 1
  const print = printerFor(reading, roomId, sight)
  // Where it can be told as state it is: alone in a timeline it would hide that there is a gap in front of it.
  const hasTimeline = wasInside || (wasAsked && reading.stateAfter === false)
  const until = Math.min(position, reach ?? position)
  const timeline = hasTimeline ? readTimeline(reading, { roomId, since, until: position, sight, stateAt: wasInside ? until : 0 }) : emptyTimeline(since)
  const known = cameAndWent ? knownUpTo(reading, roomId) : undefined
  const state = wasInside
    ? withOwnMember(reading, membership, roomState(reading, { roomId, since, until, timeline, more: [], knownUpTo: known }))
    : hasTimeline ? [] : readState(reading, { roomId, at: position, since, people: [] })
  return printLeftRoom({
    timeline: printTimeline(reading, timeline, { sight, until: position, print }),
    isLimited: wasInside && (timeline.isLimited || (cameAndWent && !isWhole && hasGap(timeline, known))),
    prevBatch: timeline.prevBatch,
    state: state.map((event) => print(event)),
    isStateAfter: reading.stateAfter,
    ephemeral: [],
    accountData: roomAccountData(reading, roomId, isWhole),
    summary: undefined,
    counts: '',
  })
}

/** In a state that is to be that of the end, the reader's membership is the newest, though the rest may be older. */
function withOwnMember({ store, stateAfter, filter }: Reading, { event, roomId }: RoomMembership, state: readonly ClientEvent[]): readonly ClientEvent[] {
  const own = stateAfter === false || state.some(({ num }) => num === event) ? undefined : findClientEventByNum(store, event)
  if (!own || !passesFilter(store, filter.room.state, own, roomId)) return state
  return [...state.filter((each) => placeOf(each) !== placeOf(own)), own]
}
