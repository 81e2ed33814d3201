import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { QueryBoolean, QueryInteger } from './query.ts'

const query = Type.Object({
  dir: Type.Optional(Type.Union([Type.Literal('b'), Type.Literal('f')])),
  from: Type.Optional(Type.String()),
  to: Type.Optional(Type.String()),
  limit: Type.Optional(QueryInteger),
  recurse: Type.Optional(QueryBoolean),
  // Names from before these were in the spec.
  'org.matrix.msc3715.dir': Type.Optional(Type.Union([Type.Literal('b'), Type.Literal('f')])),
  'org.matrix.msc3981.recurse': Type.Optional(QueryBoolean),
})

/** spec: client-server-api#get_matrixclientv1roomsroomidrelationseventid */
export const getRelatingEvents = {
  params: Type.Object({
    roomId: RoomId,
    eventId: EventId,
    relType: Type.Optional(Type.String()),
    eventType: Type.Optional(Type.String()),
  }),
  query,
  allowGuest: true,
} as const
