import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { OptionalOrNull } from './optional.ts'
import { QueryInteger } from './query.ts'

const ofRoom = Type.Object({ roomId: RoomId })
const server = { server: Type.Optional(Type.String()) }

/** spec: client-server-api#get_matrixclientv3directorylistroomroomid */
export const getRoomVisibilityOnDirectory = { params: ofRoom } as const

/** spec: client-server-api#put_matrixclientv3directorylistroomroomid */
export const setRoomVisibilityOnDirectory = {
  params: ofRoom,
  body: Type.Object({ visibility: Type.Optional(Type.Union([Type.Literal('public'), Type.Literal('private')])) }),
} as const

/** spec: client-server-api#get_matrixclientv3publicrooms */
export const getPublicRooms = {
  query: Type.Object({ limit: Type.Optional(QueryInteger), since: Type.Optional(Type.String()), ...server }),
  allowGuest: true,
} as const

/** spec: client-server-api#post_matrixclientv3publicrooms */
export const queryPublicRooms = {
  query: Type.Object(server),
  body: Type.Object({
    limit: Type.Optional(Type.Integer()),
    since: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    filter: OptionalOrNull(Type.Object({
      generic_search_term: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      room_types: Type.Optional(Type.Union([Type.Array(Type.Union([Type.String(), Type.Null()])), Type.Null()])),
    })),
    include_all_networks: Type.Optional(Type.Boolean()),
    third_party_instance_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  }),
  allowGuest: true,
} as const
