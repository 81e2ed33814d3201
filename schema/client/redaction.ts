import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'

/** spec: client-server-api#put_matrixclientv3roomsroomidredacteventidtxnid */
export const redactEvent = {
  params: Type.Object({ roomId: RoomId, eventId: EventId, txnId: Type.String({ minLength: 1, maxLength: 255 }) }),
  body: Type.Object({ reason: Type.Optional(Type.String()) }),
} as const
