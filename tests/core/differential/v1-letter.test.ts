import { describe, expect, test } from 'bun:test'
import { rulesOf } from './fixture.ts'
import { eventsOf, type Room, stateResRooms } from './state-res-rooms.ts'
import { type Reading, resolveByTheLetter } from './v1-letter.ts'

function read(room: Room, reading: Reading): number[] {
  const events = eventsOf(room)
  const states = room.sets.map((indices) => indices.flatMap((index) => events[index] ?? []))
  const resolved = new Set(resolveByTheLetter(rulesOf(room.version), states, reading))
  return events.flatMap((event, index) => (resolved.has(event) ? [index] : []))
}

const otherwise = (reading: Reading): number =>
  stateResRooms.v1.filter((room) => !Bun.deepEquals(read(room, reading), room.resolved)).length

const AS_SERVERS_DO: Reading = { row: 'per key', ifNonePasses: 'last', sight: 'before' }

describe('G-29: state resolution of version 1, read from the spec alone', () => {
  test('comes to the same in 300 forked rooms', () => {
    expect(otherwise(AS_SERVERS_DO)).toBe(0)
  })

  // How many of the 300 rooms hang on each place where the letter is open or other than what servers do.
  test.each<[string, Partial<Reading>, number]>([
    ['adds nothing where no event passes', { ifNonePasses: 'nothing' }, 27],
    ['lets events of one type see one another', { sight: 'siblings' }, 41],
    ['ends the row of all users at the first that does not pass', { row: 'per type' }, 177],
  ])('comes to something else when it %s', (_says, reading, rooms) => {
    expect(otherwise({ ...AS_SERVERS_DO, ...reading })).toBe(rooms)
  })
})
