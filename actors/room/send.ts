import type { Command, Decision } from '#actors/kernel/actor.ts'
import { type Effect, ringRoom, ringUsers } from '#actors/effects.ts'
import type { WorldTurn } from '#actors/world.ts'
import type { JsonObject, RoomEvent } from '#schema/pdu.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import type { EventAppended, RoomFact } from '#schema/journal/room.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { append, type Draft, draftOf, requestKey, unchanged } from './append.ts'
import type { Room, RoomDecide } from './memory.ts'
import { refuseNewRelation } from './relations.ts'
import { selfDestructOf } from './self-destruct.ts'

type Sent = { eventId: EventId }

export type SendCommand =
  | Command<'sendMessage', {
      userId: UserId
      eventType: string
      content: JsonObject
      /** The tables hold the same annotation of the same event by this user. */
      isAnnotated?: boolean
      transaction?: EventAppended['transaction']
      ts?: number
      /** Milliseconds (MSC4354). */
      stickyMs?: number
    }, Sent>
  | Command<'setRoomStateWithKey', {
      userId: UserId
      eventType: string
      stateKey: string
      content: JsonObject
      transaction?: EventAppended['transaction']
      ts?: number
      /** Milliseconds (MSC4354). */
      stickyMs?: number
    }, Sent>

export const decide = {
  sendMessage(room, { userId, eventType, content, isAnnotated = false, transaction, ts, stickyMs }, turn) {
    const sent = alreadySent(room, transaction, { type: eventType })
    if (sent) return { reply: sent }
    return drafting(room, turn, (draft) => {
      const event = append(draft, { type: eventType, sender: userId, content, ...given({ transaction, ts, stickyMs }) })
      refuseNewRelation(room, turn, { userId, eventType, content, isAnnotated })
      if (turn.messagesSelfDestruct) draft.facts.push(...selfDestructOf(event))
      return event
    })
  },

  setRoomStateWithKey(room, { userId, eventType, stateKey, content, transaction, ts, stickyMs }, turn) {
    const sent = alreadySent(room, transaction, { type: eventType })
    if (sent) return { reply: sent }
    return drafting(room, turn, (draft) =>
      (stickyMs === undefined ? unchanged(draft, eventType, stateKey, userId, content) : undefined) ??
      append(draft, { type: eventType, sender: userId, stateKey, content, ...given({ transaction, ts, stickyMs }) }))
  },
} satisfies RoomDecide<SendCommand, RoomFact>

export const alreadySent = (
  room: Room,
  transaction: EventAppended['transaction'],
  path: Readonly<{ type: string; redacts?: EventId }>,
): Sent | undefined => {
  const sent = transaction && room.transactions.get(requestKey(transaction, path))
  return sent && { eventId: sent.value }
}

/** Leaves out what is undefined, as exact optional properties want it. */
export const given = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never

/** Runs `work` on a draft of the room; what it adds becomes facts, what it throws a refusal. */
export function drafting(room: Room, turn: WorldTurn, work: (draft: Draft) => RoomEvent): Decision<RoomFact, never, Effect, Sent> {
  try {
    const draft = draftOf(room, turn)
    const { eventId } = work(draft)
    return { facts: draft.facts, effects: ringsFor(draft), reply: { eventId } }
  } catch (refusal) {
    if (refusal instanceof MatrixError) return { refuse: refusal }
    throw refusal
  }
}

/** The room is rung, and whoever a membership event is about: the invited are not in it yet. */
export function ringsFor({ room, facts }: Draft): Effect[] {
  if (facts.length === 0) return []
  const targets = facts.flatMap((fact) =>
    fact.kind === 'eventAppended' && fact.pdu.type === 'm.room.member' ? [fact.pdu.state_key as UserId] : [])
  if (targets.length === 0) return [ringRoom(room.roomId, 'timeline')]
  return [ringRoom(room.roomId, 'timeline'), ringRoom(room.roomId, 'membership'), ringUsers(targets, 'membership'), ...typingWithout(room, facts)]
}

/** Who goes out types no more, and nobody else would ever say so. */
function typingWithout({ roomId, typing }: Room, facts: Draft['facts']): Effect[] {
  const gone = facts.flatMap((fact) =>
    fact.kind === 'eventAppended' && fact.pdu.type === 'm.room.member' && fact.pdu.content.membership !== 'join' ? [fact.pdu.state_key] : [])
  const left = [...typing.keys()].filter((userId) => !gone.includes(userId))
  return left.length === typing.size ? [] : [ringRoom(roomId, 'typing', left)]
}
