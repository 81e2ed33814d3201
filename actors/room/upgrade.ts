import type { Command } from '#actors/kernel/actor.ts'
import { checkEventAuth } from '#core/event-auth/check.ts'
import { type JsonObject, referencedIds, type RoomEvent } from '#schema/pdu.ts'
import { levelsAfterUpgrade } from '#core/room-upgrade.ts'
import { stateKeyOf } from '#core/state-key.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { EventAppended, RoomFact } from '#schema/journal/room.ts'
import { forbidden, MatrixError } from '#schema/matrix-error.ts'
import { append, type Draft, draftOf } from './append.ts'
import type { RoomDecide } from './memory.ts'
import { drafting } from './send.ts'

export type UpgradeCommand =
  /**
   * The tombstone that would be sent now. Nothing is written: up to version 11 the new room's create event names it, so
   * it has to be known before that room is made, and it must not be there before that room is (G-85).
   */
  | Command<'draftTombstone', { userId: UserId; replacementId: RoomId }, { tombstone: EventAppended }>
  /** The new room is there: the old one says so, gives its addresses up and falls silent. */
  | Command<'upgradeRoom', { userId: UserId; tombstone: EventAppended }, { eventId: EventId }>

const TOMBSTONE = 'This room has been replaced'

export const decide = {
  draftTombstone(room, { userId, replacementId }, turn) {
    try {
      const draft = draftOf(room, turn)
      append(draft, {
        type: 'm.room.tombstone',
        sender: userId,
        stateKey: '',
        content: { body: TOMBSTONE, replacement_room: replacementId },
      })
      const [tombstone] = draft.facts
      if (tombstone?.kind !== 'eventAppended') throw new Error('the draft of a tombstone is no event')
      return { reply: { tombstone } }
    } catch (refusal) {
      if (refusal instanceof MatrixError) return { refuse: refusal }
      throw refusal
    }
  },

  upgradeRoom(room, { userId, tombstone }, turn) {
    return drafting(room, turn, (draft) => {
      const event = addDrafted(draft, tombstone)
      if (draft.state('m.room.canonical_alias', ''))
        ifAllowed(() => append(draft, stateOf('m.room.canonical_alias', userId, {})))
      const levels = levelsAfterUpgrade(draft.state('m.room.power_levels', '')?.pdu.content)
      if (levels) ifAllowed(() => append(draft, stateOf('m.room.power_levels', userId, levels)))
      return event
    })
  },
} satisfies RoomDecide<UpgradeCommand, RoomFact>

const stateOf = (type: string, sender: UserId, content: JsonObject) => ({ type, sender, stateKey: '', content })

/**
 * Adds the event that was drafted before. What came in the meantime stands beside it in the graph, as if another server
 * had sent it, and the next event follows both.
 */
function addDrafted(draft: Draft, fact: EventAppended): RoomEvent {
  const { eventId, roomId, pdu } = fact
  const event: RoomEvent = { eventId, roomId, pdu }
  const verdict = checkEventAuth(draft.rules, event, draft.state)
  if (!verdict.ok) throw forbidden(verdict.why)
  const followed = new Set(referencedIds(pdu.prev_events))
  draft.facts.push(fact)
  draft.changed.set(stateKeyOf(pdu.type, pdu.state_key ?? ''), event)
  draft.extremities = [...draft.extremities.filter((id) => !followed.has(id)), eventId]
  draft.depth = Math.max(draft.depth, pdu.depth)
  return event
}

/** Whoever may replace a room need not have the power for the rest. */
function ifAllowed(work: () => unknown): void {
  try {
    work()
  } catch (refusal) {
    if (!(refusal instanceof MatrixError)) throw refusal
  }
}
