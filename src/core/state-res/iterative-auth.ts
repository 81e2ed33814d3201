import { checkEventAuth } from '#core/event-auth/check.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { type StateKey, type StateLookup, stateKeyOf, stateKeyOfEvent } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'
import { type EventLookup, authEventAt, createEventFor } from './conflict.ts'

/**
 * The iterative auth checks: puts each event, in the given order, into `resolved` if the rules allow it by
 * what is resolved so far. What the rules need and `resolved` lacks comes from `base`, and what that lacks
 * from the event's own auth events, but for rejected ones. A candidate that was rejected once is tried like
 * any other.
 * spec: rooms/v2#definitions, rooms/v2#rejected-events
 */
export function applyAllowed(
  rules: RoomVersionRules,
  ordered: readonly RoomEvent[],
  resolved: Map<StateKey, EventId>,
  base: (key: StateKey) => EventId | undefined,
  event: EventLookup,
): void {
  for (const candidate of ordered) {
    const state: StateLookup = (type, stateKey) => {
      const key = stateKeyOf(type, stateKey)
      const id = resolved.get(key) ?? base(key)
      const found = id === undefined ? undefined : event(id)
      return found ?? citedUnlessRejected(rules, candidate, type, stateKey, event)
    }
    const key = stateKeyOfEvent(candidate)
    if (key !== undefined && checkEventAuth(rules, candidate, state).ok) resolved.set(key, candidate.eventId)
  }
}

function citedUnlessRejected(
  rules: RoomVersionRules,
  citing: RoomEvent,
  type: string,
  stateKey: string,
  event: EventLookup,
): RoomEvent | undefined {
  const isCreate = type === 'm.room.create' && stateKey === ''
  const cited = isCreate ? createEventFor(rules, citing, event) : authEventAt(citing, type, stateKey, event)
  return cited?.rejected ? undefined : cited
}
