import type { Command } from '#actors/kernel/actor.ts'
import { ringRoom } from '#actors/effects.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import type { ReceiptPosted, ReceiptType } from '#schema/journal/room.ts'
import { notFound, notInRoom } from '#schema/matrix-error.ts'
import { eventOf, isJoined, type RoomApply, type RoomDecide } from './memory.ts'

export type ReceiptCommand = Command<'postReceipt', {
  userId: UserId
  receiptType: ReceiptType
  eventId: EventId
  threadId: string | null
}>

export const decide = {
  postReceipt(room, { userId, receiptType, eventId, threadId }, turn) {
    if (!isJoined(room, userId)) return { refuse: notInRoom() }
    if (!eventOf(room, turn, eventId)) return { refuse: notFound('There is no such event in this room') }
    return {
      facts: [{ kind: 'receiptPosted', roomId: room.roomId, userId, receiptType, eventId, threadId, ts: turn.now }],
      effects: [ringRoom(room.roomId, 'receipts')],
      reply: undefined,
    }
  },
} satisfies RoomDecide<ReceiptCommand, ReceiptPosted>

export const apply = {
  // A receipt changes nothing the room decides by; readers find it in the store.
  receiptPosted() {},
} satisfies RoomApply<ReceiptPosted>
