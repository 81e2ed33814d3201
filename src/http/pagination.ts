import { type EventFilter, NO_EVENT_FILTER, parseEventFilter } from '#core/sync/filter.ts'
import { parseSyncToken, parseTimelineToken, type TimelineToken } from '#core/sync/token.ts'
import { invalidParam, MatrixError, notJson } from '#schema/matrix-error.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'
import { placeAt } from '#store/timeline.ts'

/** A pagination token as it was given: a place in a room's history, or everything up to a position. */
export type Place = Readonly<{ token: TimelineToken | undefined; position: number }>

/** Reads a token of `/messages`, `/context` or `/sync`. Throws `M_INVALID_PARAM` for anything else. */
export function readPlace(text: string, parameter: string): Place {
  const token = parseTimelineToken(text)
  if (token) return { token, position: token.num }
  const sync = parseSyncToken(text)
  if (sync) return { token: undefined, position: sync.position }
  throw invalidParam(`${parameter} is not a token of this server`)
}

/** Where in a room's history a token stands. */
export const placeIn = (store: Store, roomId: RoomId, { token, position }: Place): TimelineToken => token ?? placeAt(store, roomId, position)

export const earlier = (one: TimelineToken, other: TimelineToken): TimelineToken =>
  one.depth < other.depth || (one.depth === other.depth && one.num < other.num) ? one : other

/** The filter of a list of events, given as JSON. Throws `M_NOT_JSON`, `M_BAD_JSON` or `M_INVALID_PARAM`. */
export function readEventFilter(text: string | undefined): EventFilter {
  if (text === undefined || text === '') return NO_EVENT_FILTER
  const filter = parseEventFilter(parseText(text))
  if (filter instanceof MatrixError) throw filter
  return filter
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notJson('filter is not valid JSON')
  }
}

/** How many items are wanted: never negative, never more than `most`. Throws `M_INVALID_PARAM`. */
export function readLimit(limit: number | undefined, fallback: number, most: number): number {
  if (limit === undefined) return fallback
  if (limit < 0) throw invalidParam('limit must not be negative')
  return Math.min(limit, most)
}
