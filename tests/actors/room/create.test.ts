import { describe, expect, test } from 'bun:test'
import { room } from '#actors/room/room.ts'
import { given, NOW } from '#harness/given.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { ALICE, creation, den, eventsOf } from './den.ts'

describe('createRoom', () => {
  test('writes all events in order, each on top of the one before, and rings the room and its members', () => {
    const { roomId, command } = creation()
    const { facts, effects, reply } = given(room, roomId).when(command)
    expect(eventsOf(facts).map(({ type }) => type)).toEqual(['m.room.create', 'm.room.member', 'm.room.power_levels', 'm.room.join_rules'])
    const pdus = facts.flatMap((fact) => (fact.kind === 'eventAppended' ? [fact] : []))
    expect(pdus.map(({ pdu }) => pdu.prev_events)).toEqual([[], ...pdus.slice(0, -1).map(({ eventId }) => [eventId])])
    expect(pdus.map(({ pdu }) => pdu.depth)).toEqual([1, 2, 3, 4])
    expect(effects).toEqual([
      { kind: 'ring', room: roomId, about: 'timeline' },
      { kind: 'ring', room: roomId, about: 'membership' },
      { kind: 'ring', users: [ALICE], about: 'membership' },
    ])
    expect(reply).toEqual({ roomId })
  })

  test.each<RoomVersion>(['1', '3', '11', '12'])('leaves a room of version %s that knows its state and creator', (version) => {
    const { memory } = den({ version })
    expect(memory).toMatchObject({ joined: 1, invited: 0, depth: 4, isPublished: false, rules: { version } })
    expect([...memory.members]).toEqual([[ALICE, 'join']])
  })

  test('publishes the room when asked to', () => {
    const { roomId, command } = creation()
    const { facts } = given(room, roomId).when({ ...command, isPublished: true })
    expect(facts.at(-1)).toEqual({ kind: 'roomPublished', roomId, isPublished: true })
  })

  test('writes nothing when one event is not allowed', () => {
    const { roomId, command } = creation()
    const forged = { type: 'm.room.name', sender: '@mallory:a.example', stateKey: '', content: {} } as const
    expect(given(room, roomId).when({ ...command, events: [...command.events, forged] })).toMatchObject({ refused: 'M_FORBIDDEN', facts: [] })
  })

  test('refuses an id that is taken, and one that the create event does not have', () => {
    const { command } = creation()
    expect(den().when(command)).toMatchObject({ refused: 'M_ROOM_IN_USE' })
    expect(given(room, '!another').when({ ...command, ts: NOW + 1 })).toMatchObject({ refused: 'M_UNKNOWN' })
  })
})
