import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryBoolean, QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv1roomsroomidhierarchy */
export const getSpaceHierarchy = {
  params: Type.Object({ roomId: RoomId }),
  query: Type.Object({
    suggested_only: Type.Optional(QueryBoolean),
    limit: Type.Optional(QueryInteger),
    max_depth: Type.Optional(QueryInteger),
    from: Type.Optional(Type.String()),
  }),
  allowGuest: true,
} as const
