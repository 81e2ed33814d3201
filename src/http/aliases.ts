import { newAliasesIn } from '#core/canonical-alias.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { isRoomAlias, type RoomAlias, type RoomId, type UserId } from '#schema/identifiers.ts'
import { badAlias, forbidden, invalidParam, MatrixError, roomInUse } from '#schema/matrix-error.ts'
import { findAlias } from '#store/aliases.ts'
import { mayCreateAlias } from './directory-rules.ts'

/** The alias of that local part here. Throws `M_INVALID_PARAM` for what cannot be one, `M_ROOM_IN_USE` when it is taken. */
export function newAliasOf(server: Homeserver, localpart: string): RoomAlias {
  const alias = `#${localpart}:${server.serverName}`
  if (localpart === '' || /[\s:#\0]/.test(localpart) || !isRoomAlias(alias))
    throw invalidParam('room_alias_name is the part of an alias between # and :, without either or any space')
  if (findAlias(server.store, alias)) throw roomInUse(`${alias} already names a room`)
  return alias
}

type Claim = Readonly<{ alias: RoomAlias; roomId: RoomId; userId: UserId; cause: string }>

/** Takes the alias before the room is there, so that nobody else can. Throws `M_ROOM_IN_USE` when it is taken. */
export async function claimAlias(server: Homeserver, { alias, roomId, userId, cause }: Claim): Promise<void> {
  if (!mayCreateAlias(server.config, userId, roomId, alias)) throw forbidden(`You may not create ${alias}`)
  try {
    await server.alias(alias).ask({ kind: 'setRoomAlias', roomId, creator: userId }, cause)
  } catch (refusal) {
    if (refusal instanceof MatrixError && refusal.status === 409) throw roomInUse(`${alias} already names a room`)
    throw refusal
  }
}

/** Frees the alias of a room that could not be made. */
export async function giveBackAlias(server: Homeserver, { alias, userId, cause }: Omit<Claim, 'roomId'>): Promise<void> {
  await server.alias(alias).ask({ kind: 'deleteRoomAlias', userId, mayDeleteAny: false }, cause)
}

/**
 * Throws `M_BAD_ALIAS` when an `m.room.canonical_alias` names an alias that the one before it did not and that does not
 * name this room, `M_INVALID_PARAM` when it names what is no alias (G-76). spec: client-server-api#mroomcanonical_alias
 */
export function refuseAliases({ store }: Homeserver, roomId: RoomId, content: JsonObject, before: JsonObject | undefined): void {
  const added = newAliasesIn(content, before)
  if (added instanceof MatrixError) throw added
  const bad = added.find((alias) => findAlias(store, alias)?.roomId !== roomId)
  if (bad !== undefined) throw badAlias(`${bad} does not name this room`)
}
