import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { OptionalText } from './optional.ts'

/** spec: client-server-api#put_matrixclientv3roomsroomidredacteventidtxnid */
export const redactEvent = {
  params: Type.Object({ roomId: RoomId, eventId: EventId, txnId: Type.String({ minLength: 1, maxLength: 255 }) }),
  body: Type.Object({
    reason: OptionalText,
    // MSC3912 under each name it has had: relation types, or `*` for all.
    with_rel_types: Type.Optional(Type.Array(Type.String())),
    with_relations: Type.Optional(Type.Array(Type.String())),
    'org.matrix.msc3912.with_relations': Type.Optional(Type.Array(Type.String())),
  }),
} as const

/** Without a transaction id, as old clients do it: a request that is repeated redacts twice. */
export const postRedaction = { ...redactEvent, params: Type.Omit(redactEvent.params, ['txnId']) } as const
