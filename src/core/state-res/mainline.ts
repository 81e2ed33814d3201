import type { RoomEvent } from '#schema/pdu.ts'
import type { EventId } from '#schema/identifiers.ts'
import { type StateConflict, authEventAt } from './conflict.ts'
import { byTimeThenId } from './tie-break.ts'

/**
 * The mainline ordering based on a power levels event: by mainline position, the highest (that is, the oldest
 * power levels) first, then time, then id. An event that leads to no part of the mainline comes before all
 * that do, and without power levels all do not.
 * spec: rooms/v2#definitions
 */
export function mainlineOrder(
  events: Iterable<RoomEvent>,
  powerLevels: RoomEvent | undefined,
  conflict: Pick<StateConflict, 'event' | 'order'>,
): RoomEvent[] {
  const positionOf = mainlinePositions(powerLevels, conflict)
  return [...events]
    .map((event) => ({ event, position: positionOf(event) }))
    .sort((one, other) => {
      // Not by subtraction: two infinite positions have no difference.
      if (one.position !== other.position) return one.position > other.position ? -1 : 1
      return byTimeThenId(one.event, other.event)
    })
    .map(({ event }) => event)
}

/**
 * Answers how far back on the mainline the power levels stand that an event leads to: 0 the newest,
 * `Infinity` none.
 */
function mainlinePositions(
  powerLevels: RoomEvent | undefined,
  { event, order }: Pick<StateConflict, 'event' | 'order'>,
): (of: RoomEvent) => number {
  const powerLevelsBehind = (citing: RoomEvent) => authEventAt(citing, 'm.room.power_levels', '', event)
  const mainline = new Map<EventId, number>()
  let tail = powerLevels
  // The mainline is followed no further back than the events to be placed reach: a room may have changed its
  // power levels for years.
  const onMainline = (id: EventId): number | undefined => {
    while (tail !== undefined && !mainline.has(tail.eventId) && order(tail.eventId) >= order(id)) {
      mainline.set(tail.eventId, mainline.size)
      tail = powerLevelsBehind(tail)
    }
    return mainline.get(id)
  }

  const known = new Map<EventId, number>()
  return (of) => {
    const passed = new Set<EventId>()
    let position: number | undefined
    let behind = powerLevelsBehind(of)
    while (behind !== undefined) {
      position = known.get(behind.eventId) ?? onMainline(behind.eventId)
      if (position !== undefined || passed.has(behind.eventId)) break
      passed.add(behind.eventId)
      behind = powerLevelsBehind(behind)
    }
    for (const id of passed) known.set(id, position ?? Infinity)
    return position ?? Infinity
  }
}
