import { isQuiet, printInvite, printJoinedRoom, printKnock, printLeftRoom, type RoomSection } from '#core/sync/assemble.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import { matchesRoom } from '#core/sync/filter.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { printFor } from '#store/client-events.ts'
import { type Sight, sightOf } from '#store/sight.ts'
import { roomAccountData } from './account-data.ts'
import { readEphemeral } from './ephemeral.ts'
import { membershipBefore, type RoomMembership, strippedStateFor } from './memberships.ts'
import { type Reading, unsignedFor } from './reading.ts'
import { readState } from './state.ts'
import { readSummary } from './summary.ts'
import { readTimeline, type Timeline } from './timeline.ts'

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

/** Invitations of ignored users are not shown (G-71). */
function invitation(reading: Reading, membership: RoomMembership): string | undefined {
  return reading.ignored.has(membership.sender) ? undefined : printInvite(strippedStateFor(reading, membership))
}

function joinedRoom(reading: Reading, membership: RoomMembership): string | undefined {
  const { roomId } = membership
  const isMoved = membership.position > reading.since
  const isNew = isMoved && (reading.isInitial || membershipBefore(reading, membership) !== 'join')
  const isWhole = isNew || reading.isFullState
  const since = isNew ? 0 : reading.since
  const sight = isNew ? sightOfNewRoom(reading, membership) : undefined
  const timeline = readTimeline(reading, { roomId, since, until: reading.until, sight })
  const summary = readSummaryIfChanged(reading, roomId, timeline, isWhole)
  const state = roomState(reading, { roomId, since: isWhole ? 0 : since, until: reading.until, timeline, more: summary?.heroes ?? [] })
  const section: RoomSection = {
    timeline: print(reading, roomId, timeline.events, sight),
    isLimited: timeline.isLimited,
    prevBatch: timeline.prevBatch,
    state: print(reading, roomId, state, undefined),
    isStateAfter: reading.stateAfter,
    ephemeral: readEphemeral(reading, roomId, since),
    accountData: roomAccountData(reading, roomId, isWhole),
    summary: summary?.text,
    counts: '',
  }
  return isQuiet(section) && !isNew ? undefined : printJoinedRoom(section)
}

/** Nothing from before the reader's join needs a look when the timeline starts behind it. */
function sightOfNewRoom({ store, userId }: Reading, { roomId }: RoomMembership): Sight {
  return sightOf(store, roomId, userId)
}

type StateOf = { roomId: RoomId; since: number; until: number; timeline: Timeline; more: readonly string[] }

/** State up to the start of the timeline, or up to its end where the client asks for `state_after`. */
function roomState(reading: Reading, { roomId, since, until, timeline, more }: StateOf): ClientEvent[] {
  const people = [...timeline.events.map(({ sender }) => sender), ...more]
  const start = timeline.events[0]?.num
  const at = reading.stateAfter === false && start !== undefined ? start - 1 : until
  // Everything that changed is in the timeline itself when that has no gap.
  const isComplete = !timeline.isLimited && since > 0 && reading.stateAfter === false
  return readState(reading, { roomId, at: isComplete ? Math.min(at, until) : at, since: isComplete ? at : since, people })
}

function readSummaryIfChanged({ store, userId }: Reading, roomId: RoomId, { events, isLimited }: Timeline, isWhole: boolean) {
  const mayHaveChanged = isWhole || isLimited || events.some(({ type }) => type === 'm.room.member')
  return mayHaveChanged ? readSummary(store, roomId, userId) : undefined
}

function print(reading: Reading, roomId: RoomId, events: readonly ClientEvent[], sight: Sight | undefined): string[] {
  return events.map((event) => printFor(reading.store, event, unsignedFor(reading, sight?.membershipAt(event.num) ?? 'join')))
}

/** A room is shown up to the reader's own leaving. */
function leftRoom(reading: Reading, membership: RoomMembership): string | undefined {
  const { roomId, position } = membership
  const isWhole = reading.isInitial || reading.isFullState
  const before = isWhole ? 'join' : membershipBefore(reading, membership)
  const sight = sightOf(reading.store, roomId, reading.userId)
  // Who never was in the room sees that the invitation or knock has ended, and nothing else.
  const wasInside = before === 'join'
  const since = wasInside ? (isWhole ? 0 : reading.since) : position - 1
  const timeline = readTimeline(reading, { roomId, since, until: position, sight })
  const state = wasInside ? roomState(reading, { roomId, since, until: position, timeline, more: [] }) : []
  return printLeftRoom({
    timeline: print(reading, roomId, timeline.events, sight),
    isLimited: wasInside && timeline.isLimited,
    prevBatch: timeline.prevBatch,
    state: print(reading, roomId, state, sight),
    isStateAfter: reading.stateAfter,
    ephemeral: [],
    accountData: roomAccountData(reading, roomId, isWhole),
    summary: undefined,
    counts: '',
  })
}
