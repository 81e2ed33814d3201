import { Type } from '@sinclair/typebox'
import { OptionalOrNull } from './optional.ts'

const EventFilter = Type.Record(Type.String(), Type.Unknown())

const RoomEvents = Type.Object({
  search_term: Type.String({ maxLength: 1_024 }),
  keys: Type.Optional(Type.Array(Type.String())),
  filter: Type.Optional(EventFilter),
  order_by: Type.Optional(Type.Union([Type.Literal('recent'), Type.Literal('rank')])),
  event_context: OptionalOrNull(Type.Object({
    before_limit: Type.Optional(Type.Integer({ minimum: 0 })),
    after_limit: Type.Optional(Type.Integer({ minimum: 0 })),
    include_profile: Type.Optional(Type.Boolean()),
  })),
  include_state: OptionalOrNull(Type.Boolean()),
  groupings: Type.Optional(Type.Object({
    group_by: Type.Optional(Type.Array(Type.Object({ key: Type.Union([Type.Literal('room_id'), Type.Literal('sender')]) }))),
  })),
})

/** spec: client-server-api#post_matrixclientv3search */
export const search = {
  query: Type.Object({ next_batch: Type.Optional(Type.String()) }),
  body: Type.Object({ search_categories: Type.Object({ room_events: Type.Optional(RoomEvents) }) }),
} as const
