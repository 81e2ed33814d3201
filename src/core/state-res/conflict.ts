import { type EventReference, type RoomEvent, referencedIds } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { type StateKey, stateKeyOf } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'

/** Looks up an event that was accepted or rejected here; undefined when it never arrived. */
export type EventLookup = (id: EventId) => RoomEvent | undefined

/**
 * Room states that differ, told by their differences, so that resolving them costs what differs and not what
 * the room weighs.
 */
export type StateConflict = Readonly<{
  /**
   * Every key at which the states are not all alike, with one entry per state, the states always in the same
   * order; undefined where a state has nothing at that key.
   */
  conflicted: ReadonlyMap<StateKey, readonly (EventId | undefined)[]>
  /** The event that all states have at a key that is not conflicted. */
  unconflicted: (key: StateKey) => EventId | undefined
  /** Best when it answers the same object each time: what is read from an event is remembered by identity. */
  event: EventLookup
  /**
   * A number higher than that of every auth event of this event, such as the position at which it arrived (an
   * event is taken in after its auth events). Only asked for events that `event` finds. Not `depth`, which
   * strangers write.
   */
  order: (id: EventId) => number
  /**
   * The state events of the room by falling `order`: at least those that all the states share, and others as
   * they come. It is read only as far back as the oldest event whose place in the auth difference is in
   * doubt.
   */
  stateNewestFirst: () => Iterable<EventId>
}>

/** The distinct events at each conflicted key that are known here. */
export const conflictedEvents = ({ conflicted, event }: StateConflict): Map<EventId, RoomEvent> => {
  const events = new Map<EventId, RoomEvent>()
  for (const ids of conflicted.values()) {
    for (const id of ids) {
      const found = id === undefined ? undefined : event(id)
      if (found !== undefined) events.set(found.eventId, found)
    }
  }
  return events
}

export const authEventIds = (event: RoomEvent): readonly EventId[] => {
  const references = event.pdu.auth_events
  return areIds(references) ? references : referencedIds(references)
}

/** A list is of one form throughout, and that of most versions needs no copy. */
const areIds = (references: readonly EventReference[]): references is readonly EventId[] =>
  typeof references[0] === 'string'

/** The auth event at a place, when the event cites one that is known here. */
export const authEventAt = (
  citing: RoomEvent,
  type: string,
  stateKey: string,
  event: EventLookup,
): RoomEvent | undefined => {
  for (const id of authEventIds(citing)) {
    const cited = event(id)
    if (cited?.pdu.type === type && cited.pdu.state_key === stateKey) return cited
  }
  return undefined
}

/** The create event that an event stands on: cited, or from version 12 on named by the room id. */
export const createEventFor = (
  rules: RoomVersionRules,
  citing: RoomEvent,
  event: EventLookup,
): RoomEvent | undefined =>
  rules.roomIdFormat === 'create-event-hash'
    ? event(`$${citing.roomId.slice(1)}`)
    : authEventAt(citing, 'm.room.create', '', event)

export type Separated = Readonly<{
  conflicted: Map<StateKey, (EventId | undefined)[]>
  unconflicted: Map<StateKey, EventId>
}>

/**
 * Parts whole states into what they share and what they do not. Room version 1 alone does not see a conflict
 * in a key that some of the states lack. spec: rooms/v1#state-resolution, rooms/v2#definitions
 */
export function separate(
  rules: RoomVersionRules,
  states: readonly ReadonlyMap<StateKey, EventId>[],
): Separated {
  const [first, ...others] = states
  const unconflicted = new Map(first)
  const conflicted = new Map<StateKey, (EventId | undefined)[]>()
  const lacksCount = rules.stateRes !== 'v1'
  const part = (key: StateKey) => {
    const ids = states.map((state) => state.get(key))
    const present = ids.filter((id) => id !== undefined)
    const [one] = present
    const agree = present.every((id) => id === one) && (!lacksCount || present.length === ids.length)
    if (agree && one !== undefined) return void unconflicted.set(key, one)
    unconflicted.delete(key)
    conflicted.set(key, ids)
  }
  for (const [key, id] of first ?? []) if (others.some((state) => state.get(key) !== id)) part(key)
  for (const state of others) {
    // A state that has all keys of the first, and as many, has no other.
    if (lacksCount && state.size === first?.size && conflicted.size === 0) continue
    for (const key of state.keys()) if (!first?.has(key) && !conflicted.has(key)) part(key)
  }
  return { conflicted, unconflicted }
}

export const powerLevelsKey: StateKey = stateKeyOf('m.room.power_levels', '')
