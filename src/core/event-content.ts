import type { Json, JsonObject, RoomEvent } from '#schema/pdu.ts'

// What the rules read out of contents that anyone may have written: every reader takes any JSON and never
// throws.

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * An object's own value. Keys come from strangers, so `constructor` must not find what every object inherits.
 */
export const ownValue = (object: JsonObject | undefined, key: string): Json | undefined =>
  object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined

/**
 * `content.membership` of an `m.room.member` event; undefined when there is no event or it is not a string.
 */
export const membershipOf = (member: RoomEvent | undefined): string | undefined => {
  const membership = ownValue(member?.pdu.content, 'membership')
  return typeof membership === 'string' ? membership : undefined
}

/**
 * The join rule in force. Without an event or without the key it is `invite`.
 * spec: client-server-api#mroomjoin_rules
 */
export const joinRuleOf = (joinRules: RoomEvent | undefined): string => {
  const rule = ownValue(joinRules?.pdu.content, 'join_rule')
  if (rule === undefined) return 'invite'
  return typeof rule === 'string' ? rule : ''
}
