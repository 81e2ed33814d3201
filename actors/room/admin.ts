import type { Command } from '#actors/kernel/actor.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { RoomDecide } from './memory.ts'

/** What only the room itself knows, for admins: no table holds the loose ends of its graph. */
export type AdminCommand = Command<'inspectRoom', object, { extremities: readonly EventId[]; depth: number }>

export const decide = {
  inspectRoom({ extremities, depth }) {
    return { reply: { extremities: [...extremities], depth } }
  },
} satisfies RoomDecide<AdminCommand>
