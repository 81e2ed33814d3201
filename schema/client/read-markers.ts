import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { OptionalOrNull } from './optional.ts'
import { allowBackward } from './receipts.ts'

/** spec: client-server-api#post_matrixclientv3roomsroomidread_markers */
export const setReadMarker = {
  params: Type.Object({ roomId: RoomId }),
  body: Type.Object({
    'm.fully_read': OptionalOrNull(EventId),
    'm.read': OptionalOrNull(EventId),
    'm.read.private': OptionalOrNull(EventId),
    ...allowBackward,
  }),
  allowGuest: true,
} as const
