import type { ClientEvent } from '#core/sync/client-event.ts'
import { printSyncToken, printTimelineToken, type TimelineToken } from '#core/sync/token.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { Sight } from '#store/sight.ts'
import { listEventsBetween, listEventsFrom, placeAt } from '#store/timeline.ts'
import type { SlidingReading } from './reading.ts'

/** Batches that are read for one room when little of it may be seen. */
const BATCHES = 5
const END: TimelineToken = { depth: Number.MAX_SAFE_INTEGER, num: Number.MAX_SAFE_INTEGER }

export type SlidingTimeline = Readonly<{ events: readonly ClientEvent[]; isLimited: boolean; prevBatch: string }>

type Window = Readonly<{ roomId: RoomId; until: number; limit: number; sight: Sight | undefined }>

/** What has arrived after `since`, in the order in which it came; the newest `limit` of it. */
export function readNews(reading: SlidingReading, { since, ...window }: Window & { since: number }): SlidingTimeline {
  const { roomId, until, limit } = window
  const read = listEventsBetween(reading.store, { roomId, since, until, limit: limit + 1 })
  const seen = read.filter((event) => isSeen(reading, window, event))
  return finish(limit === 0 ? [] : seen.slice(-limit), read.length > limit, read.length > limit ? (read[0]?.num ?? 1) - 1 : since)
}

/** The end of the room's history as it is, in the order of its graph. */
export function readHistory(reading: SlidingReading, window: Window): SlidingTimeline {
  const { roomId, until, limit } = window
  const events: ClientEvent[] = []
  // The last event to arrive need not be the last of the graph.
  let from = until >= reading.until ? END : placeAt(reading.store, roomId, until)
  let isExhausted = false
  for (let batch = 0; batch < BATCHES && events.length <= limit && !isExhausted; batch++) {
    const read = listEventsFrom(reading.store, { roomId, from, dir: 'b', limit: limit + 1 })
    isExhausted = read.length <= limit
    const oldest = read.at(-1)
    if (oldest) from = { depth: oldest.depth, num: oldest.num - 1 }
    events.push(...read.filter((event) => event.num <= until && isSeen(reading, window, event)))
  }
  const shown = events.slice(0, limit).reverse()
  return finish(shown, !isExhausted || events.length > limit, 0)
}

function finish(events: readonly ClientEvent[], isLimited: boolean, position: number): SlidingTimeline {
  const [first] = events
  const prevBatch = first ? printTimelineToken({ depth: first.depth, num: first.num - 1 }) : printSyncToken({ position, boot: '0', volatile: 0 })
  return { events, isLimited, prevBatch }
}

const isSeen = ({ ignored }: SlidingReading, { sight }: Window, event: ClientEvent): boolean =>
  (sight?.maySee(event.num) ?? true) && (event.stateKey !== null || !ignored.has(event.sender))

/** How many of the last events have happened after the position; a client makes a noise for those only. */
export function countLive(events: readonly ClientEvent[], since: number): number {
  const lastOld = events.findLastIndex(({ num }) => num <= since)
  return events.length - 1 - lastOld
}
