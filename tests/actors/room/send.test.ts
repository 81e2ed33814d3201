import { describe, expect, test } from 'bun:test'
import { MAX_PREV_EVENTS } from '#actors/room/append.ts'
import { room } from '#actors/room/room.ts'
import { given } from '#harness/given.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import { ALICE, BOB, den, eventsOf, join } from './den.ts'

const message = { kind: 'sendMessage', userId: ALICE, eventType: 'm.room.message', content: { body: 'hi' } } as const
const transaction = { userId: ALICE, deviceId: 'PHONE', txnId: 't1' } as const

describe('sendMessage', () => {
  test('appends the event and rings the room, nobody else', () => {
    const { facts, effects } = den().when(message)
    expect(eventsOf(facts)).toEqual([{ type: 'm.room.message', sender: ALICE, content: { body: 'hi' } }] as never)
    expect(effects.map(({ kind }) => kind)).toEqual(['ring'])
  })

  test('G-70: answers the same transaction with the same event, of that device alone', () => {
    const sent = den().and({ ...message, transaction })
    const fact = sent.facts.at(-1)
    expect(sent.when({ ...message, transaction })).toMatchObject({ facts: [], reply: { eventId: fact?.kind === 'eventAppended' && fact.eventId } })
    expect(sent.when({ ...message, transaction: { ...transaction, deviceId: 'TABLET' } }).facts).toHaveLength(1)
  })

  test('remembers a transaction until every later sender has found it in the tables', () => {
    const { memory } = den()
    const sent = (txnId: string, position: number, written: number): string[] => {
      const fact = den().when({ ...message, transaction: { ...transaction, txnId } }).facts[0] as EventAppended
      room.apply.eventAppended(memory, fact, position, written)
      return [...memory.transactions.keys()].map((key) => key.split(' ')[2] ?? '')
    }
    expect(sent('t1', 11, 10)).toEqual(['t1'])
    expect(sent('t2', 12, 10)).toEqual(['t1', 't2'])
    expect(sent('t3', 13, 11)).toEqual(['t2', 't3'])
    expect(sent('t4', 14, 14)).toEqual([])
  })

  test('is refused to strangers and in rooms that are not here', () => {
    expect(den().when({ ...message, userId: BOB })).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(given(room, '!none').when(message)).toMatchObject({ refused: 'M_FORBIDDEN' })
  })

  test('refuses what is too large', () => {
    expect(den().when({ ...message, content: { body: 'x'.repeat(65_536) } })).toMatchObject({ refused: 'M_TOO_LARGE' })
  })

  test('G-39: names at most ten previous events, the newest', () => {
    const history = den()
    history.memory.extremities.push(...Array.from({ length: 12 }, (_, number) => `$end${number}` as EventId))
    const wide = { ...room, empty: () => history.memory, apply: {} as typeof room.apply }
    const fact = given(wide, history.memory.roomId, ...history.facts).when(message).facts[0]
    expect(fact?.kind === 'eventAppended' && fact.pdu.prev_events).toEqual(
      Array.from({ length: MAX_PREV_EVENTS }, (_, number) => `$end${number + 2}` as EventId),
    )
  })
})

describe('setRoomStateWithKey', () => {
  const name = { kind: 'setRoomStateWithKey', userId: ALICE, eventType: 'm.room.name', stateKey: '', content: { name: 'Den' } } as const

  test('G-74: says the same state once', () => {
    const named = den().and(name)
    expect(named.when(name).facts).toEqual([])
    expect(named.when({ ...name, content: { name: 'Hall' } }).facts).toHaveLength(1)
  })

  test('needs the power', () => {
    expect(den().and(join(BOB)).when({ ...name, userId: BOB })).toMatchObject({ refused: 'M_FORBIDDEN' })
  })
})

test('a room that was frozen and thawed decides as before', () => {
  const before = den().and(join(BOB)).and({ ...message, transaction })
  const frozen = room.snapshot.freeze(before.memory)
  const thawed = { ...room, empty: (id: string) => room.snapshot.thaw(JSON.parse(JSON.stringify(frozen)) as never, id) }
  const after = given(thawed, before.memory.roomId)
  // What was sent before is on disk by then, where requests look first.
  expect(after.memory).toEqual({ ...before.memory, transactions: new Map() })
  expect(after.when({ kind: 'inspectRoom' }).reply).toEqual(before.when({ kind: 'inspectRoom' }).reply)
})
