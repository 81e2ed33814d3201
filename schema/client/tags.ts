import { Type } from '@sinclair/typebox'
import { RoomId, UserId } from '#schema/identifiers.ts'

const ofTag = Type.Object({ userId: UserId, roomId: RoomId, tag: Type.String({ minLength: 1 }) })

/** spec: client-server-api#get_matrixclientv3useruseridroomsroomidtags */
export const getRoomTags = { params: Type.Object({ userId: UserId, roomId: RoomId }) }

/** spec: client-server-api#put_matrixclientv3useruseridroomsroomidtagstag */
export const setRoomTag = {
  params: ofTag,
  body: Type.Object({ order: Type.Optional(Type.Union([Type.Number(), Type.Null()])) }),
}

/** spec: client-server-api#delete_matrixclientv3useruseridroomsroomidtagstag */
export const deleteRoomTag = { params: ofTag }
