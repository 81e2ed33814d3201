import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { OptionalOrNull } from './optional.ts'

/** spec: client-server-api#post_matrixclientv3roomsroomidupgrade */
export const upgradeRoom = {
  params: Type.Object({ roomId: RoomId }),
  body: Type.Object({
    new_version: Type.String(),
    additional_creators: OptionalOrNull(Type.Array(Type.String())),
  }),
} as const
