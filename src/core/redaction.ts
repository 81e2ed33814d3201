import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject, Pdu } from '#schema/pdu.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { KeptKey, RoomVersionRules } from './room-version.ts'

/**
 * The event with only what its room version keeps. Signatures, reference hash and event id stay true.
 * spec: client-server-api#redactions and rooms/v1#redactions to rooms/v11#redactions
 */
export function redactEvent(rules: RoomVersionRules, pdu: Pdu): Pdu {
  const event: JsonObject = pdu
  const redacted: Record<string, Json> = {}
  for (const key of rules.redaction.topLevel) {
    const value = ownValue(event, key)
    if (value !== undefined && keepsKey(rules, key, pdu.type)) redacted[key] = value
  }
  return { ...(redacted as Pdu), content: redactContent(rules, pdu.type, pdu.content) }
}

/** A create event cannot hold the room id that is its own hash. spec: rooms/v12#event-format */
const keepsKey = (rules: RoomVersionRules, key: string, type: string): boolean =>
  key !== 'room_id' || type !== 'm.room.create' || rules.roomIdFormat === 'domain'

/** What is left of an event's content; the very same object where all of it is kept. */
export function redactContent(rules: RoomVersionRules, type: string, content: JsonObject): JsonObject {
  const kept = rules.redaction.content.get(type) ?? []
  if (kept === 'all') return content
  const redacted: Record<string, Json> = {}
  for (const key of kept) {
    const name = typeof key === 'string' ? key : key.parent
    const value = keptValue(content, key)
    if (value !== undefined) redacted[name] = value
  }
  return redacted
}

function keptValue(content: JsonObject, key: KeptKey): Json | undefined {
  if (typeof key === 'string') return ownValue(content, key)
  const parent = ownValue(content, key.parent)
  if (!isJsonObject(parent)) return undefined
  // A parent without the child stays as an empty object: peers hash it so.
  const child = ownValue(parent, key.child)
  return child === undefined ? {} : { [key.child]: child }
}

/** The event that a redaction is about, whatever the room version; undefined for other events. */
export function redactionTarget({ type, redacts, content }: Pdu): EventId | undefined {
  if (type !== 'm.room.redaction') return undefined
  const target = ownValue(content, 'redacts') ?? redacts
  return typeof target === 'string' ? (target as EventId) : undefined
}
