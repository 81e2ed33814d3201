import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'

/** spec: client-server-api#post_matrixclientv1appserviceappserviceidping */
export const pingAppservice = {
  params: Type.Object({ appserviceId: Type.String() }),
  body: Type.Object({ transaction_id: Type.Optional(Type.String()) }),
} as const

/** spec: application-service-api#put_matrixclientv3directorylistappservicenetworkidroomid */
export const updateAppserviceRoomDirectoryVisibility = {
  params: Type.Object({ networkId: Type.String(), roomId: RoomId }),
  body: Type.Object({ visibility: Type.Union([Type.Literal('public'), Type.Literal('private')]) }),
} as const
