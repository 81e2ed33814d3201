import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv3roomsroomidmessages */
export const getRoomEvents = {
  params: Type.Object({ roomId: RoomId }),
  query: Type.Object({
    dir: Type.Union([Type.Literal('b'), Type.Literal('f')]),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    limit: Type.Optional(QueryInteger),
    filter: Type.Optional(Type.String()),
  }),
  allowGuest: true,
} as const
