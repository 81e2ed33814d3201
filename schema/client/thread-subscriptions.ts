import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

const thread = { params: Type.Object({ roomId: RoomId, rootId: EventId }) } as const

/** MSC4306: `automatic` is the event in the thread because of which the client subscribes by itself. */
export const subscribeToThread = { ...thread, body: Type.Object({ automatic: Type.Optional(EventId) }) } as const
export const getThreadSubscription = thread
export const unsubscribeFromThread = thread

/** MSC4308 */
export const listThreadSubscriptions = {
  query: Type.Object({
    dir: Type.Literal('b'),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    limit: Type.Optional(QueryInteger),
  }),
} as const
