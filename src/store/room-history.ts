import { isJsonObject, ownValue } from '#core/event-content.ts'
import { isRoomId, type RoomId, type UserId } from '#schema/identifiers.ts'
import { findStateEvent } from './room-state.ts'
import type { Store } from './store.ts'

/** The rooms a user is in, or was once and has not forgotten. */
export function listRoomsOnceJoined({ db, names }: Store, userId: UserId): RoomId[] {
  const user = names.find(userId)
  if (user === undefined) return []
  return db
    .query<{ room: number }, [number]>(`
      SELECT room FROM memberships WHERE user = ? AND is_forgotten = 0 AND membership IN ('join', 'leave', 'ban')`)
    .all(user)
    .map(({ room }) => names.textOf(room) as RoomId)
}

/** Upgrades that are followed back from one room. */
const UPGRADES_LIMIT = 20

/** The rooms that a room was upgraded from, the newest first. spec: client-server-api#mroomcreate (`predecessor`) */
export function listPredecessors(store: Store, roomId: RoomId): RoomId[] {
  const rooms: RoomId[] = []
  let current: RoomId | undefined = roomId
  while (current !== undefined && rooms.length < UPGRADES_LIMIT) {
    const predecessor = ownValue(findStateEvent(store, current, 'm.room.create', '')?.pdu.content, 'predecessor')
    const before = isJsonObject(predecessor) ? ownValue(predecessor, 'room_id') : undefined
    current = isRoomId(before) && before !== roomId && !rooms.includes(before) ? before : undefined
    if (current !== undefined) rooms.push(current)
  }
  return rooms
}
