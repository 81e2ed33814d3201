import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'

/** spec: client-server-api#get_matrixclientv3roomsroomideventeventid */
export const getOneRoomEvent = { params: Type.Object({ roomId: RoomId, eventId: EventId }), allowGuest: true } as const
