import { Type } from '@sinclair/typebox'
import { EventId, RoomId } from '#schema/identifiers.ts'
import { QueryBoolean } from './query.ts'

/** spec: client-server-api#get_matrixclientv3roomsroomideventeventid */
export const getOneRoomEvent = {
  params: Type.Object({ roomId: RoomId, eventId: EventId }),
  query: Type.Object({
    /** What a redacted event said, for those who look after the room (MSC2815). */
    'fi.mau.msc2815.include_unredacted_content': Type.Optional(QueryBoolean),
    include_unredacted_content: Type.Optional(QueryBoolean),
  }),
  allowGuest: true,
} as const
