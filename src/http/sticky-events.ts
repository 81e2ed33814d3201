import { LONGEST_STICKY_MS } from '#core/sticky-events.ts'
import { readInteger } from '#schema/client/query.ts'
import { invalidParam } from '#schema/matrix-error.ts'

/** The parameter by which a client makes an event stick (MSC4354). */
export const STICKY_PARAMETER = 'org.matrix.msc4354.sticky_duration_ms'

type StickyQuery = Readonly<Partial<Record<typeof STICKY_PARAMETER, string>>>

/** For how many milliseconds an event is to stick; undefined: it is not. `M_INVALID_PARAM` for more than an hour. */
export function readStickyDuration(query: StickyQuery): number | undefined {
  const text = query[STICKY_PARAMETER]
  if (text === undefined) return undefined
  const duration = readInteger(text, 0)
  if (duration < 0 || duration > LONGEST_STICKY_MS)
    throw invalidParam(`${STICKY_PARAMETER} is between 0 and ${LONGEST_STICKY_MS}`)
  return duration
}
