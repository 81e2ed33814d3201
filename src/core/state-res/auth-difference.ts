import type { RoomEvent } from '#schema/pdu.ts'
import { stateKeyOfEvent } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'
import { type StateConflict, authEventIds, conflictedEvents } from './conflict.ts'
import { createHeap } from './heap.ts'

/** Which of the states reach an event, one bit for each. */
type Reach = bigint

/**
 * The auth difference: every event that is in the auth chain of some of the states but not of all. An event
 * of a state counts as part of that state's chain, as every server in use has it: so what all states share is
 * never in the difference, and what they do not share is in the full conflicted set anyway.
 *
 * The walk goes from the newest event back and passes on which states reach what. By the time an event is
 * looked at, everything that might cite it has been, so its reach is final. What all states reach is common
 * ground; when nothing else is left to look at, the walk ends, however long the chains below are. Whether the
 * shared state leads to an event that only some states reach is settled from two ends: first the shared
 * events most likely to (those that took its place) join the walk, and only if that does not settle it, all
 * shared events newer than it do.
 * spec: rooms/v2#definitions
 */
export function authDifference(conflict: StateConflict): Map<EventId, RoomEvent> {
  const { conflicted, unconflicted, event, order } = conflict
  const [anyEntry = []] = conflicted.values()
  const everyState: Reach = (1n << BigInt(anyEntry.length)) - 1n
  const reaches = new Map<EventId, Reach>()
  const queue = createHeap<{ event: RoomEvent; order: number }>((one, other) => other.order - one.order)
  const difference = new Map<EventId, RoomEvent>()
  // Events in the queue that are not known to be common ground.
  let undecided = 0

  const reach = (id: EventId, by: Reach): void => {
    const known = reaches.get(id)
    if (known === undefined) return meet(id, by)
    const joined = known | by
    if (joined === known) return
    reaches.set(id, joined)
    if (joined === everyState) undecided -= 1
  }
  const meet = (id: EventId, by: Reach): void => {
    const found = event(id)
    if (found === undefined) return
    reaches.set(id, by)
    queue.push({ event: found, order: order(id) })
    if (by === everyState) return
    undecided += 1
    const key = stateKeyOfEvent(found)
    const shared = key === undefined ? undefined : unconflicted(key)
    // It may be this very event, or the one that took its place and cites it.
    if (shared !== undefined) reach(shared, everyState)
  }
  const sharedNewestFirst = readAhead(conflict)

  conflicted.forEach((ids) => ids.forEach((id, state) => id !== undefined && reach(id, 1n << BigInt(state))))
  while (undecided > 0) {
    const next = queue.peek()
    if (next === undefined) break
    if (reaches.get(next.event.eventId) !== everyState) {
      const newer = sharedNewestFirst(next.order)
      newer.forEach((id) => reach(id, everyState))
      // They come first now: one of them may lead here.
      if (queue.peek() !== next) continue
      difference.set(next.event.eventId, next.event)
      undecided -= 1
    }
    queue.pop()
    const by = reaches.get(next.event.eventId) ?? everyState
    for (const id of authEventIds(next.event)) reach(id, by)
  }
  return difference
}

/** Reads the shared state on demand: each call answers those above `order` that earlier calls have not. */
function readAhead(conflict: StateConflict): (above: number) => EventId[] {
  const { stateNewestFirst, unconflicted, event, order } = conflict
  let rest: Iterator<EventId> | undefined
  let next: EventId | undefined
  const advance = () => {
    const { done, value } = (rest ??= stateNewestFirst()[Symbol.iterator]()).next()
    next = done === true ? undefined : value
  }
  const isShared = (id: EventId): boolean => {
    const found = event(id)
    const key = found === undefined ? undefined : stateKeyOfEvent(found)
    return key !== undefined && unconflicted(key) === id
  }
  return (above) => {
    if (rest === undefined) advance()
    const newer: EventId[] = []
    for (; next !== undefined && order(next) > above; advance()) if (isShared(next)) newer.push(next)
    return newer
  }
}

/**
 * The conflicted state subgraph: every event on a path of auth events from one conflicted event to another,
 * both ends included. Nothing older than the oldest conflicted event leads to one, so the walk ends there.
 * spec: rooms/v12#definitions
 */
export function conflictedSubgraph(conflict: StateConflict): Map<EventId, RoomEvent> {
  const { event, order } = conflict
  const subgraph = conflictedEvents(conflict)
  const oldest = [...subgraph.keys()].reduce((least, id) => Math.min(least, order(id)), Infinity)

  const visited = new Map<EventId, RoomEvent>(subgraph)
  const stack = [...subgraph.values()]
  for (let citing = stack.pop(); citing !== undefined; citing = stack.pop()) {
    for (const id of authEventIds(citing)) {
      const cited = visited.has(id) ? undefined : event(id)
      if (cited === undefined || order(id) <= oldest) continue
      visited.set(id, cited)
      stack.push(cited)
    }
  }

  // Oldest first, an event is on a path if it cites one that is.
  const byAge = [...visited.values()].sort((one, other) => order(one.eventId) - order(other.eventId))
  for (const candidate of byAge) {
    if (authEventIds(candidate).some((id) => subgraph.has(id))) subgraph.set(candidate.eventId, candidate)
  }
  return subgraph
}
