import type { Homeserver } from '#homeserver'
import { signedIn, type SignedInCall } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { reportEvent, reportRoom, reportUser } from '#schema/client/report.ts'
import { isUserId, type UserId } from '#schema/identifiers.ts'
import { findClientEvent } from '#store/client-events.ts'
import { findMembership } from '#store/memberships.ts'
import { findRoom } from '#store/rooms.ts'
import { isKnownUser } from '#store/user-directory.ts'

/**
 * Whoever reports is told `{}`, whether or not there is such a thing: nobody finds out by reporting.
 * spec: client-server-api#reporting-content
 */
export const reportPage = (server: Homeserver) => {
  const limit = rateLimiter(server.config.rc.reports, server.clock.now)

  const aboutRoom = signedIn(server, reportRoom, async ({ params: { roomId }, body: { reason }, requester, cause }) => {
    const { userId } = requester
    limit.take(userId)
    if (findRoom(server.store, roomId)) await server.user(userId).ask({ kind: 'reportRoom', roomId, reason }, cause)
    return {}
  })
  const aboutUser = signedIn(server, reportUser, async ({ params, body: { reason }, requester: { userId }, cause }) => {
    limit.take(userId)
    const targetId = knownUser(server, params.userId)
    if (targetId) await server.user(userId).ask({ kind: 'reportUser', targetId, reason }, cause)
    return {}
  })

  return page()
    .post(
      '/_matrix/client/v3/rooms/:roomId/report/:eventId',
      signedIn(server, reportEvent, async (call) => {
        limit.take(call.requester.userId)
        await keepEventReport(server, call)
        return {}
      }),
    )
    .post('/_matrix/client/v3/rooms/:roomId/report', aboutRoom)
    .post('/_matrix/client/unstable/org.matrix.msc4151/rooms/:roomId/report', aboutRoom)
    .post('/_matrix/client/v3/users/:userId/report', aboutUser)
    .post('/_matrix/client/unstable/org.matrix.msc4260/users/:userId/report', aboutUser)
}

const knownUser = ({ store }: Homeserver, userId: string): UserId | undefined =>
  isUserId(userId) && isKnownUser(store, userId) ? userId : undefined

/** Only members report what was said in a room. */
async function keepEventReport(
  server: Homeserver,
  { params: { roomId, eventId }, body, requester: { userId }, cause }: SignedInCall<typeof reportEvent>,
): Promise<void> {
  if (findMembership(server.store, roomId, userId)?.membership !== 'join') return
  const event = findClientEvent(server.store, roomId, eventId)
  if (!event) return
  const { sender } = event
  const { reason = null, score = null } = body
  await server.user(userId).ask({ kind: 'reportEvent', roomId, eventId, sender, reason, score }, cause)
}
