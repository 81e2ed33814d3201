import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv3events; with a room it is `peekEvents` */
export const getEvents = {
  query: Type.Object({
    from: Type.Optional(Type.String()),
    timeout: Type.Optional(QueryInteger),
    limit: Type.Optional(QueryInteger),
    room_id: Type.Optional(RoomId),
  }),
  allowGuest: true,
} as const

/** spec: client-server-api#get_matrixclientv3eventseventid */
export const getOneEvent = { params: Type.Object({ eventId: EventId }), allowGuest: true } as const
