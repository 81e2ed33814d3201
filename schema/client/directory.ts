import { Type } from '@sinclair/typebox'
import { RoomAlias, RoomId } from '#schema/identifiers.ts'

const ofAlias = Type.Object({ roomAlias: RoomAlias })

/** spec: client-server-api#get_matrixclientv3directoryroomroomalias */
export const getRoomIdByAlias = { params: ofAlias } as const

/** spec: client-server-api#put_matrixclientv3directoryroomroomalias */
export const setRoomAlias = { params: ofAlias, body: Type.Object({ room_id: RoomId }) } as const

/** spec: client-server-api#delete_matrixclientv3directoryroomroomalias */
export const deleteRoomAlias = { params: ofAlias } as const

/** spec: client-server-api#get_matrixclientv3roomsroomidaliases */
export const getLocalAliases = { params: Type.Object({ roomId: RoomId }) } as const
