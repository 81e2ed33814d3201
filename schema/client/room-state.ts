import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { EventContent, EventOptions } from './room-send.ts'

const place = Type.Object({ roomId: RoomId, eventType: Type.String(), stateKey: Type.Optional(Type.String()) })

/** spec: client-server-api#put_matrixclientv3roomsroomidstateeventtypestatekey */
export const setRoomStateWithKey = {
  params: place,
  query: EventOptions,
  body: EventContent,
  allowGuest: true,
} as const

/** spec: client-server-api#get_matrixclientv3roomsroomidstateeventtypestatekey */
export const getRoomStateWithKey = {
  params: place,
  query: Type.Object({ format: Type.Optional(Type.Union([Type.Literal('content'), Type.Literal('event')])) }),
  allowGuest: true,
} as const

/** spec: client-server-api#get_matrixclientv3roomsroomidstate */
export const getRoomState = { params: Type.Object({ roomId: RoomId }), allowGuest: true } as const
