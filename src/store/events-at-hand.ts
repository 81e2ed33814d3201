import type { Kinded } from '#actors/kernel/actor.ts'
import type { Batch } from '#actors/kernel/journal.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { EventAppended, EventRedacted, EventsExpired } from '#schema/journal/room.ts'
import { findEvent } from './events.ts'
import type { Store } from './store.ts'

/** Events that decisions have asked for, kept parsed; of a room hardly more than its rules and who speaks. */
export const CACHED_EVENTS = 4_096

/** Events by id, for decisions: also those that are on their way to the disk. */
export type EventsAtHand = Readonly<{
  find: (eventId: EventId) => RoomEvent | undefined
  /** A fact has been decided; the tables do not have it yet. */
  decided: (fact: Kinded, position: number) => void
  committed: (batch: Batch) => void
  /** What was decided and is not on disk never will be. */
  failed: () => void
}>

type Pending = Readonly<{ position: number; event: RoomEvent }>

export function eventsAtHand(store: Store): EventsAtHand {
  const pending = new Map<EventId, Pending>()
  const cache = new Map<EventId, RoomEvent>()
  const read = (eventId: EventId): RoomEvent | undefined => {
    const known = cache.get(eventId)
    const event = known ?? findEvent(store, eventId)
    if (!event) return undefined
    // The newest in use stand last, so that the first is the one to go.
    if (known) cache.delete(eventId)
    else if (cache.size >= CACHED_EVENTS) cache.delete(cache.keys().next().value ?? eventId)
    cache.set(eventId, event)
    return event
  }
  return {
    find: (eventId) => pending.get(eventId)?.event ?? read(eventId),
    decided(fact, position) {
      if (!isAppended(fact)) return
      const { eventId, roomId, pdu } = fact
      pending.set(eventId, { position, event: { eventId, roomId, pdu } })
    },
    committed({ rows }) {
      for (const { fact } of rows) for (const eventId of emptiedBy(fact)) cache.delete(eventId)
      const last = rows.at(-1)?.position ?? 0
      for (const [eventId, { position }] of pending) {
        if (position > last) return
        pending.delete(eventId)
      }
    },
    failed: () => pending.clear(),
  }
}

const isAppended = (fact: Kinded): fact is EventAppended => fact.kind === 'eventAppended'
const isRedacted = (fact: Kinded): fact is EventRedacted => fact.kind === 'eventRedacted'
const isExpiry = (fact: Kinded): fact is EventsExpired => fact.kind === 'eventsExpired'

/** The events that say less since. */
const emptiedBy = (fact: Kinded): readonly EventId[] => (isRedacted(fact) ? [fact.eventId] : isExpiry(fact) ? fact.eventIds : [])
