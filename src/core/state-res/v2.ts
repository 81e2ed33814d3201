import { membershipOf } from '#core/event-content.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import type { StateKey } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'
import { authDifference } from './auth-difference.ts'
import { type StateConflict, authEventIds, conflictedEvents, powerLevelsKey } from './conflict.ts'
import { applyAllowed } from './iterative-auth.ts'
import { mainlineOrder } from './mainline.ts'
import { topologicalPowerOrder } from './topological-order.ts'

/**
 * State resolution of room versions 2 to 11. Answers every key that the states do not share: a conflicted key
 * that is missing from the answer has no event in the resolved state.
 * spec: rooms/v2#state-resolution
 */
export function resolveV2(rules: RoomVersionRules, conflict: StateConflict): Map<StateKey, EventId> {
  // The full conflicted set: the conflicted state set and the auth difference.
  const fullConflictedSet = new Map([...conflictedEvents(conflict), ...authDifference(conflict)])
  return resolveFullConflictedSet(rules, conflict, fullConflictedSet, conflict.unconflicted)
}

/**
 * The algorithm proper; versions differ in the set they put in and in the state that the checks start from.
 */
export function resolveFullConflictedSet(
  rules: RoomVersionRules,
  conflict: StateConflict,
  fullConflictedSet: ReadonlyMap<EventId, RoomEvent>,
  base: (key: StateKey) => EventId | undefined,
): Map<StateKey, EventId> {
  const { unconflicted, event } = conflict
  const resolved = new Map<StateKey, EventId>()

  // 1. The power events, and those of the set that they stand on, by reverse topological power ordering.
  const powerEvents = withChainWithin(fullConflictedSet, isPowerEvent)
  // 2. The iterative auth checks over them.
  applyAllowed(rules, topologicalPowerOrder(rules, powerEvents, event), resolved, base, event)

  // 3. All others by mainline ordering, based on the power levels so far.
  const others = [...fullConflictedSet.values()].filter(({ eventId }) => !powerEvents.has(eventId))
  const powerLevels = resolved.get(powerLevelsKey) ?? base(powerLevelsKey)
  const mainlineStart = powerLevels === undefined ? undefined : event(powerLevels)
  // 4. The iterative auth checks over those.
  applyAllowed(rules, mainlineOrder(others, mainlineStart, conflict), resolved, base, event)

  // 5. What the states share stands above what was resolved.
  for (const key of resolved.keys()) if (unconflicted(key) !== undefined) resolved.delete(key)
  return resolved
}

/**
 * Whether an event might take away what somebody could do. As in every server in use, the create event counts
 * as well, and only power levels and join rules with an empty state key do.
 * spec: rooms/v2#definitions
 */
export function isPowerEvent(event: RoomEvent): boolean {
  const { type, state_key, sender } = event.pdu
  switch (type) {
    case 'm.room.power_levels':
    case 'm.room.join_rules':
    case 'm.room.create':
      return state_key === ''
    case 'm.room.member': {
      const membership = membershipOf(event)
      return (membership === 'leave' || membership === 'ban') && sender !== state_key
    }
    default:
      return false
  }
}

/**
 * Those of `events` that are wanted, and those that they lead to by auth events without leaving `events`.
 * (The spec's words would also take in what lies behind an event outside; no server in use does, and in
 * version 12 there is none.)
 */
function withChainWithin(
  events: ReadonlyMap<EventId, RoomEvent>,
  isWanted: (event: RoomEvent) => boolean,
): Map<EventId, RoomEvent> {
  const stack = [...events.values()].filter(isWanted)
  const found = new Map(stack.map((event) => [event.eventId, event]))
  for (let citing = stack.pop(); citing !== undefined; citing = stack.pop()) {
    for (const id of authEventIds(citing)) {
      const cited = found.has(id) ? undefined : events.get(id)
      if (cited === undefined) continue
      found.set(id, cited)
      stack.push(cited)
    }
  }
  return found
}
