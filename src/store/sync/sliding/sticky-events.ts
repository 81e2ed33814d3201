import { printFor } from '#store/client-events.ts'
import { listStickyEvents } from '#store/sticky-events.ts'
import type { Interest } from './interest.ts'
import { type SlidingReading, unsignedFor } from './reading.ts'

type Wanted = Readonly<{ since: number; limit: number; interest: Interest }>

/** Sticky events that the timelines of this answer do not show, with a token for the rest. spec: MSC4354 */
export function readSticky(reading: SlidingReading, { since, limit, interest }: Wanted): { text: string; hasEvents: boolean } {
  const { store, until, now, ignored, shownFrom } = reading
  const found = [...interest.wanted.values()]
    .filter(({ listed: { membership } }) => membership === undefined)
    .flatMap(({ listed: { room: { roomId } } }) => listStickyEvents(store, { roomId, since, until, now }).map((event) => ({ roomId, event })))
    .filter(({ roomId, event }) => !ignored.has(event.sender) && event.num < (shownFrom.get(roomId) ?? Infinity))
    .toSorted((one, other) => one.event.num - other.event.num)
  const shown = found.slice(0, limit)
  const rooms = [...Map.groupBy(shown, ({ roomId }) => roomId)].map(([roomId, events]) => {
    const texts = events.map(({ event }) => printFor(store, event, unsignedFor(reading, 'join')))
    return `${JSON.stringify(roomId)}:{"events":[${texts.join(',')}]}`
  })
  const next = found.length > limit ? (shown.at(-1)?.event.num ?? since) : until
  return { text: `{"next_batch":"${next}","rooms":{${rooms.join(',')}}}`, hasEvents: shown.length > 0 }
}
