import { ownValue } from '#core/event-content.ts'
import type { Homeserver } from '#homeserver'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { findClientEvent } from '#store/client-events.ts'
import { listJoinedGuests } from '#store/members.ts'
import { findStateEvent } from '#store/room-state.ts'
import type { Store } from '#store/store.ts'

export const GUEST_ACCESS = 'm.room.guest_access'

const takesGuests = (store: Store, roomId: RoomId): boolean =>
  ownValue(findStateEvent(store, roomId, GUEST_ACCESS, '')?.pdu.content, 'guest_access') === 'can_join'

/** spec: client-server-api#guest-access */
export function refuseGuest({ store }: Homeserver, roomId: RoomId): void {
  if (!takesGuests(store, roomId)) throw new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', 'This room takes no guests')
}

/** Where guests are no longer welcome, those of this server leave. spec: client-server-api#guest-access */
export async function showGuestsOut(server: Homeserver, roomId: RoomId, cause: string): Promise<void> {
  if (takesGuests(server.store, roomId)) return
  const guests = listJoinedGuests(server.store, roomId)
  await Promise.allSettled(guests.map((userId) => server.room(roomId).ask({ kind: 'leaveRoom', userId }, cause)))
}

/** What welcomed them may have been redacted. */
export async function showGuestsOutAfter(server: Homeserver, roomId: RoomId, redacted: EventId, cause: string): Promise<void> {
  if (findClientEvent(server.store, roomId, redacted)?.type === GUEST_ACCESS) await showGuestsOut(server, roomId, cause)
}
