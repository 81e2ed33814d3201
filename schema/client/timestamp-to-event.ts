import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv1roomsroomidtimestamp_to_event */
export const getEventByTimestamp = {
  params: Type.Object({ roomId: RoomId }),
  query: Type.Object({ ts: QueryInteger, dir: Type.Union([Type.Literal('f'), Type.Literal('b')]) }),
  allowGuest: true,
} as const
