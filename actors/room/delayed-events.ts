import { after, type Effect } from '#actors/effects.ts'
import type { Command, Decision } from '#actors/kernel/actor.ts'
import type { WorldTurn } from '#actors/world.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { DELAY_MARK } from '#core/sync/client-event.ts'
import { type EventId, isEventId, type UserId } from '#schema/identifiers.ts'
import type { DelayedEventEnded, DelayedEventFact } from '#schema/journal/delayed-event.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import { invalidParam, MatrixError, notFound, notInRoom, tooLarge } from '#schema/matrix-error.ts'
import { type DelayedEvent, isJoined, type Room, type RoomApply, type RoomDecide } from './memory.ts'
import { decide as redaction } from './redaction.ts'
import { decide as send } from './send.ts'

/** As an event can have at most; the rest of it comes on top. */
const CONTENT_LIMIT_BYTES = 65_536

/** Events that are sent later unless someone calls them off (MSC4140). */
export type DelayedEventCommand =
  /** The same request made again finds the event that it has scheduled, while that waits. */
  | Command<'scheduleDelayedEvent', {
      userId: UserId
      deviceId: string | null
      eventType: string
      stateKey: string | null
      content: JsonObject
      delayMs: number
      stickyMs: number | null
      txnId: string | null
    }, { delayId: string }>
  | Command<'restartDelayedEvent', { delayId: string }>
  | Command<'cancelDelayedEvent', { delayId: string }>
  /** Sends it now. What the room's rules refuse is refused, and goes on waiting. */
  | Command<'sendDelayedEvent', { delayId: string }>
  /** `runningTs`: the delay that has run out, if it is still the one that runs. */
  | Command<'delayedEventDue', { delayId: string; runningTs: number }>
  /** The server has started: timers are set again. */
  | Command<'armDelayedEvents'>

export const decide = {
  scheduleDelayedEvent(room, { kind: _kind, eventType, ...event }, { now, nonce }) {
    const { userId, deviceId, content, delayMs, txnId } = event
    if (!isJoined(room, userId)) return { refuse: notInRoom() }
    const known = scheduledBy(room, userId, deviceId, txnId)
    if (known !== undefined) return { reply: { delayId: known } }
    const why = whyUnfit(eventType, content)
    if (why) return { refuse: why }
    const delayId = `d_${nonce}`
    return {
      facts: [{ kind: 'delayedEventScheduled', roomId: room.roomId, delayId, type: eventType, ...event, ts: now }],
      effects: [timerFor(delayId, { delayMs, runningTs: now }, now)],
      reply: { delayId },
    }
  },

  restartDelayedEvent(room, { delayId }, { now }) {
    const delayed = room.delayed.get(delayId)
    if (!delayed) return { refuse: noSuchEvent() }
    return {
      facts: [{ kind: 'delayedEventRestarted', roomId: room.roomId, delayId, ts: now }],
      effects: [timerFor(delayId, { ...delayed, runningTs: now }, now)],
      reply: undefined,
    }
  },

  cancelDelayedEvent(room, { delayId }) {
    if (!room.delayed.has(delayId)) return { refuse: noSuchEvent() }
    return { facts: [ended(room, delayId, 'cancelled')], reply: undefined }
  },

  sendDelayedEvent(room, { delayId }, turn) {
    const delayed = room.delayed.get(delayId)
    return delayed ? sendNow(room, delayId, delayed, turn) : { refuse: noSuchEvent() }
  },

  delayedEventDue(room, { delayId, runningTs }, turn) {
    const delayed = room.delayed.get(delayId)
    if (delayed?.runningTs !== runningTs) return { reply: undefined }
    const decision = sendNow(room, delayId, delayed, turn)
    if (!('refuse' in decision)) return decision
    // By now the room does not let its sender say this; nobody waits for an answer.
    return { facts: [ended(room, delayId, 'refused')], reply: undefined }
  },

  armDelayedEvents(room, _command, { now }) {
    return { effects: [...room.delayed].map(([delayId, event]) => timerFor(delayId, event, now)), reply: undefined }
  },
} satisfies RoomDecide<DelayedEventCommand, RoomFact>

export const apply = {
  delayedEventScheduled(room, { kind: _kind, roomId: _room, delayId, ts, ...event }) {
    room.delayed.set(delayId, { ...event, runningTs: ts })
  },
  delayedEventRestarted(room, { delayId, ts }) {
    const delayed = room.delayed.get(delayId)
    if (delayed) room.delayed.set(delayId, { ...delayed, runningTs: ts })
  },
  delayedEventEnded(room, { delayId }) {
    room.delayed.delete(delayId)
  },
} satisfies RoomApply<DelayedEventFact>

type Running = Pick<DelayedEvent, 'delayMs' | 'runningTs'>

function timerFor(delayId: string, { delayMs, runningTs }: Running, now: number): Effect {
  const due: DelayedEventCommand = { kind: 'delayedEventDue', delayId, runningTs }
  return after(Math.max(0, runningTs + delayMs - now), due)
}

const noSuchEvent = (): MatrixError => notFound('There is no such delayed event, or it was sent or cancelled')

function scheduledBy(room: Room, userId: UserId, deviceId: string | null, txnId: string | null): string | undefined {
  if (deviceId === null || txnId === null) return undefined
  for (const [delayId, event] of room.delayed)
    if (event.txnId === txnId && event.userId === userId && event.deviceId === deviceId) return delayId
  return undefined
}

function whyUnfit(eventType: string, content: JsonObject): MatrixError | undefined {
  try {
    const bytes = Buffer.byteLength(canonicalJson(content))
    if (bytes > CONTENT_LIMIT_BYTES) return tooLarge('This event would be too large')
  } catch (refusal) {
    if (refusal instanceof MatrixError) return refusal
    throw refusal
  }
  const isTargetless = eventType === 'm.room.redaction' && !isEventId(content.redacts)
  return isTargetless ? invalidParam('A redaction names its target in redacts') : undefined
}

type Sent = Decision<RoomFact, never, Effect, void>

/** The event, and in the same turn the end of its waiting: it can neither be lost nor sent twice. */
function sendNow(room: Room, delayId: string, event: DelayedEvent, turn: WorldTurn): Sent {
  const decision = decideAs(room, delayId, event, turn)
  if ('refuse' in decision) return decision
  const { facts = [], effects = [] } = decision
  return { facts: [...facts, ended(room, delayId, 'sent')], effects, reply: undefined }
}

const ended = ({ roomId }: Room, delayId: string, outcome: DelayedEventEnded['outcome']): DelayedEventEnded =>
  ({ kind: 'delayedEventEnded', roomId, delayId, outcome })

/** The same decisions as for an event that is sent at once. */
function decideAs(room: Room, delayId: string, event: DelayedEvent, turn: WorldTurn) {
  const { userId, deviceId, type: eventType, stateKey, content, stickyMs } = event
  const sender = {
    userId,
    content,
    ...(stickyMs === null ? {} : { stickyMs }),
    ...(deviceId === null ? {} : { transaction: { userId, deviceId, txnId: `${DELAY_MARK}${delayId}` } }),
  }
  if (stateKey !== null)
    return send.setRoomStateWithKey(room, { kind: 'setRoomStateWithKey', ...sender, eventType, stateKey }, turn)
  if (eventType !== 'm.room.redaction')
    return send.sendMessage(room, { kind: 'sendMessage', ...sender, eventType }, turn)
  return redaction.redactEvent(room, { kind: 'redactEvent', ...sender, targetId: content.redacts as EventId }, turn)
}
