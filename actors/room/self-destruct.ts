import { ringRoom } from '#actors/effects.ts'
import type { Command } from '#actors/kernel/actor.ts'
import { ownValue } from '#core/event-content.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { SelfDestructSet, SelfDestructFact } from '#schema/journal/self-destruct.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import { eventOf, type RoomApply, type RoomDecide } from './memory.ts'

/** When its time has come, milliseconds since 1970. */
const SELF_DESTRUCT_AFTER = 'org.matrix.self_destruct_after'

/** A message ends at the time that its sender has set (MSC2228): here, as everyone's own server sees to it. */
export type SelfDestructCommand = Command<'selfDestruct', { eventId: EventId }>

export const decide = {
  selfDestruct(room, { eventId }, turn) {
    const { roomId } = room
    if (!eventOf(room, turn, eventId)) return { reply: undefined }
    return { facts: [{ kind: 'messageSelfDestructed', roomId, eventId }], effects: [ringRoom(roomId, 'timeline')], reply: undefined }
  },
} satisfies RoomDecide<SelfDestructCommand, RoomFact>

/** State stays. */
export function selfDestructOf({ roomId, eventId, pdu }: RoomEvent): SelfDestructSet[] {
  const expiresTs = ownValue(pdu.content, SELF_DESTRUCT_AFTER)
  const isSet = typeof expiresTs === 'number' && Number.isSafeInteger(expiresTs) && pdu.state_key === undefined
  return isSet ? [{ kind: 'selfDestructSet', roomId, eventId, expiresTs }] : []
}

export const apply = {
  // When it is due is asked of the table.
  selfDestructSet() {},
  messageSelfDestructed(room, { eventId }) {
    room.annotations.delete(eventId)
  },
} satisfies RoomApply<SelfDestructFact>
