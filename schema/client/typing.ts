import { Type } from '@sinclair/typebox'
import { RoomId, UserId } from '#schema/identifiers.ts'

/** spec: client-server-api#put_matrixclientv3roomsroomidtypinguserid */
export const setTyping = {
  params: Type.Object({ roomId: RoomId, userId: UserId }),
  body: Type.Object({ typing: Type.Boolean(), timeout: Type.Optional(Type.Integer({ minimum: 0 })) }),
  allowGuest: true,
} as const
