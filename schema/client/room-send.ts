import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'

/** Any JSON object: the content of an event is its sender's business. */
export const EventContent = Type.Record(Type.String(), Type.Unknown())

/** What a request may say of the event besides its content; sent later (MSC4140), and standing out in sync (MSC4354). */
export const EventOptions = Type.Object({
  'ts': Type.Optional(QueryInteger),
  'org.matrix.msc4140.delay': Type.Optional(QueryInteger),
  'org.matrix.msc4354.sticky_duration_ms': Type.Optional(QueryInteger),
})

/** spec: client-server-api#put_matrixclientv3roomsroomidsendeventtypetxnid */
export const sendMessage = {
  params: Type.Object({ roomId: RoomId, eventType: Type.String(), txnId: Type.String({ minLength: 1, maxLength: 255 }) }),
  query: EventOptions,
  body: EventContent,
  allowGuest: true,
} as const

/** Without a transaction id, as scripts still send: whoever repeats such a request says it twice. */
export const postMessage = { ...sendMessage, params: Type.Omit(sendMessage.params, ['txnId']) } as const
