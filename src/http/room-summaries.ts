import type { JsonObject } from '#schema/pdu.ts'
import type { RoomSummary } from '#store/room-summary.ts'

/** A summary as it crosses the wire. spec: client-server-api#get_matrixclientv1room_summaryroomidoralias */
export const printSummary = (room: RoomSummary): JsonObject => ({
  room_id: room.roomId,
  num_joined_members: room.joined,
  world_readable: room.isWorldReadable,
  guest_can_join: room.guestsCanJoin,
  join_rule: room.joinRule,
  room_version: room.version,
  ...(room.name === null ? {} : { name: room.name }),
  ...(room.topic === null ? {} : { topic: room.topic }),
  ...(room.canonicalAlias === null ? {} : { canonical_alias: room.canonicalAlias }),
  ...(room.avatarUrl === null ? {} : { avatar_url: room.avatarUrl }),
  ...(room.roomType === null ? {} : { room_type: room.roomType }),
  ...(room.encryption === null ? {} : { encryption: room.encryption }),
  ...(room.allowedRoomIds.length === 0 ? {} : { allowed_room_ids: room.allowedRoomIds }),
})
