import type { Homeserver } from '#homeserver'
import { isRoomAlias, isRoomId, type RoomAlias, type RoomId, serverNameOf } from '#schema/identifiers.ts'
import { invalidParam, notFound } from '#schema/matrix-error.ts'
import { findAlias } from '#store/aliases.ts'

/** The room that an id or an alias names. `M_INVALID_PARAM` for what is neither, `M_NOT_FOUND` for an alias of no room. */
export function roomIdOf(server: Homeserver, roomIdOrAlias: string): RoomId {
  if (isRoomId(roomIdOrAlias)) return roomIdOrAlias
  if (!isRoomAlias(roomIdOrAlias)) throw invalidParam(`${roomIdOrAlias} is neither a room id nor a room alias`)
  return roomIdByAlias(server, roomIdOrAlias)
}

/** Throws `M_NOT_FOUND` where the alias names no room. */
export function roomIdByAlias(server: Homeserver, alias: RoomAlias): RoomId {
  const found = findAlias(server.store, alias)
  if (!found) throw notFound(`${alias} names no room`)
  return found.roomId
}

export const isOurs = (server: Homeserver, identifier: string): boolean => serverNameOf(identifier) === server.serverName
