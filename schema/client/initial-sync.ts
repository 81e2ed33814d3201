import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryBoolean, QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv3initialsync */
export const initialSync = {
  query: Type.Object({ limit: Type.Optional(QueryInteger), archived: Type.Optional(QueryBoolean) }),
  allowGuest: true,
} as const

/** spec: client-server-api#get_matrixclientv3roomsroomidinitialsync */
export const roomInitialSync = {
  params: Type.Object({ roomId: RoomId }),
  query: Type.Object({ limit: Type.Optional(QueryInteger) }),
  allowGuest: true,
} as const
