import { pack } from 'msgpackr'
import type { Homeserver } from '#homeserver'
import { deactivateAccount } from '#http/deactivation.ts'
import { countMonthlyUsers } from '#http/monthly-users.ts'
import { createAccount } from '#http/new-account.ts'
import { hashNewPassword } from '#http/passwords.ts'
import { endSessions, lifetimesOf, newDeviceId } from '#http/sessions.ts'
import { deviceIdOf, type RoomId, type UserId } from '#schema/identifiers.ts'
import { notFound } from '#schema/matrix-error.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'
import { listDevices } from '#store/devices.ts'
import { listRoomsOf } from '#store/memberships.ts'
import { findProfileField } from '#store/profiles.ts'
import { findStateEvent } from '#store/room-state.ts'
import { countJoinedOf, countRooms, countState, databaseBytes, findRoom, listRooms, type RoomCount } from '#store/rooms.ts'
import { countUsers, findUser, listUsers, type UserRow as Account } from '#store/users.ts'
import type { ActorRow, AdminDoor, RoomDetails, RoomRow, UserDetails, UserRow } from './door.ts'

/** Sizes are measured for at most this many actors of a listing; the rest show none. */
const MEASURED_ACTORS = 200

/** What the admin's tools ask, answered by a homeserver: the same commands to the same actors as everyone else's. */
export const homeserverDoor = (server: Homeserver): AdminDoor => ({
  async createUser({ localpart, password, admin, displayname }) {
    // As in the sign-up: who has no other name is called by this one.
    const account = { localpart, password, isAdmin: admin, displayname: displayname ?? localpart, byAdmin: true }
    return { userId: await createAccount(server, account, server.mintCause()) }
  },

  async startSession({ userId, deviceId, displayName }) {
    const device = deviceIdOf(deviceId ?? newDeviceId())
    const { accessToken } = await server.device(userId, device).ask({
      kind: 'startSession',
      displayName,
      isRefreshable: false,
      lifetimes: lifetimesOf(server, false),
      ipAddress: null,
      userAgent: null,
    }, server.mintCause())
    return { accessToken, deviceId: device }
  },

  async listUsers(page) {
    const { users, total } = listUsers(server.store, page)
    return { users: users.map((user) => userRow(server, user)), total }
  },
  showUser: async (userId) => userDetails(server, userId),

  async resetPassword({ userId, password, logoutDevices }) {
    const passwordHash = await hashNewPassword(server, password)
    const cause = server.mintCause()
    await server.user(userId).ask({ kind: 'setPassword', passwordHash }, cause)
    if (logoutDevices) await endSessions(server, userId, cause)
  },
  deactivateUser: ({ userId, erase }) => deactivateAccount(server, userId, erase, server.mintCause()),
  setAdmin: ({ userId, admin }) => server.user(userId).ask({ kind: 'setAdmin', isAdmin: admin }, server.mintCause()),

  async listRooms(page) {
    const { rooms, total } = listRooms(server.store, page)
    return { rooms: rooms.map((room) => roomRow(server, room)), total }
  },
  showRoom: (roomId) => roomDetails(server, roomId),

  actors: async () => actorRows(server),
  stats: async () => ({
    users: countUsers(server.store),
    monthlyUsers: countMonthlyUsers(server),
    rooms: countRooms(server.store),
    position: server.notifier.seen.position,
    databaseBytes: databaseBytes(server.store),
    ...server.storeHealth(),
    brokenInvariants: Object.fromEntries(countBrokenInvariants(server.store)),
  }),
})

const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null)

function userRow({ store }: Homeserver, { userId, isAdmin, isDeactivated, createdTs }: Account): UserRow {
  return { userId, displayname: textOr(findProfileField(store, userId, 'displayname')), isAdmin, isDeactivated, createdTs }
}

function userDetails(server: Homeserver, userId: UserId): UserDetails {
  const user = findUser(server.store, userId)
  if (!user) throw notFound(`${userId} is not a user of this server; see warren user list`)
  return {
    ...userRow(server, user),
    avatarUrl: textOr(findProfileField(server.store, userId, 'avatar_url')),
    joinedRooms: listRoomsOf(server.store, userId, 'join').length,
    devices: listDevices(server.store, userId).map(({ deviceId, displayName, lastSeenTs }) => ({ deviceId, displayName, lastSeenTs })),
  }
}

function roomRow({ store, serverName }: Homeserver, { roomId, joined, version }: RoomCount): RoomRow {
  return {
    roomId,
    name: textOr(findStateEvent(store, roomId, 'm.room.name', '')?.pdu.content.name),
    canonicalAlias: textOr(findStateEvent(store, roomId, 'm.room.canonical_alias', '')?.pdu.content.alias),
    joinedMembers: joined,
    joinedLocalMembers: countJoinedOf(store, roomId, serverName),
    version,
  }
}

async function roomDetails(server: Homeserver, roomId: RoomId): Promise<RoomDetails> {
  const { store } = server
  const room = findRoom(store, roomId)
  if (!room) throw notFound(`${roomId} is not a room of this server; see warren room list`)
  const contentOf = (type: string) => findStateEvent(store, roomId, type, '')?.pdu.content
  const create = findStateEvent(store, roomId, 'm.room.create', '')
  const { extremities } = await server.room(roomId).ask({ kind: 'inspectRoom' }, server.mintCause())
  return {
    ...roomRow(server, room),
    topic: textOr(contentOf('m.room.topic')?.topic),
    creator: create?.pdu.sender ?? null,
    joinRule: textOr(contentOf('m.room.join_rules')?.join_rule),
    historyVisibility: textOr(contentOf('m.room.history_visibility')?.history_visibility),
    isEncrypted: contentOf('m.room.encryption') !== undefined,
    isPublic: room.isPublished,
    isFederated: create?.pdu.content['m.federate'] !== false,
    forwardExtremities: extremities.length,
    stateEvents: countState(store, roomId),
  }
}

function actorRows({ system }: Homeserver): ActorRow[] {
  return system.actors().map(({ kind, id, mail, turns, quarantined }, index) => {
    const frozen = index < MEASURED_ACTORS ? system.frozenMemoryOf({ kind, id }) : undefined
    return {
      kind,
      id,
      mailboxDepth: mail,
      turns,
      failures: Number(quarantined),
      memoryBytes: frozen === undefined ? null : pack(frozen).byteLength,
    }
  })
}
