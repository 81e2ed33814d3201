import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'

const ReceiptType = Type.Union([Type.Literal('m.read'), Type.Literal('m.read.private'), Type.Literal('m.fully_read')])

/** What is wrong with `thread_id` is `M_INVALID_PARAM`. spec: client-server-api#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
export const postReceipt = {
  params: Type.Object({ roomId: RoomId, receiptType: ReceiptType, eventId: EventId }),
  body: Type.Object({ thread_id: Type.Optional(Type.Unknown()) }),
  allowGuest: true,
} as const
