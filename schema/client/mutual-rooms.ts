import { Type } from '@sinclair/typebox'

/** spec: client-server-api#get_matrixclientv1mutual_rooms */
export const getMutualRooms = {
  query: Type.Object({ user_id: Type.String(), from: Type.Optional(Type.String()) }),
} as const

/** The form of MSC2666. */
export const getMutualRoomsUnstable = {
  query: Type.Object({ user_id: Type.String(), batch_token: Type.Optional(Type.String()) }),
} as const
