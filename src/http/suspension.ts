import type { Homeserver } from '#homeserver'
import type { EventId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { findEvent } from '#store/events.ts'
import type { Requester } from './endpoint.ts'

/**
 * Suspended users may read, leave and look after their account, but not speak up.
 * spec: client-server-api#account-suspension
 */
export function refuseSuspended({ isSuspended }: Requester): void {
  if (!isSuspended) return
  throw new MatrixError(403, 'M_USER_SUSPENDED', 'This account is suspended: it can read and leave rooms, but not do this')
}

/** What they have said themselves they may still take back. */
export function refuseSuspendedRedaction({ store }: Homeserver, requester: Requester, targetId: EventId): void {
  if (requester.isSuspended && findEvent(store, targetId)?.pdu.sender !== requester.userId) refuseSuspended(requester)
}
