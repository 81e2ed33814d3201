import type { Command } from '#actors/kernel/actor.ts'
import { mayRedact } from '#core/event-auth/check.ts'
import { redactEvent } from '#core/redaction.ts'
import type { JsonObject } from '#core/pdu.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import type { EventAppended, EventRedacted, RoomFact } from '#schema/journal/room.ts'
import { forbidden, notFound } from '#schema/matrix-error.ts'
import { append } from './append.ts'
import { eventOf, RECENT_EVENTS, remember, type RoomApply, type RoomDecide } from './memory.ts'
import { alreadySent, drafting } from './send.ts'

export type RedactionCommand = Command<'redactEvent', {
  userId: UserId
  targetId: EventId
  content: JsonObject
  transaction?: EventAppended['transaction']
}, { eventId: EventId }>

export const decide = {
  redactEvent(room, { userId, targetId, content, transaction }, turn) {
    const sent = alreadySent(room, transaction)
    if (sent) return { reply: sent }
    return drafting(room, turn, (draft) => {
      const target = eventOf(room, turn, targetId)
      if (!target) throw notFound('There is no such event in this room')
      const place = draft.rules.redactsInContent ? { content: { ...content, redacts: targetId } } : { content, redacts: targetId }
      const redaction = append(draft, { type: 'm.room.redaction', sender: userId, ...place, ...(transaction ? { transaction } : {}) })
      const verdict = mayRedact(draft.rules, redaction, { eventId: targetId, sender: target.pdu.sender }, draft.state)
      if (!verdict.ok) throw forbidden('You may redact only your own events here')
      draft.facts.push({ kind: 'eventRedacted', roomId: room.roomId, eventId: targetId, redactedBy: redaction.eventId })
      return redaction
    })
  },
} satisfies RoomDecide<RedactionCommand, RoomFact>

export const apply = {
  eventRedacted(room, { eventId }) {
    const event = room.recent.get(eventId)
    if (event && room.rules) remember(room.recent, eventId, { ...event, pdu: redactEvent(room.rules, event.pdu) }, RECENT_EVENTS)
  },
} satisfies RoomApply<EventRedacted>
