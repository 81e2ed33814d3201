import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'

/** The marker `m.fully_read` may move backwards (MSC4446); receipts never do. */
export const allowBackward = {
  allow_backward: Type.Optional(Type.Boolean()),
  'com.beeper.allow_backward': Type.Optional(Type.Boolean()),
}

const ReceiptType = Type.Union([Type.Literal('m.read'), Type.Literal('m.read.private'), Type.Literal('m.fully_read')])

/** What is wrong with `thread_id` is `M_INVALID_PARAM`. spec: client-server-api#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
export const postReceipt = {
  params: Type.Object({ roomId: RoomId, receiptType: ReceiptType, eventId: EventId }),
  body: Type.Object({ thread_id: Type.Optional(Type.Unknown()), ...allowBackward }),
  allowGuest: true,
} as const
