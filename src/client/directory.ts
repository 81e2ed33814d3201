import { withoutAlias } from '#core/canonical-alias.ts'
import type { Homeserver } from '#homeserver'
import { mayCreateAlias } from '#http/directory-rules.ts'
import { open, type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { isOurs, roomIdByAlias } from '#http/room-addresses.ts'
import { findLevels } from '#http/room-levels.ts'
import { refuseSuspended } from '#http/suspension.ts'
import { deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#schema/client/directory.ts'
import { isRoomAlias, type RoomAlias, type RoomId, type UserId } from '#schema/identifiers.ts'
import { forbidden, invalidParam, MatrixError, notFound, notInRoom } from '#schema/matrix-error.ts'
import { findAlias, listAliasesOf } from '#store/aliases.ts'
import { isWorldReadable, listServersIn } from '#store/members.ts'
import { findMembership } from '#store/memberships.ts'
import { findRoomVersion, findStateEvent } from '#store/room-state.ts'

export const directoryPage = (server: Homeserver) => {
  const listAliases = signedIn(server, getLocalAliases, ({ params: { roomId }, requester: { userId } }) => {
    const isIn = findMembership(server.store, roomId, userId)?.membership === 'join'
    if (!isIn && !isWorldReadable(server.store, roomId)) throw notInRoom()
    return { aliases: listAliasesOf(server.store, roomId) }
  })
  return page()
    .get(
      '/_matrix/client/v3/directory/room/:roomAlias',
      open(server, getRoomIdByAlias, ({ params }) => {
        const roomId = roomIdByAlias(server, wellFormed(params.roomAlias))
        return { room_id: roomId, servers: serversOf(server, roomId) }
      }),
    )
    .put(
      '/_matrix/client/v3/directory/room/:roomAlias',
      signedIn(server, setRoomAlias, async ({ params: { roomAlias }, body: { room_id: roomId }, requester, cause }) => {
        refuseSuspended(requester)
        refuseAlias(server, requester, ours(server, roomAlias), roomId)
        await server.alias(roomAlias).ask({ kind: 'setRoomAlias', roomId, creator: requester.userId }, cause)
        return {}
      }),
    )
    .delete('/_matrix/client/v3/directory/room/:roomAlias', signedIn(server, deleteRoomAlias, (call) => deleteAlias(server, call)))
    .get('/_matrix/client/v3/rooms/:roomId/aliases', listAliases)
    .get('/_matrix/client/unstable/org.matrix.msc2432/rooms/:roomId/aliases', listAliases)
}

function wellFormed(alias: RoomAlias): RoomAlias {
  if (!isRoomAlias(alias) || /\s/.test(alias)) throw invalidParam(`${alias} is not a room alias`)
  return alias
}

function ours(server: Homeserver, alias: RoomAlias): RoomAlias {
  if (!isOurs(server, wellFormed(alias))) throw invalidParam(`Only ${serverOf(alias)} can change ${alias}`)
  return alias
}

const serverOf = (alias: RoomAlias): string => alias.slice(alias.indexOf(':') + 1)

/** This server first: it knows the room. */
const serversOf = ({ store, serverName }: Homeserver, roomId: RoomId): string[] =>
  [serverName, ...listServersIn(store, roomId).filter((name) => name !== serverName)]

function refuseAlias({ store, config }: Homeserver, { userId, isAdmin }: Requester, alias: RoomAlias, roomId: RoomId): void {
  if (!findRoomVersion(store, roomId)) throw notFound('This server does not know that room')
  const isIn = findMembership(store, roomId, userId)?.membership === 'join'
  if (config.requireMembershipForAliases && !isIn && !isAdmin) throw forbidden('You must be in the room to give it an alias')
  if (!mayCreateAlias(config, userId, roomId, alias)) throw forbidden(`You may not create ${alias}`)
}

async function deleteAlias(server: Homeserver, { params, requester, cause }: SignedInCall<typeof deleteRoomAlias>): Promise<object> {
  refuseSuspended(requester)
  const { userId } = requester
  const alias = ours(server, params.roomAlias)
  const found = findAlias(server.store, alias)
  const mayDeleteAny = requester.isAdmin || (found !== undefined && mayNameRoom(server, found.roomId, userId))
  const { roomId } = await server.alias(alias).ask({ kind: 'deleteRoomAlias', userId, mayDeleteAny }, cause)
  await dropFromRoom(server, { alias, roomId, userId, cause })
  return {}
}

/** Whoever may send `m.room.canonical_alias` may also delete the aliases of others. */
function mayNameRoom(server: Homeserver, roomId: RoomId, userId: UserId): boolean {
  const levels = findLevels(server, roomId)
  if (!levels || findMembership(server.store, roomId, userId)?.membership !== 'join') return false
  return levels.user(userId) >= levels.event('m.room.canonical_alias', true)
}

/** The room stops naming the alias, if whoever deleted it may say so. */
async function dropFromRoom(
  server: Homeserver,
  { alias, roomId, userId, cause }: Readonly<{ alias: RoomAlias; roomId: RoomId; userId: UserId; cause: string }>,
): Promise<void> {
  const current = findStateEvent(server.store, roomId, 'm.room.canonical_alias', '')
  const content = current && withoutAlias(current.pdu.content, alias)
  if (!content) return
  const eventType = 'm.room.canonical_alias'
  try {
    await server.room(roomId).ask({ kind: 'setRoomStateWithKey', userId, eventType, stateKey: '', content }, cause)
  } catch (refusal) {
    // The alias is gone either way; without the power to say so the room keeps the old event.
    if (!(refusal instanceof MatrixError)) throw refusal
  }
}
