import { Type } from '@sinclair/typebox'
import { RoomId, UserId } from '#schema/identifiers.ts'
import { OptionalText } from './optional.ts'
import { QueryList } from './query.ts'

const inRoom = Type.Object({ roomId: RoomId })
const byIdOrAlias = Type.Object({ roomIdOrAlias: Type.String({ pattern: '^[!#].+$' }) })
const throughServers = Type.Object({ via: Type.Optional(QueryList), server_name: Type.Optional(QueryList) })
const reason = { reason: OptionalText }
const Reason = Type.Object(reason)
const aboutSomeone = Type.Object({ user_id: UserId, ...reason })

/** spec: client-server-api#post_matrixclientv3roomsroomidjoin */
const ThirdPartySigned = Type.Object({
  sender: Type.String(),
  mxid: Type.String(),
  token: Type.String(),
  signatures: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
})

/** Further keys of the body become part of the member event, as on other servers. */
const Join = Type.Object({ ...reason, third_party_signed: Type.Optional(ThirdPartySigned) })

/** spec: client-server-api#post_matrixclientv3roomsroomidjoin */
export const joinRoomById = { params: inRoom, body: Join, allowGuest: true } as const

/** spec: client-server-api#post_matrixclientv3joinroomidoralias */
export const joinRoom = { params: byIdOrAlias, query: throughServers, body: Join, allowGuest: true } as const

/** spec: client-server-api#post_matrixclientv3knockroomidoralias */
export const knockRoom = { params: byIdOrAlias, query: throughServers, body: Reason } as const

/**
 * By user id or by third-party id.
 * spec: client-server-api#post_matrixclientv3roomsroomidinvite, client-server-api#thirdparty_post_matrixclientv3roomsroomidinvite
 */
export const inviteUser = {
  params: inRoom,
  body: Type.Object({
    user_id: Type.Optional(UserId),
    id_server: Type.Optional(Type.String()),
    id_access_token: Type.Optional(Type.String()),
    medium: Type.Optional(Type.String()),
    address: Type.Optional(Type.String()),
    ...reason,
  }),
} as const

/** spec: client-server-api#post_matrixclientv3roomsroomidleave */
export const leaveRoom = { params: inRoom, body: Reason, allowGuest: true } as const

/** spec: client-server-api#post_matrixclientv3roomsroomidforget */
export const forgetRoom = { params: inRoom, body: Type.Object({}), allowGuest: true } as const

/** spec: client-server-api#post_matrixclientv3roomsroomidkick */
export const kick = { params: inRoom, body: aboutSomeone } as const

/** spec: client-server-api#post_matrixclientv3roomsroomidban */
export const ban = { params: inRoom, body: aboutSomeone } as const

/** spec: client-server-api#post_matrixclientv3roomsroomidunban */
export const unban = { params: inRoom, body: aboutSomeone } as const
