import { Type } from '@sinclair/typebox'
import { QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv3notifications */
export const getNotifications = {
  query: Type.Object({
    from: Type.Optional(Type.String()),
    limit: Type.Optional(QueryInteger),
    only: Type.Optional(Type.String()),
  }),
}
