import { expect, test } from 'bun:test'
import { NOW } from '#harness/given.ts'
import type { EventId } from '#schema/identifiers.ts'
import { ALICE, BOB, den } from './den.ts'

const receipt = { userId: ALICE, receiptType: 'm.read', threadId: null } as const

test('a receipt is kept with its time, and the room is rung', () => {
  const room = den()
  const last = room.facts.at(-1)
  const eventId: EventId = last?.kind === 'eventAppended' ? last.eventId : '$none'
  const { facts, effects } = room.when({ kind: 'postReceipt', ...receipt, eventId })
  expect(facts).toEqual([{ kind: 'receiptPosted', roomId: room.memory.roomId, ...receipt, eventId, ts: NOW }])
  expect(effects).toEqual([{ kind: 'ring', about: 'receipts', room: room.memory.roomId }])
})

test('strangers post none, and nobody for an event that is not there', () => {
  expect(den().when({ kind: 'postReceipt', ...receipt, userId: BOB, eventId: '$none' })).toMatchObject({ refused: 'M_FORBIDDEN' })
  expect(den().when({ kind: 'postReceipt', ...receipt, eventId: '$none' })).toMatchObject({ refused: 'M_NOT_FOUND' })
})
