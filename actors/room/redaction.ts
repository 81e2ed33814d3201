import type { Command } from '#actors/kernel/actor.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import { powerLevelsOf } from '#core/power-levels.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import type { EventAppended, EventRedacted, EventsExpired, OriginalsForgotten, RoomFact } from '#schema/journal/room.ts'
import { forbidden, invalidParam, notFound, notInRoom } from '#schema/matrix-error.ts'
import { append, type Draft } from './append.ts'
import { eventOf, isJoined, type RoomApply, type RoomDecide } from './memory.ts'
import { alreadySent, drafting } from './send.ts'

export type RedactionCommand =
  | Command<'redactEvent', {
      userId: UserId
      targetId: EventId
      content: JsonObject
      transaction?: EventAppended['transaction']
    }, { eventId: EventId }>
  /** These messages have been kept for long enough. */
  | Command<'expireEvents', { eventIds: readonly EventId[] }>
  /** What was redacted at `until` or before has been kept for long enough. */
  | Command<'forgetOriginals', { until: number }>

export const decide = {
  redactEvent(room, { userId, targetId, content, transaction }, turn) {
    const sent = alreadySent(room, transaction, { type: 'm.room.redaction', redacts: targetId })
    if (sent) return { reply: sent }
    if (!isJoined(room, userId)) return { refuse: notInRoom() }
    return drafting(room, turn, (draft) => {
      const target = eventOf(room, turn, targetId)
      if (!target) throw turn.event(targetId) ? invalidParam('That event is in another room') : notFound('There is no such event in this room')
      refuseStranger(draft, userId, target.pdu.sender)
      refuseVital(target.pdu)
      const place = draft.rules.redactsInContent ? { content: { ...content, redacts: targetId } } : { content, redacts: targetId }
      const redaction = append(draft, { type: 'm.room.redaction', sender: userId, ...place, ...(transaction ? { transaction } : {}) })
      draft.facts.push({ kind: 'eventRedacted', roomId: room.roomId, eventId: targetId, redactedBy: redaction.eventId })
      return redaction
    })
  },

  expireEvents: ({ roomId }, { eventIds }) => ({ facts: [{ kind: 'eventsExpired', roomId, eventIds }], reply: undefined }),

  forgetOriginals: ({ roomId }, { until }) => ({ facts: [{ kind: 'originalsForgotten', roomId, until }], reply: undefined }),
} satisfies RoomDecide<RedactionCommand, RoomFact>

/**
 * For its own users a server is stricter than the auth rules, which let any user redact what others of the same server
 * said. spec: client-server-api#redactions
 */
function refuseStranger({ rules, state }: Draft, userId: UserId, sender: UserId): void {
  const levels = powerLevelsOf(rules, state('m.room.create', ''), state('m.room.power_levels', ''))
  if (sender !== userId && levels.user(userId) < levels.redact) throw forbidden('You may redact only your own events here')
}

/**
 * What is left of these says something else than they did: a room without its version, an access list that lets nobody in.
 * Redaction cannot be taken back, so a slip would break the room for good.
 */
function refuseVital({ type, state_key: stateKey }: Pdu): void {
  if (stateKey === '' && VITAL.includes(type)) throw forbidden(`${type} cannot be redacted`)
}

const VITAL = ['m.room.create', 'm.room.server_acl']

export const apply = {
  eventRedacted(room, { eventId }) {
    room.annotations.delete(eventId)
  },
  eventsExpired(room, { eventIds }) {
    for (const eventId of eventIds) room.annotations.delete(eventId)
  },
  // No decision looks at them.
  originalsForgotten() {},
} satisfies RoomApply<EventRedacted | EventsExpired | OriginalsForgotten>
