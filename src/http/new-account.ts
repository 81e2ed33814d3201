import { joinRuleOf } from '#core/event-content.ts'
import type { Homeserver } from '#homeserver'
import { isRoomAlias, isRoomId, localpartOf, type RoomId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { invalidUsername, MatrixError, userInUse } from '#schema/matrix-error.ts'
import { findAlias } from '#store/aliases.ts'
import { findMemberProfile } from '#store/profiles.ts'
import { findStateEvent } from '#store/room-state.ts'
import { countPeople, hasUser } from '#store/users.ts'
import { makeRoom, planNewRoom } from './new-room.ts'
import { hashNewPassword } from './passwords.ts'

const USER_ID_LIMIT_BYTES = 255
/** spec: appendices#user-identifiers */
const LOCALPART = /^[a-z0-9._=/+-]+$/

/** The user id of a new name. Throws `M_INVALID_USERNAME`, or `M_USER_IN_USE` when it is taken. */
export function newUserId({ config, serverName, store }: Homeserver, localpart: string, isOwnServer = false): UserId {
  if (!LOCALPART.test(localpart)) throw invalidUsername('A user name is made of a-z, 0-9, and . _ = - / +')
  if (localpart.startsWith('_') && !config.allowUnderscorePrefixedRegistration && !isOwnServer)
    throw invalidUsername('User names that begin with _ are for application services')
  const userId: UserId = `@${localpart}:${serverName}`
  if (Buffer.byteLength(userId) > USER_ID_LIMIT_BYTES) throw invalidUsername('This user name is too long')
  if (hasUser(store, userId)) throw userInUse('This user name is taken')
  return userId
}

export type NewAccount = Readonly<{
  /** Null: one is made up. */
  localpart: string | null
  /** Null: nobody can log in with a password. */
  password: string | null
  isAdmin?: boolean
  isGuest?: boolean
  displayname?: string | null
  /** Made by an admin of this server, who may use names that are closed to others. */
  byAdmin?: boolean
}>

const GENERATED_LENGTH = 12
const ATTEMPTS = 5

/**
 * Makes an account and puts it into the rooms of `auto_join_rooms`. Throws `M_INVALID_USERNAME`, `M_USER_IN_USE`,
 * `M_WEAK_PASSWORD`.
 */
export async function createAccount(server: Homeserver, account: NewAccount, cause: string): Promise<UserId> {
  const { localpart, password, isAdmin = false, isGuest = false, displayname = null, byAdmin = false } = account
  const wanted = localpart === null ? undefined : newUserId(server, localpart, byAdmin)
  const passwordHash = password === null ? null : await hashNewPassword(server, password)
  const userId = await registerAs(server, wanted, { passwordHash, isAdmin, isGuest, displayname }, cause)
  if (!isGuest || server.config.autoJoinRoomsForGuests) await joinFirstRooms(server, userId, cause)
  return userId
}

type Registration = Readonly<{
  passwordHash: string | null
  isAdmin: boolean
  isGuest: boolean
  displayname: string | null
}>

async function registerAs(
  server: Homeserver,
  wanted: UserId | undefined,
  registration: Registration,
  cause: string,
): Promise<UserId> {
  for (let attempt = 1; ; attempt++) {
    const userId = wanted ?? (`@${generatedLocalpart()}:${server.serverName}` as const)
    try {
      await server.user(userId).ask({ kind: 'register', ...registration }, cause)
      return userId
    } catch (error) {
      const wasUnlucky = wanted === undefined && error instanceof MatrixError && error.errcode === 'M_USER_IN_USE'
      if (!wasUnlucky || attempt === ATTEMPTS) throw error
    }
  }
}

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'

const generatedLocalpart = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(GENERATED_LENGTH)), (value) => ALPHABET[value % ALPHABET.length]).join('')

/** One that cannot be joined keeps nobody from having an account. */
async function joinFirstRooms(server: Homeserver, userId: UserId, cause: string): Promise<void> {
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
