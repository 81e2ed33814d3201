import type { EventId } from '#schema/identifiers.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { relationOf } from './relations.ts'

/** A thread's root, or `main` for what is in no thread. spec: client-server-api#threaded-read-receipts */
export type ThreadId = EventId | 'main'

/** How many relations are followed from an event to one with `m.thread`. */
export const THREAD_HOPS_LIMIT = 3

/**
 * The thread that an event belongs to, for receipts and unread counts: it has an `m.thread` relation itself,
 * or a chain of other relations leads to an event that has one. The root itself belongs to `main`.
 * `contentOf` finds the content of an event of the same room; undefined ends the search.
 */
export function threadOf(
  content: JsonObject,
  contentOf: (eventId: EventId) => JsonObject | undefined,
): ThreadId {
  let current: JsonObject | undefined = content
  for (let hops = 0; current && hops <= THREAD_HOPS_LIMIT; hops += 1) {
    const relation = relationOf(current)
    if (!relation) return 'main'
    if (relation.relType === 'm.thread') return relation.eventId
    current = contentOf(relation.eventId)
  }
  return 'main'
}

/** A receipt covers its own thread, or every thread if it is unthreaded (`null`). */
export const receiptCovers = (receiptThread: ThreadId | null, thread: ThreadId): boolean =>
  receiptThread === null || receiptThread === thread

/** May a receipt on this event name that thread? A root may be marked in `main` and in its own thread. */
export const receiptFits = (eventId: EventId, eventThread: ThreadId, receiptThread: ThreadId): boolean =>
  receiptThread === eventThread || receiptThread === eventId

/** A user's receipt in a room, public or private, at its place in the order of events. */
export type ReceiptMark = Readonly<{ threadId: ThreadId | null; position: number }>

/**
 * How far a user has read in a thread: the furthest of all receipts that cover it, public and private alike
 * (G-72). 0 if there is none. Order is that of events and not of time (G-90).
 * spec: client-server-api#marking-notifications-as-read
 */
export const readUpTo = (receipts: readonly ReceiptMark[], thread: ThreadId): number =>
  receipts
    .filter(({ threadId }) => receiptCovers(threadId, thread))
    .reduce((furthest, { position }) => Math.max(furthest, position), 0)

/** Does a receipt replace the one with the same user, type and thread? Only one further on does (G-90). */
export const replacesReceipt = (next: ReceiptMark, current: ReceiptMark | undefined): boolean =>
  current === undefined || (next.threadId === current.threadId && next.position > current.position)
