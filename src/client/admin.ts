import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { isOurs } from '#http/room-addresses.ts'
import * as schema from '#schema/client/admin.ts'
import { isUserId, type UserId } from '#schema/identifiers.ts'
import { forbidden, invalidParam, notFound } from '#schema/matrix-error.ts'
import { listDevices } from '#store/devices.ts'
import { findUser, type UserRow } from '#store/users.ts'

/** What the Client-Server API itself lets admins do. spec: client-server-api#server-administration */
export const adminPage = (server: Homeserver) => {
  const getSuspension = signedIn(server, schema.getAdminSuspendUser, ({ params, requester }) =>
    ({ suspended: moderated(server, requester, params.userId).isSuspended }))
  const getLock = signedIn(server, schema.getAdminLockUser, ({ params, requester }) =>
    ({ locked: moderated(server, requester, params.userId).isLocked }))

  const setSuspension = signedIn(server, schema.setAdminSuspendUser, async ({ params, body, requester, cause }) => {
    const { suspended } = body
    const userId = toBeChanged(server, requester, params.userId)
    await server.user(userId).ask({ kind: 'suspendUser', isSuspended: suspended }, cause)
    return { suspended }
  })
  const setLock = signedIn(server, schema.setAdminLockUser, async ({ params, body: { locked }, requester, cause }) => {
    const userId = toBeChanged(server, requester, params.userId)
    await server.user(userId).ask({ kind: 'lockUser', isLocked: locked }, cause)
    return { locked }
  })

  return page()
    .get(
      '/_matrix/client/v3/admin/whois/:userId',
      signedIn(server, schema.getWhoIs, ({ params: { userId }, requester }) => whoIs(server, userId, requester)),
    )
    .get('/_matrix/client/v1/admin/suspend/:userId', getSuspension)
    .put('/_matrix/client/v1/admin/suspend/:userId', setSuspension)
    .get('/_matrix/client/v1/admin/lock/:userId', getLock)
    .put('/_matrix/client/v1/admin/lock/:userId', setLock)
    .get('/_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/:userId', getSuspension)
    .put('/_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/:userId', setSuspension)
    .get('/_matrix/client/unstable/uk.timedout.msc4323/admin/lock/:userId', getLock)
    .put('/_matrix/client/unstable/uk.timedout.msc4323/admin/lock/:userId', setLock)
}

/** The account that an admin asks about: `M_INVALID_PARAM` for other servers' users, `M_NOT_FOUND` for the gone. */
function moderated(server: Homeserver, { isAdmin }: Requester, userId: string): UserRow {
  if (!isAdmin) throw forbidden('Only admins of this server may do this')
  if (!isUserId(userId) || !isOurs(server, userId)) throw invalidParam(`${userId} is not a user of this server`)
  const user = findUser(server.store, userId)
  if (!user || user.isDeactivated) throw notFound(`${userId} is not a user of this server`)
  return user
}

/** Admins change neither themselves nor each other like this. */
function toBeChanged(server: Homeserver, requester: Requester, target: string): UserId {
  const { userId, isAdmin } = moderated(server, requester, target)
  if (userId === requester.userId) throw forbidden('You cannot do this to your own account')
  if (isAdmin) throw forbidden(`${userId} is an admin as well`)
  return userId
}

/** From where a user's devices were used last. */
function whoIs(server: Homeserver, userId: string, requester: Requester): object {
  if (userId !== requester.userId && !requester.isAdmin) throw forbidden('Only admins of this server may ask about others')
  if (!isUserId(userId) || !isOurs(server, userId)) throw invalidParam(`${userId} is not a user of this server`)
  if (!findUser(server.store, userId)) throw notFound(`${userId} is not a user of this server`)
  const devices = listDevices(server.store, userId).map(({ deviceId, lastSeenIp, lastSeenTs, lastSeenUserAgent }) => {
    const connection = {
      ...(lastSeenIp === null ? {} : { ip: lastSeenIp }),
      ...(lastSeenTs === null ? {} : { last_seen: lastSeenTs }),
      ...(lastSeenUserAgent === null ? {} : { user_agent: lastSeenUserAgent }),
    }
    return [deviceId, { sessions: [{ connections: lastSeenTs === null ? [] : [connection] }] }] as const
  })
  return { user_id: userId, devices: Object.fromEntries(devices) }
}
