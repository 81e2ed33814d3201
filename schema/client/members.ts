import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'

const Membership = Type.Union([
  Type.Literal('join'), Type.Literal('invite'), Type.Literal('knock'), Type.Literal('leave'), Type.Literal('ban'),
])

/** spec: client-server-api#get_matrixclientv3roomsroomidmembers */
export const getMembersByRoom = {
  params: Type.Object({ roomId: RoomId }),
  query: Type.Object({
    at: Type.Optional(Type.String()),
    membership: Type.Optional(Membership),
    not_membership: Type.Optional(Membership),
  }),
  allowGuest: true,
} as const

/** spec: client-server-api#get_matrixclientv3roomsroomidjoined_members */
export const getJoinedMembersByRoom = { params: Type.Object({ roomId: RoomId }), allowGuest: true } as const
