import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** Any JSON object: the content of an event is its sender's business. */
export const EventContent = Type.Record(Type.String(), Type.Unknown())

/** spec: client-server-api#put_matrixclientv3roomsroomidsendeventtypetxnid */
export const sendMessage = {
  params: Type.Object({ roomId: RoomId, eventType: Type.String(), txnId: Type.String({ minLength: 1, maxLength: 255 }) }),
  query: Type.Object({ ts: Type.Optional(QueryInteger) }),
  body: EventContent,
} as const
