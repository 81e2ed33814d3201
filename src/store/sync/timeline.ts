import type { ClientEvent } from '#core/sync/client-event.ts'
import { isIgnored, limitOf } from '#core/sync/filter.ts'
import { printSyncToken, printTimelineToken } from '#core/sync/token.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { passesFilter } from '#store/event-filter.ts'
import type { Sight } from '#store/sight.ts'
import { findStateAt } from '#store/state-at.ts'
import type { Store } from '#store/store.ts'
import { listEventsBetween } from '#store/timeline.ts'
import type { Reading } from './reading.ts'
import { sharedWindow } from './shared-windows.ts'

/** Batches that are read for one room when a filter lets little through, and the events in all but the first. */
const BATCHES = 5
const LATER_BATCH = 200

export type Timeline = Readonly<{ events: readonly ClientEvent[]; isLimited: boolean; prevBatch: string }>

type Window = {
  roomId: RoomId
  since: number
  until: number
  sight: Sight | undefined
  /** State that holds at this position is shown, though the reader may not see the history it is from: nothing else would tell of it. */
  stateAt: number
}

/** The newest events of a window that the reader may see and wants to, oldest first. */
export function readTimeline(reading: Reading, window: Window): Timeline {
  const limit = limitOf(reading.filter.room.timeline, undefined, reading.timelineLimit)
  const events: ClientEvent[] = []
  let { until } = window
  let isExhausted = false
  for (let batch = 0; batch < BATCHES && events.length <= limit && !isExhausted; batch++) {
    const wanted = batch === 0 ? limit + 1 : LATER_BATCH
    const read = eventsOf(reading, { ...window, until, limit: wanted })
    isExhausted = read.length < wanted
    until = (read[0]?.num ?? 1) - 1
    events.unshift(...read.filter((event) => isWanted(reading, window, event)))
  }
  const shown = limit === 0 ? [] : events.slice(-limit)
  return {
    events: shown,
    isLimited: !isExhausted || events.length > limit,
    prevBatch: prevBatchOf(shown[0], isExhausted ? window.since : until),
  }
}

/** Of a room of which nothing is shown: what lies behind a position. */
export const emptyTimeline = (position: number): Timeline => ({ events: [], isLimited: false, prevBatch: prevBatchOf(undefined, position) })

const eventsOf = (reading: Reading, window: Window & { limit: number }): readonly ClientEvent[] =>
  sharedWindow(reading, `timeline ${window.limit}`, window, () => listEventsBetween(reading.store, window))

function isWanted(reading: Reading, { roomId, sight, stateAt }: Window, event: ClientEvent): boolean {
  if (sight && !sight.maySee(event.num) && !isStateAt(reading.store, roomId, event, stateAt)) return false
  if (isIgnored({ sender: event.sender, stateKey: event.stateKey ?? undefined }, reading.ignored as ReadonlySet<UserId>)) return false
  return passesFilter(reading.store, reading.filter.room.timeline, event, roomId)
}

/**
 * Given in front of the create event too, though nothing lies there: matrix-js-sdk drops what it cannot page back from
 * when it stores what it has synced.
 */
const prevBatchOf = (first: ClientEvent | undefined, position: number): string =>
  first
    ? printTimelineToken({ depth: first.depth, num: first.num - 1 })
    : printSyncToken({ position, boot: '0', volatile: 0 })

const isStateAt = (store: Store, roomId: RoomId, { num, type, stateKey }: ClientEvent, at: number): boolean =>
  stateKey !== null && findStateAt(store, roomId, type, stateKey, at)?.num === num
