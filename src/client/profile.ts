import type { Json, JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { maybeSignedIn, type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import * as schema from '#schema/client/profile.ts'
import { serverNameOf, type UserId } from '#schema/identifiers.ts'
import { forbidden, MatrixError, missingParam, missingToken, notFound } from '#schema/matrix-error.ts'
import { listRoomsOf } from '#store/memberships.ts'
import { findMemberProfile, findProfile, findProfileField, hasSharedRoom } from '#store/profiles.ts'
import { findUser } from '#store/users.ts'

const FIELD = '/_matrix/client/v3/profile/:userId/:keyName'
/** MSC4133, before it was part of the spec. */
const UNSTABLE_FIELD = '/_matrix/client/unstable/uk.tcpip.msc4133/profile/:userId/:keyName'

export const profilePage = (server: Homeserver) => {
  const getField = maybeSignedIn(server, schema.getProfileField, ({ params: { userId, keyName }, requester }) => {
    checkReader(server, userId, requester)
    const value = findProfileField(server.store, userId, keyName)
    if (value !== undefined) return { [keyName]: value }
    // Everybody has a name and a picture, if only empty ones: clients take 404 for an unknown user (MSC4537).
    if (isMemberField(keyName)) return {}
    throw notFound('This profile has no such field')
  })

  const setField = signedIn(server, schema.setProfileField, async ({ params, body, requester, cause }) => {
    const { userId, keyName } = params
    checkWriter(server, userId, keyName, requester)
    if (!Object.hasOwn(body, keyName)) throw missingParam(`Missing parameter: ${keyName}`)
    const value = (body as JsonObject)[keyName] as Json
    await changeField(server, { userId, keyName, value, byAdmin: requester.userId !== userId, cause })
    return {}
  })

  const deleteField = signedIn(server, schema.deleteProfileField, async ({ params, requester, cause }) => {
    const { userId, keyName } = params
    checkWriter(server, userId, keyName, requester)
    await changeField(server, { userId, keyName, value: undefined, byAdmin: requester.userId !== userId, cause })
    return {}
  })

  return page()
    .get(
      '/_matrix/client/v3/profile/:userId',
      maybeSignedIn(server, schema.getUserProfile, ({ params: { userId }, requester }) => {
        checkReader(server, userId, requester)
        return Object.fromEntries(findProfile(server.store, userId))
      }),
    )
    .get(FIELD, getField)
    .put(FIELD, setField)
    .delete(FIELD, deleteField)
    .get(UNSTABLE_FIELD, getField)
    .put(UNSTABLE_FIELD, setField)
    .delete(UNSTABLE_FIELD, deleteField)
}

/** spec: client-server-api#profiles */
function checkReader({ config, serverName, store }: Homeserver, userId: UserId, requester: Requester | null): void {
  if (!requester && config.requireAuthForProfileRequests) throw missingToken()
  if (config.limitProfileRequestsToUsersWhoShareRooms && !isKnownTo(store, userId, requester))
    throw forbidden('Profiles are shown to those who share a room')
  if (serverNameOf(userId) !== serverName || isGone(store, userId)) throw notFound('There is no such profile')
}

const isKnownTo = (store: Homeserver['store'], userId: UserId, requester: Requester | null): boolean =>
  requester !== null && (requester.userId === userId || hasSharedRoom(store, requester.userId, userId))

const isGone = (store: Homeserver['store'], userId: UserId): boolean => findUser(store, userId)?.isDeactivated ?? true

/** Users edit their own profile, admins that of anyone here. */
function checkWriter({ config, serverName }: Homeserver, userId: UserId, field: string, requester: Requester): void {
  if (requester.userId !== userId && !(requester.isAdmin && serverNameOf(userId) === serverName))
    throw forbidden('You may only change your own profile')
  if (requester.isGuest && field !== 'displayname')
    throw new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', 'Guests may only change their display name')
  const { enableSetDisplayname, enableSetAvatarUrl } = config
  const isClosed = (field === 'displayname' && !enableSetDisplayname) || (field === 'avatar_url' && !enableSetAvatarUrl)
  if (isClosed && !requester.isAdmin) throw forbidden(`${field} cannot be changed on this server`)
}

const isMemberField = (keyName: string): boolean => keyName === 'displayname' || keyName === 'avatar_url'

type Change = Readonly<{ userId: UserId; keyName: string; value: Json | undefined; byAdmin: boolean; cause: string }>

/** Changes a field, and with name and avatar the member event in every room. */
async function changeField(server: Homeserver, { userId, keyName, value, byAdmin, cause }: Change): Promise<void> {
  const isCleared = value === undefined || (isMemberField(keyName) && value === '')
  await server.user(userId).ask(
    isCleared
      ? { kind: 'deleteProfileField', field: keyName, byAdmin }
      : { kind: 'setProfileField', field: keyName, value, byAdmin },
    cause,
  )
  if (isMemberField(keyName)) await refreshRooms(server, userId, cause)
}

/** spec: client-server-api#events-on-change-of-profile-information */
async function refreshRooms(server: Homeserver, userId: UserId, cause: string): Promise<void> {
  const profile = findMemberProfile(server.store, userId)
  const rooms = listRoomsOf(server.store, userId, 'join')
  const refreshed = await Promise.allSettled(
    rooms.map((roomId) => server.room(roomId).ask({ kind: 'refreshMember', userId, profile }, cause)),
  )
  for (const outcome of refreshed)
    if (outcome.status === 'rejected')
      server.log.warn({ userId, cause, err: outcome.reason }, 'a room did not take a new profile')
}
