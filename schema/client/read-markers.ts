import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { allowBackward } from './receipts.ts'

/** spec: client-server-api#post_matrixclientv3roomsroomidread_markers */
export const setReadMarker = {
  params: Type.Object({ roomId: RoomId }),
  body: Type.Object({
    'm.fully_read': Type.Optional(EventId),
    'm.read': Type.Optional(EventId),
    'm.read.private': Type.Optional(EventId),
    ...allowBackward,
  }),
  allowGuest: true,
} as const
