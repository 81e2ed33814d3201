import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv3roomsroomidcontexteventid */
export const getEventContext = {
  params: Type.Object({ roomId: RoomId, eventId: EventId }),
  query: Type.Object({ limit: Type.Optional(QueryInteger), filter: Type.Optional(Type.String()) }),
  allowGuest: true,
} as const
