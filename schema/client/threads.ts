import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv1roomsroomidthreads */
export const getThreadRoots = {
  params: Type.Object({ roomId: RoomId }),
  query: Type.Object({
    include: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('participated')])),
    from: Type.Optional(Type.String()),
    limit: Type.Optional(QueryInteger),
  }),
  allowGuest: true,
} as const
