import type { RoomEvent } from '#schema/pdu.ts'
import { powerLevelsOf } from '#core/power-levels.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import type { EventId } from '#schema/identifiers.ts'
import { type EventLookup, authEventAt, authEventIds, createEventFor } from './conflict.ts'
import { createHeap } from './heap.ts'
import { byTimeThenId } from './tie-break.ts'

type Ranked = Readonly<{ event: RoomEvent; level: number }>

/**
 * The reverse topological power ordering: auth events before what cites them, and where that leaves a choice,
 * the sender with the greater power level, the earlier event, the lesser id. Kahn's algorithm over the edges
 * within `events`.
 * spec: rooms/v2#definitions
 */
export function topologicalPowerOrder(
  rules: RoomVersionRules,
  events: ReadonlyMap<EventId, RoomEvent>,
  event: EventLookup,
): RoomEvent[] {
  const citedBy = new Map<EventId, EventId[]>()
  const waitingFor = new Map<EventId, number>()
  const ready = createHeap(byPower)
  const release = (free: RoomEvent) => ready.push({ event: free, level: senderLevel(rules, free, event) })

  for (const citing of events.values()) {
    const cited = new Set(authEventIds(citing).filter((id) => events.has(id)))
    for (const id of cited) {
      const known = citedBy.get(id)
      if (known) known.push(citing.eventId)
      else citedBy.set(id, [citing.eventId])
    }
    waitingFor.set(citing.eventId, cited.size)
    if (cited.size === 0) release(citing)
  }

  const ordered: RoomEvent[] = []
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    ordered.push(next.event)
    for (const id of citedBy.get(next.event.eventId) ?? []) {
      const left = (waitingFor.get(id) ?? 0) - 1
      waitingFor.set(id, left)
      const free = left === 0 ? events.get(id) : undefined
      if (free !== undefined) release(free)
    }
  }
  return ordered
}

const byPower = (one: Ranked, other: Ranked): number => {
  // Not by subtraction: two infinite levels have no difference.
  if (one.level !== other.level) return one.level > other.level ? -1 : 1
  return byTimeThenId(one.event, other.event)
}

/** The sender's power level by the event's own auth events. */
const senderLevel = (rules: RoomVersionRules, citing: RoomEvent, event: EventLookup): number =>
  powerLevelsOf(
    rules,
    createEventFor(rules, citing, event),
    authEventAt(citing, 'm.room.power_levels', '', event),
  ).user(citing.pdu.sender)
