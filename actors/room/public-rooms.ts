import type { Command } from '#actors/kernel/actor.ts'
import { powerLevelsOf } from '#core/power-levels.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { RoomPublished } from '#schema/journal/room.ts'
import { forbidden, notFound } from '#schema/matrix-error.ts'
import { isJoined, type RoomApply, type RoomDecide, stateOf } from './memory.ts'

export type PublicRoomsCommand = Command<'setRoomVisibilityOnDirectory', { userId: UserId; isAdmin: boolean; isPublished: boolean }>

export const decide = {
  setRoomVisibilityOnDirectory(room, { userId, isAdmin, isPublished }, turn) {
    if (!room.rules) return { refuse: notFound('This server does not know that room') }
    const state = stateOf(room, turn)
    const levels = powerLevelsOf(room.rules, state('m.room.create', ''), state('m.room.power_levels', ''))
    // Whoever may name the room may list it: the level of m.room.canonical_alias, as on other servers.
    const isAllowed = isJoined(room, userId) && levels.user(userId) >= levels.event('m.room.canonical_alias', true)
    if (!isAllowed && !isAdmin) return { refuse: forbidden('You need the power to set this room’s main address') }
    if (room.isPublished === isPublished) return { reply: undefined }
    return { facts: [{ kind: 'roomPublished', roomId: room.roomId, isPublished }], reply: undefined }
  },
} satisfies RoomDecide<PublicRoomsCommand, RoomPublished>

export const apply = {
  roomPublished(room, { isPublished }) {
    room.isPublished = isPublished
  },
} satisfies RoomApply<RoomPublished>
