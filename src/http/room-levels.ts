import { type PowerLevels, powerLevelsOf } from '#core/power-levels.ts'
import type { Homeserver } from '#homeserver'
import type { RoomId } from '#schema/identifiers.ts'
import { findRoomVersion, findStateEvent } from '#store/room-state.ts'

/** The power levels that hold in a room now; undefined for a room that this server does not know. */
export function findLevels({ store }: Homeserver, roomId: RoomId): PowerLevels | undefined {
  const rules = findRoomVersion(store, roomId)
  if (!rules) return undefined
  const create = findStateEvent(store, roomId, 'm.room.create', '')
  return powerLevelsOf(rules, create, findStateEvent(store, roomId, 'm.room.power_levels', ''))
}
