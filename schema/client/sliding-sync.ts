import { Type } from '@sinclair/typebox'
import { QueryInteger } from './query.ts'

/** Simplified sliding sync, MSC4186: in the form that clients use today and in the one that was accepted. */

const Whole = Type.Integer({ minimum: 0 })
const Range = Type.Tuple([Whole, Whole])
const Names = Type.Array(Type.String())
const RoomTypes = Type.Array(Type.Union([Type.String(), Type.Null()]))
const Enabled = { enabled: Type.Optional(Type.Boolean()) }
const Scope = { lists: Type.Optional(Names), rooms: Type.Optional(Names) }

const ToDevice = Type.Object({ ...Enabled, limit: Type.Optional(Whole), since: Type.Optional(Type.String()) })
const OnOff = Type.Object(Enabled)
const ByRoom = Type.Object({ ...Enabled, ...Scope })

/** Extensions that this server does not know are passed over, as MSC4508 wants it. */
const Extensions = Type.Object({
  to_device: Type.Optional(ToDevice),
  'org.matrix.msc4538.to_device': Type.Optional(ToDevice),
  e2ee: Type.Optional(OnOff),
  'org.matrix.msc4543.e2ee': Type.Optional(OnOff),
  account_data: Type.Optional(ByRoom),
  receipts: Type.Optional(ByRoom),
  typing: Type.Optional(ByRoom),
  'org.matrix.msc4262.profiles': Type.Optional(Type.Object({ ...Enabled, ...Scope, fields: Type.Optional(Names) })),
  'org.matrix.msc4354.sticky_events': Type.Optional(ToDevice),
  'io.element.msc4308.thread_subscriptions': Type.Optional(Type.Object({ ...Enabled, limit: Type.Optional(Whole) })),
})

const Filters = {
  is_dm: Type.Optional(Type.Boolean()),
  spaces: Type.Optional(Names),
  is_encrypted: Type.Optional(Type.Boolean()),
  room_types: Type.Optional(RoomTypes),
  not_room_types: Type.Optional(RoomTypes),
  tags: Type.Optional(Names),
  not_tags: Type.Optional(Names),
}

const OldRoom = {
  timeline_limit: Whole,
  required_state: Type.Optional(Type.Array(Type.Tuple([Type.String(), Type.String()]))),
}
const OldFilters = Type.Object({
  ...Filters,
  is_invite: Type.Optional(Type.Boolean()),
  room_name_like: Type.Optional(Type.String()),
})

/** `POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync` */
export const slidingSync = {
  query: Type.Object({
    pos: Type.Optional(Type.String()),
    timeout: Type.Optional(QueryInteger),
    set_presence: Type.Optional(Type.String()),
  }),
  body: Type.Object({
    conn_id: Type.Optional(Type.String({ maxLength: 255 })),
    txn_id: Type.Optional(Type.String({ maxLength: 255 })),
    lists: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Object({
      ...OldRoom,
      ranges: Type.Optional(Type.Array(Range)),
      slow_get_all_rooms: Type.Optional(Type.Boolean()),
      filters: Type.Optional(Type.Union([OldFilters, Type.Null()])),
    }))),
    room_subscriptions: Type.Optional(Type.Record(Type.String(), Type.Object(OldRoom))),
    extensions: Type.Optional(Extensions),
  }),
  allowGuest: true,
} as const

const StatePattern = Type.Object({ type: Type.Optional(Type.String()), state_key: Type.Optional(Type.String()) })
const Room = {
  timeline_limit: Whole,
  required_state: Type.Object({
    include: Type.Optional(Type.Array(StatePattern)),
    exclude: Type.Optional(Type.Array(StatePattern)),
    lazy_members: Type.Optional(Type.Boolean()),
  }),
}

/** `POST /_matrix/client/v4/sync` */
export const slidingSyncV4 = {
  body: Type.Object({
    conn_id: Type.Optional(Type.String({ maxLength: 255 })),
    pos: Type.Optional(Type.String()),
    timeout: Type.Optional(Whole),
    set_presence: Type.Optional(Type.String()),
    lists: Type.Optional(Type.Record(Type.String({ maxLength: 255 }), Type.Object({
      ...Room,
      range: Type.Optional(Range),
      filters: Type.Optional(Type.Object({ ...Filters, is_invited: Type.Optional(Type.Boolean()) })),
    }))),
    room_subscriptions: Type.Optional(Type.Record(Type.String(), Type.Object(Room))),
    extensions: Type.Optional(Extensions),
  }),
  allowGuest: true,
} as const
