import type { Homeserver } from '#homeserver'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { listRoomsOf } from '#store/memberships.ts'
import { endSessions } from './sessions.ts'

/**
 * Ends an account for good: no more logins, no profile, no account data, out of every room; `isErased` also hides what
 * the user wrote from those who join later. Refuses with `M_NOT_FOUND`. spec: client-server-api#account-deactivation
 */
export async function deactivateAccount(
  server: Homeserver,
  userId: UserId,
  isErased: boolean,
  cause: string,
): Promise<void> {
  await server.user(userId).ask({ kind: 'deactivateUser', isErased }, cause)
  await endSessions(server, userId, cause)
  for (const membership of ['join', 'invite', 'knock'] as const)
    for (const roomId of listRoomsOf(server.store, userId, membership)) await leave(server, roomId, userId, cause)
}

/** A room that will not let go must not keep the user in the others. */
async function leave(server: Homeserver, roomId: RoomId, userId: UserId, cause: string): Promise<void> {
  try {
    await server.room(roomId).ask({ kind: 'leaveRoom', userId }, cause)
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error
    server.log.warn({ roomId, userId, cause, err: error }, 'a deactivated user could not leave a room')
  }
}
