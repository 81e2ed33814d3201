import type { Homeserver } from '#homeserver'
import type { EventId } from '#schema/identifiers.ts'
import { findEvent } from '#store/events.ts'
import type { Requester } from './endpoint.ts'
import { perServer } from './per-server.ts'
import { rateLimiter } from './rate-limit.ts'

const limitsOf = perServer(({ config: { rc }, clock }) => ({
  messages: rateLimiter(rc.message, clock.now),
  adminRedactions: rateLimiter(rc.adminRedaction, clock.now),
}))

/** Counts one event of a user against `rc_message`. Throws `M_LIMIT_EXCEEDED`. */
export const takeMessage = (server: Homeserver, { userId }: Requester): void => limitsOf(server).messages.take(userId)

/** The same for a redaction: of what others have said it counts against `rc_admin_redaction`. */
export function takeRedaction(server: Homeserver, requester: Requester, targetId: EventId): void {
  const sender = findEvent(server.store, targetId)?.pdu.sender
  if (sender === undefined || sender === requester.userId) takeMessage(server, requester)
  else limitsOf(server).adminRedactions.take(requester.userId)
}
