import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import type { StateKey } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'
import { type EventLookup, type StateConflict, authEventIds, separate } from './conflict.ts'
import { resolveV1 } from './v1.ts'
import { resolveV21 } from './v2-1.ts'
import { resolveV2 } from './v2.ts'

/**
 * Resolves states that are told by their differences. Answers only what the states do not share: lay it over
 * the shared state, and take a conflicted key that the answer lacks out of the state. It may hold keys that
 * none of the states has, when an event of the auth difference stands alone at its key.
 * spec: rooms/v1#state-resolution, rooms/v2#state-resolution, rooms/v12#state-resolution
 */
export function resolveConflict(rules: RoomVersionRules, conflict: StateConflict): Map<StateKey, EventId> {
  if (conflict.conflicted.size === 0) return new Map()
  switch (rules.stateRes) {
    case 'v1':
      return resolveV1(rules, conflict)
    case 'v2':
      return resolveV2(rules, conflict)
    case 'v2.1':
      return resolveV21(rules, conflict)
  }
}

/**
 * Resolves whole states: the room state before an event whose previous events leave the states in `states`.
 * Events that `event` does not find take no part. Costs what the states and their auth chains weigh;
 * `resolveConflict` is for those who know more. spec: rooms/v2#state-resolution
 */
export function resolveState(
  rules: RoomVersionRules,
  states: readonly ReadonlyMap<StateKey, EventId>[],
  event: EventLookup,
): Map<StateKey, EventId> {
  const { conflicted, unconflicted } = separate(rules, states)
  if (conflicted.size === 0) return unconflicted
  const isOrdered = rules.stateRes !== 'v1'
  const resolved = resolveConflict(rules, {
    conflicted,
    unconflicted: (key) => unconflicted.get(key),
    event,
    ...(isOrdered ? orderOf([...unconflicted.values()], [...conflicted.values()].flat(), event) : NO_ORDER),
  })
  for (const [key, id] of resolved) unconflicted.set(key, id)
  return unconflicted
}

const NO_ORDER: Pick<StateConflict, 'order' | 'stateNewestFirst'> = {
  order: () => 0,
  stateNewestFirst: () => [],
}

/**
 * Numbers all events that the states lead to, each after its auth events. What the shared state leads to
 * comes first, so that it need not be searched for whatever is numbered higher.
 */
function orderOf(
  shared: readonly EventId[],
  others: readonly (EventId | undefined)[],
  event: EventLookup,
): Pick<StateConflict, 'order' | 'stateNewestFirst'> {
  const numbers = new Map<EventId, number>()
  // Events that wait for their auth events; one that leads back to itself waits for no more than that.
  const waiting = new Set<EventId>()
  const stack: EventId[] = []
  const number = (start: EventId) => {
    stack.push(start)
    for (let id = stack[0]; id !== undefined; id = stack[stack.length - 1]) {
      const found = numbers.has(id) ? undefined : event(id)
      if (found !== undefined && !waiting.has(id) && stackUnnumbered(found)) {
        waiting.add(id)
        continue
      }
      if (found !== undefined) numbers.set(id, numbers.size)
      stack.pop()
    }
  }
  /** Whether there is any auth event to be numbered first. */
  const stackUnnumbered = (citing: RoomEvent): boolean => {
    const before = stack.length
    for (const id of authEventIds(citing)) if (!numbers.has(id) && !waiting.has(id)) stack.push(id)
    return stack.length > before
  }

  shared.forEach(number)
  for (const id of others) if (id !== undefined) number(id)
  return { order: (id) => numbers.get(id) ?? 0, stateNewestFirst: () => [...numbers.keys()].reverse() }
}
