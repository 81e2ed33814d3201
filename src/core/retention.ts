import { ownValue } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/** What the server says of how long messages are kept (`retention` of the configuration); null: nothing. */
export type RetentionRules = Readonly<{
  defaultMaxMs: number | null
  /** No room keeps its messages for less, or for more, whatever it says itself. */
  allowedMinMs: number | null
  allowedMaxMs: number | null
}>

/** Where rooms say how long their messages are kept (MSC1763); the first that is there counts. */
export const RETENTION_TYPES = ['m.room.retention', 'org.matrix.msc1763.retention'] as const

/** How long the messages of a room are kept, in milliseconds; null: for ever. `content` is what the room says. */
export function lifetimeOf({ defaultMaxMs, allowedMinMs, allowedMaxMs }: RetentionRules, content: JsonObject | undefined): number | null {
  const own = content && ownValue(content, 'max_lifetime')
  const wanted = isLifetime(own) ? own : defaultMaxMs
  if (wanted === null) return null
  return Math.min(Math.max(wanted, allowedMinMs ?? 0), allowedMaxMs ?? Infinity)
}

/** Whether a room may say that: whole numbers of milliseconds, and the shortest not the longer one. */
export function isRetentionPolicy(content: JsonObject): boolean {
  const [least, most] = [ownValue(content, 'min_lifetime'), ownValue(content, 'max_lifetime')]
  if (![least, most].every((value) => value === undefined || value === null || isLifetime(value))) return false
  return !isLifetime(least) || !isLifetime(most) || least <= most
}

const isLifetime = (value: Json | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
