import { ringUsers } from '#actors/effects.ts'
import type { Command } from '#actors/kernel/actor.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import type { ThreadSubscribed, ThreadSubscriptionFact } from '#schema/journal/thread-subscriptions.ts'
import { limitExceeded, MatrixError } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { User, UserApply, UserDecide } from './memory.ts'

/** Threads that an account may have a word on, both ways. */
export const THREAD_SUBSCRIPTIONS_LIMIT = 20_000
const RETRY_AFTER_MS = 60_000

/** spec: MSC4306 */
export type ThreadSubscriptionsCommand =
  /** `automatic`: the number of the event in the thread because of which the client decided it by itself. */
  | Command<'subscribeToThread', { roomId: RoomId; rootId: EventId; automatic: number | null }>
  | Command<'unsubscribeFromThread', { roomId: RoomId; rootId: EventId }>

/** What the account has said about a thread. */
export type ThreadWord = Readonly<{ isSubscribed: boolean; isAutomatic: boolean; position: number }>

export const decide = {
  subscribeToThread(user, { roomId, rootId, automatic }) {
    const why = whyNotActive(user) ?? whyTooMany(user, rootId)
    if (why) return { refuse: why }
    const { userId, threads } = user
    const known = threads.get(rootId)
    const isAutomatic = automatic !== null
    if (automatic !== null && known && !known.isSubscribed && automatic <= known.position) return { refuse: conflict() }
    // What was said by hand stays so; automatisms change nothing about it.
    if (known?.isSubscribed && (isAutomatic || !known.isAutomatic)) return { reply: undefined }
    const subscribed: ThreadSubscribed = { kind: 'threadSubscribed', userId, roomId, rootId, isAutomatic }
    return { facts: [subscribed], effects: [ringUsers([userId], 'threads')], reply: undefined }
  },

  unsubscribeFromThread(user, { roomId, rootId }) {
    const why = whyNotActive(user) ?? whyTooMany(user, rootId)
    if (why) return { refuse: why }
    const { userId, threads } = user
    if (threads.get(rootId)?.isSubscribed === false) return { reply: undefined }
    return {
      facts: [{ kind: 'threadUnsubscribed', userId, roomId, rootId }],
      effects: [ringUsers([userId], 'threads')],
      reply: undefined,
    }
  },
} satisfies UserDecide<ThreadSubscriptionsCommand, ThreadSubscriptionFact>

export const apply = {
  threadSubscribed({ threads }, { rootId, isAutomatic }, position) {
    threads.set(rootId, { isSubscribed: true, isAutomatic, position })
  },
  threadUnsubscribed({ threads }, { rootId }, position) {
    threads.set(rootId, { isSubscribed: false, isAutomatic: false, position })
  },
} satisfies UserApply<ThreadSubscriptionFact>

const conflict = (): MatrixError =>
  new MatrixError(409, 'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION', 'The user has left this thread after that event')

const whyTooMany = ({ threads }: User, rootId: EventId): MatrixError | undefined =>
  threads.has(rootId) || threads.size < THREAD_SUBSCRIPTIONS_LIMIT
    ? undefined
    : limitExceeded(`An account follows at most ${THREAD_SUBSCRIPTIONS_LIMIT} threads`, RETRY_AFTER_MS)
