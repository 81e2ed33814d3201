import type { Homeserver } from '#homeserver'
import type { EventId } from '#schema/identifiers.ts'
import { refuseWithoutConsent } from './consent.ts'
import type { Requester } from './endpoint.ts'
import { refuseBeyondLimit } from './monthly-users.ts'
import { refuseSuspended, refuseSuspendedRedaction } from './suspension.ts'

/** What keeps an account from adding anything to a room: it may still read, and leave. Throws what there is to say. */
export function refuseSilenced(server: Homeserver, requester: Requester): void {
  refuseSuspended(requester)
  refuseUnwelcome(server, requester)
}

/** The same for taking something back. */
export function refuseSilencedRedaction(server: Homeserver, requester: Requester, targetId: EventId): void {
  refuseSuspendedRedaction(server, requester, targetId)
  refuseUnwelcome(server, requester)
}

function refuseUnwelcome(server: Homeserver, { userId }: Requester): void {
  refuseBeyondLimit(server, userId)
  refuseWithoutConsent(server, userId)
}
