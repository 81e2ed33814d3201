import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'

const Version = Type.String({ minLength: 1 })
const ByVersion = Type.Object({ version: Version })
// The spec wants an object in either place, but only clients read what is in it, and some write a string.
const ForClients = Type.Unknown()

const BackedUpKey = Type.Object({
  first_message_index: Type.Integer({ minimum: 0 }),
  forwarded_count: Type.Integer({ minimum: 0 }),
  is_verified: Type.Boolean(),
  session_data: ForClients,
})
const RoomOfKeys = Type.Object({ sessions: Type.Record(Type.String(), BackedUpKey) })

/** spec: client-server-api#post_matrixclientv3room_keysversion */
export const postRoomKeysVersion = {
  body: Type.Object({ algorithm: Type.String(), auth_data: ForClients }),
} as const

/** spec: client-server-api#get_matrixclientv3room_keysversion */
export const getRoomKeysVersionCurrent = {} as const

/** spec: client-server-api#get_matrixclientv3room_keysversionversion */
export const getRoomKeysVersion = { params: ByVersion } as const

/** spec: client-server-api#put_matrixclientv3room_keysversionversion */
export const putRoomKeysVersion = {
  params: ByVersion,
  body: Type.Object({ algorithm: Type.String(), auth_data: ForClients, version: Type.Optional(Type.String()) }),
} as const

/** spec: client-server-api#delete_matrixclientv3room_keysversionversion */
export const deleteRoomKeysVersion = { params: ByVersion } as const

const InRoom = Type.Object({ roomId: RoomId })
const InSession = Type.Object({ roomId: RoomId, sessionId: Type.String({ minLength: 1, maxLength: 255 }) })

/** spec: client-server-api#put_matrixclientv3room_keyskeys */
export const putRoomKeys = {
  query: ByVersion,
  body: Type.Object({ rooms: Type.Record(Type.String(), RoomOfKeys) }),
} as const
/** spec: client-server-api#put_matrixclientv3room_keyskeysroomid */
export const putRoomKeysByRoomId = { params: InRoom, query: ByVersion, body: RoomOfKeys } as const
/** spec: client-server-api#put_matrixclientv3room_keyskeysroomidsessionid */
export const putRoomKeyBySessionId = { params: InSession, query: ByVersion, body: BackedUpKey } as const

/** For reading and for deleting. spec: client-server-api#get_matrixclientv3room_keyskeys */
export const roomKeys = { query: ByVersion } as const
/** spec: client-server-api#get_matrixclientv3room_keyskeysroomid */
export const roomKeysByRoomId = { params: InRoom, query: ByVersion } as const
/** spec: client-server-api#get_matrixclientv3room_keyskeysroomidsessionid */
export const roomKeyBySessionId = { params: InSession, query: ByVersion } as const
