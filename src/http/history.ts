import type { ClientEvent } from '#core/sync/client-event.ts'
import type { EventFilter } from '#core/sync/filter.ts'
import type { TimelineToken } from '#core/sync/token.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { passesFilter } from '#store/event-filter.ts'
import { findStateAt } from '#store/state-at.ts'
import type { Store } from '#store/store.ts'
import { listEventsFrom } from '#store/timeline.ts'
import type { RoomReader } from './room-reader.ts'

/** Events that one request looks at when most of them are hidden or filtered out; the answer then goes on from there. */
export const SCAN_LIMIT = 2_000

export type HistoryQuery = Readonly<{
  from: TimelineToken
  to?: TimelineToken | undefined
  dir: 'b' | 'f'
  limit: number
  filter: EventFilter
}>

export type HistoryPage = Readonly<{
  /** In the order in which they were asked for. */
  events: readonly ClientEvent[]
  /** Where the next page begins. */
  end: TimelineToken
  /** There is nothing further. */
  isLast: boolean
}>

/** The next events of a room that the reader may see and wants. */
export function readHistory(store: Store, reader: RoomReader, { from, to, dir, limit, filter }: HistoryQuery): HistoryPage {
  const events: ClientEvent[] = []
  let end = from
  let scanned = 0
  while (events.length < limit && scanned < SCAN_LIMIT) {
    const wanted = scanned === 0 ? limit - events.length : Math.max(limit - events.length, SCAN_LIMIT / 10)
    const batch = listEventsFrom(store, { roomId: reader.roomId, from: end, to, dir, limit: wanted })
    for (const event of batch) {
      end = dir === 'b' ? before(event) : after(event)
      scanned++
      if (reader.maySee(event) && passesFilter(store, filter, event, reader.roomId)) events.push(event)
      if (events.length >= limit) return { events, end, isLast: false }
    }
    if (batch.length < wanted) return { events, end, isLast: true }
  }
  return { events, end, isLast: false }
}

/** The places right before and right after an event. */
export const before = ({ depth, num }: ClientEvent): TimelineToken => ({ depth, num: num - 1 })
export const after = ({ depth, num }: ClientEvent): TimelineToken => ({ depth, num })

/** The member events of those who sent these events, as they were when everything up to `position` had happened. */
export const membersOf = (store: Store, roomId: RoomId, events: readonly ClientEvent[], position: number): ClientEvent[] =>
  [...new Set(events.map(({ sender }) => sender))].flatMap((sender) => findStateAt(store, roomId, 'm.room.member', sender, position) ?? [])
