import { createHash } from 'node:crypto'
import { checkEventAuth } from '#core/event-auth/check.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'

/**
 * State resolution of room version 1 as a reader of the spec alone would write it, with no thought for speed and with
 * nothing of `src/core/state-res`: a second opinion, since no other implementation but Synapse could be had for this
 * version. Where the letter leaves open what to do, `Reading` says how it is read.
 * spec: rooms/v1#state-resolution
 */
export type Reading = Readonly<{
  /** "Conflicts between `m.room.member` events": each user by themselves, or all in one list that the first no ends. */
  row: 'per key' | 'per type'
  /** When no other event passes: nothing is added, or the one that would have been tried last. */
  ifNonePasses: 'nothing' | 'last'
  /** Whether those of one type see what was settled at the other keys of their type, or only what stood before. */
  sight: 'siblings' | 'before'
}>

type Place = string
const placeOf = ({ pdu }: RoomEvent): Place => JSON.stringify([pdu.type, pdu.state_key])
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

/** "Sort the list by ascending `depth` then descending `sha1(event_id)`." */
const ascending = (one: RoomEvent, other: RoomEvent): number =>
  one.pdu.depth - other.pdu.depth || (sha1(one.eventId) < sha1(other.eventId) ? 1 : -1)

export function resolveByTheLetter(rules: RoomVersionRules, states: readonly (readonly RoomEvent[])[], reading: Reading): RoomEvent[] {
  const byPlace = new Map<Place, Map<string, RoomEvent>>()
  for (const event of states.flat()) {
    const place = byPlace.get(placeOf(event)) ?? new Map<string, RoomEvent>()
    byPlace.set(placeOf(event), place.set(event.eventId, event))
  }
  // "The union of the states to be resolved, excluding any conflicting events."
  const resolved = new Map<Place, RoomEvent>()
  const conflicts: RoomEvent[][] = []
  for (const [place, events] of byPlace) {
    const [one, ...others] = events.values()
    if (one && others.length === 0) resolved.set(place, one)
    else conflicts.push([...events.values()].sort(ascending))
  }
  const passes = (event: RoomEvent, state: ReadonlyMap<Place, RoomEvent>): boolean =>
    checkEventAuth(rules, event, (type, key) => state.get(JSON.stringify([type, key]))).ok

  for (const type of ['m.room.power_levels', 'm.room.join_rules', 'm.room.member']) {
    const ofType = conflicts.filter(([first]) => first?.pdu.type === type)
    const rows = reading.row === 'per key' ? ofType : [ofType.flat().sort(ascending)]
    const before = new Map(resolved)
    for (const [first, ...subsequent] of rows) {
      if (!first) continue
      const state = reading.sight === 'siblings' ? resolved : new Map(before)
      state.set(placeOf(first), first)
      resolved.set(placeOf(first), first)
      for (const event of subsequent) {
        if (!passes(event, state)) break
        state.set(placeOf(event), event)
        resolved.set(placeOf(event), event)
      }
    }
  }
  const settled = new Map(resolved)
  for (const events of conflicts.filter(([first]) => first && !['m.room.power_levels', 'm.room.join_rules', 'm.room.member'].includes(first.pdu.type))) {
    const state = reading.sight === 'siblings' ? resolved : settled
    const chosen = events.toReversed().find((event) => passes(event, state)) ?? (reading.ifNonePasses === 'last' ? events[0] : undefined)
    if (chosen) resolved.set(placeOf(chosen), chosen)
  }
  return [...resolved.values()]
}
