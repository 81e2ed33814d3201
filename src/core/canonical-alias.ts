import { isRoomAlias, type RoomAlias } from '#schema/identifiers.ts'
import { invalidParam, type MatrixError } from '#schema/matrix-error.ts'
import { ownValue } from './event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'

/**
 * The aliases that an `m.room.canonical_alias` names and the one before it did not: each has to name the room before
 * the event may be sent, and only those (G-76). 400 `M_INVALID_PARAM` where one is no alias at all.
 * spec: client-server-api#mroomcanonical_alias
 */
export function newAliasesIn(content: JsonObject, before: JsonObject | undefined): RoomAlias[] | MatrixError {
  const alias = ownValue(content, 'alias')
  const others = ownValue(content, 'alt_aliases')
  // Clients clear the alias with an empty string or with null.
  const main = alias === undefined || alias === null || alias === '' ? [] : [alias]
  if (others !== undefined && !Array.isArray(others)) return invalidParam('alt_aliases must be a list of room aliases')
  const named = [...main, ...(Array.isArray(others) ? others : [])]
  const wrong = named.find((each) => !isRoomAlias(each))
  if (wrong !== undefined) return invalidParam(`${typeof wrong === 'string' ? wrong : 'An entry'} is not a room alias`)
  const known = new Set(before ? aliasesIn(before) : [])
  return [...new Set(named.filter(isRoomAlias))].filter((each) => !known.has(each))
}

/** Every alias that the event names, whatever else is in it. */
export function aliasesIn(content: JsonObject): RoomAlias[] {
  const others = ownValue(content, 'alt_aliases')
  return [ownValue(content, 'alias'), ...(Array.isArray(others) ? others : [])].filter(isRoomAlias)
}

/** The content without that alias; undefined when it did not name it. */
export function withoutAlias(content: JsonObject, alias: RoomAlias): JsonObject | undefined {
  if (!aliasesIn(content).includes(alias)) return undefined
  const { alias: main, alt_aliases: others, ...rest } = content
  const left = Array.isArray(others) ? others.filter((each) => each !== alias) : []
  return {
    ...rest,
    ...(main === undefined || main === alias ? {} : { alias: main }),
    ...(left.length > 0 ? { alt_aliases: left } : {}),
  }
}
