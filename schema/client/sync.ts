import { Type } from '@sinclair/typebox'
import { QueryBoolean, QueryInteger } from './query.ts'

/** spec: client-server-api#get_matrixclientv3sync */
export const sync = {
  query: Type.Object({
    filter: Type.Optional(Type.String()),
    since: Type.Optional(Type.String()),
    full_state: Type.Optional(QueryBoolean),
    set_presence: Type.Optional(Type.Union([Type.Literal('offline'), Type.Literal('online'), Type.Literal('unavailable')])),
    timeout: Type.Optional(QueryInteger),
    use_state_after: Type.Optional(QueryBoolean),
    'org.matrix.msc4222.use_state_after': Type.Optional(QueryBoolean),
  }),
  allowGuest: true,
} as const
