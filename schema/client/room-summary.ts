import { Type } from '@sinclair/typebox'
import { QueryList } from './query.ts'

/** spec: client-server-api#get_matrixclientv1room_summaryroomidoralias */
export const getRoomSummary = {
  params: Type.Object({ roomIdOrAlias: Type.String() }),
  query: Type.Object({ via: Type.Optional(QueryList) }),
  allowGuest: true,
} as const
