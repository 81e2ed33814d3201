import { receiptFits, threadOf, type ThreadId } from '#core/threads.ts'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { noticeActivity } from '#http/presence.ts'
import { markFullyRead, mayGoBack } from '#http/read-marks.ts'
import { postReceipt } from '#schema/client/receipts.ts'
import { type EventId, isEventId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { findEvent } from '#store/events.ts'

export const receiptsPage = (server: Homeserver) =>
  page().post(
    '/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId',
    signedIn(server, postReceipt, async ({ params: { roomId, receiptType, eventId }, body, requester, cause }) => {
      const { userId } = requester
      const threadId = readThread(body.thread_id)
      if (receiptType === 'm.fully_read') {
        if (threadId !== null) throw invalidParam('m.fully_read goes for the whole room and takes no thread_id')
        await markFullyRead(server, { roomId, userId, eventId, mayGoBack: mayGoBack(body), cause })
        return {}
      }
      if (threadId !== null && !isInThread(server, eventId, threadId))
        throw invalidParam(`${eventId} is not in the thread ${threadId}`)
      noticeActivity(server, requester, cause)
      await server.room(roomId).ask({ kind: 'postReceipt', userId, receiptType, eventId, threadId }, cause)
      return {}
    }),
  )

/** Null: the receipt goes for all threads. */
function readThread(threadId: unknown): ThreadId | null {
  if (threadId === undefined) return null
  if (threadId === 'main' || isEventId(threadId)) return threadId
  throw invalidParam('thread_id must be main or the event id of a thread root')
}

/** For an event that this server does not know the room's own answer is the better one. */
function isInThread({ store }: Homeserver, eventId: EventId, threadId: ThreadId): boolean {
  const event = findEvent(store, eventId)
  if (!event) return true
  const thread = threadOf(event.pdu.content, (other) => {
    const found = findEvent(store, other)
    return found?.roomId === event.roomId ? found.pdu.content : undefined
  })
  return receiptFits(eventId, thread, threadId)
}
