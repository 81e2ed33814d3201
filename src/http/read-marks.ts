import { ownValue } from '#core/event-content.ts'
import type { Homeserver } from '#homeserver'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { notFound, notInRoom } from '#schema/matrix-error.ts'
import { findAccountData } from '#store/account-data.ts'
import { findClientEvent } from '#store/client-events.ts'
import { findMembership } from '#store/memberships.ts'

/**
 * Moves the marker up to which a user has read everything; backwards only where they say so. Throws `M_FORBIDDEN` for someone
 * who is not in the room, `M_NOT_FOUND` for an event that is not in it. spec: client-server-api#fully-read-markers
 */
export async function markFullyRead(
  server: Homeserver,
  { roomId, userId, eventId, mayGoBack, cause }: Readonly<{ roomId: RoomId; userId: UserId; eventId: EventId; mayGoBack: boolean; cause: string }>,
): Promise<void> {
  const { store } = server
  if (findMembership(store, roomId, userId)?.membership !== 'join') throw notInRoom()
  const event = findClientEvent(store, roomId, eventId)
  if (!event) throw notFound('There is no such event in this room')
  const before = ownValue(findAccountData(store, userId, roomId, 'm.fully_read'), 'event_id')
  const current = typeof before === 'string' ? findClientEvent(store, roomId, before as EventId) : undefined
  if (current && (mayGoBack ? current.num === event.num : current.num >= event.num)) return
  await server.user(userId).ask({ kind: 'setAccountData', roomId, type: 'm.fully_read', content: { event_id: eventId } }, cause)
}

/** MSC4446, under its name of today and the one of before. */
export const mayGoBack = (body: Readonly<Partial<Record<'allow_backward' | 'com.beeper.allow_backward', boolean>>>): boolean =>
  body.allow_backward ?? body['com.beeper.allow_backward'] ?? false
