import { joinRuleOf } from '#core/event-content.ts'
import type { Homeserver } from '#homeserver'
import { isRoomAlias, isRoomId, localpartOf, type RoomId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { findAlias } from '#store/aliases.ts'
import { findMemberProfile } from '#store/profiles.ts'
import { findStateEvent } from '#store/room-state.ts'
import { countPeople } from '#store/users.ts'
import { makeRoom, planNewRoom } from './new-room.ts'

type NewUser = Readonly<{ userId: UserId; isGuest: boolean }>

/** Brings a new user into `auto_join_rooms`. One that cannot be joined keeps nobody from having an account. */
export async function joinFirstRooms(server: Homeserver, { userId, isGuest }: NewUser, cause: string): Promise<void> {
  if (isGuest && !server.config.autoJoinRoomsForGuests) return
  for (const name of server.config.autoJoinRooms) {
    try {
      const roomId = roomNamed(server, name) ?? (await makeFirstRoom(server, name, userId, cause))
      if (!roomId) throw new MatrixError(404, 'M_NOT_FOUND', `${name} is not a room of this server`)
      await bringInto(server, roomId, userId, cause)
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error
      server.log.warn({ room: name, userId, cause, err: error }, 'a new user could not join a room of auto_join_rooms')
    }
  }
}

/** Whoever `auto_join_mxid_localpart` names opens the door where it is shut. */
async function bringInto(server: Homeserver, roomId: RoomId, userId: UserId, cause: string): Promise<void> {
  const { store } = server
  const host = hostOf(server)
  const profile = findMemberProfile(store, userId)
  const isShut = joinRuleOf(findStateEvent(store, roomId, 'm.room.join_rules', '')) !== 'public'
  if (host && host !== userId && isShut)
    await server.room(roomId).ask({ kind: 'inviteUser', userId: host, targetId: userId, profile }, cause)
  await server.room(roomId).ask({ kind: 'joinRoomById', userId, profile }, cause)
}

const hostOf = ({ config, serverName }: Homeserver): UserId | undefined =>
  config.autoJoinMxidLocalpart === null ? undefined : `@${config.autoJoinMxidLocalpart}:${serverName}`

/** With the first account come the rooms that are not there yet, where `autocreate_auto_join_rooms` says so. */
async function makeFirstRoom(server: Homeserver, name: string, userId: UserId, cause: string): Promise<RoomId | undefined> {
  const { config } = server
  const isOurs = isRoomAlias(name) && serverNameOf(name) === server.serverName
  if (!config.autocreateAutoJoinRooms || !isOurs || countPeople(server.store) > 1) return undefined
  const maker = { userId: hostOf(server) ?? userId, deviceId: null, isGuest: false, isAdmin: false, isSuspended: false }
  const wish = {
    room_alias_name: localpartOf(name),
    preset: config.autocreateAutoJoinRoomPreset,
    ...(config.autocreateAutoJoinRoomsFederated ? {} : { creation_content: { 'm.federate': false } }),
  }
  return makeRoom(server, planNewRoom(server, wish, maker), cause)
}

function roomNamed(server: Homeserver, name: string): RoomId | undefined {
  if (isRoomId(name)) return name
  if (!isRoomAlias(name) || serverNameOf(name) !== server.serverName) return undefined
  return findAlias(server.store, name)?.roomId
}
