import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'

/** Characters of what someone says about what they report. */
export const REASON_LIMIT = 1_000

const reason = Type.String({ maxLength: REASON_LIMIT })

/** spec: client-server-api#post_matrixclientv3roomsroomidreporteventid */
export const reportEvent = {
  params: Type.Object({ roomId: RoomId, eventId: EventId }),
  body: Type.Object({
    reason: Type.Optional(Type.Union([reason, Type.Null()])),
    score: Type.Optional(Type.Integer({ minimum: -100, maximum: 0 })),
  }),
} as const

/** spec: client-server-api#post_matrixclientv3roomsroomidreport */
export const reportRoom = { params: Type.Object({ roomId: RoomId }), body: Type.Object({ reason }) } as const

/** spec: client-server-api#post_matrixclientv3usersuseridreport */
export const reportUser = { params: Type.Object({ userId: Type.String() }), body: Type.Object({ reason }) } as const
