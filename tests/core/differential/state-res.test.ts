import { describe, expect, test } from 'bun:test'
import { stateKeyOf } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import { rulesOf, unexplainedCases } from './fixture.ts'
import { ALGORITHMS, eventsOf, type Room, stateResRooms as fixture } from './state-res-rooms.ts'

function resolve(room: Room): number[] {
  const events = eventsOf(room)
  const byId = new Map(events.map((event) => [event.eventId, event]))
  const sets = room.sets.map(
    (indices) =>
      new Map(
        indices.flatMap((index) => {
          const event = events[index]
          return event ? [[stateKeyOf(event.pdu.type, event.pdu.state_key ?? ''), event.eventId] as const] : []
        }),
      ),
  )
  const resolved = resolveState(rulesOf(room.version), sets, (id) => byId.get(id))
  const chosen = new Set(resolved.values())
  return events.flatMap((event, index) => (chosen.has(event.eventId) ? [index] : []))
}

describe('state resolution, beside that of other servers', () => {
  test.each(ALGORITHMS)('algorithm %s resolves 300 forked rooms as they do', (algorithm) => {
    const rooms = fixture[algorithm]
    const wrong = rooms.flatMap((room, index) => {
      const ours = resolve(room)
      if (Bun.deepEquals(ours, room.resolved)) return []
      return [{ index, version: room.version, case: room.case, ours, theirs: room.resolved }]
    })
    expect(wrong).toEqual([])
    expect(rooms).toHaveLength(300)
  })

  test.each(ALGORITHMS)('algorithm %s does not mind the order of the states', (algorithm) => {
    const backwards = fixture[algorithm].map((room) => resolve({ ...room, sets: room.sets.toReversed() }))
    expect(backwards).toEqual(fixture[algorithm].map(resolve))
  })

  test('algorithm v1 comes to what a third server comes to, but for the order of third-party invitations', () => {
    const differences = fixture.v1.map((room, index) => {
      const theirs = new Set(fixture['v1-gomatrixserverlib'][index])
      const chosen = new Set(resolve(room)).symmetricDifference(theirs)
      return [...new Set([...chosen].map((event) => room.events[event]?.[1]))]
    })
    expect(differences.filter((types) => types.length > 0)).toEqual(Array.from({ length: 12 }, () => ['m.room.third_party_invite']))
  })

  test('whatever the other servers disagree on is written up', async () => {
    const rooms = ALGORITHMS.flatMap(([algorithm]) => fixture[algorithm])
    expect(await unexplainedCases(rooms.map((room) => room.case))).toEqual([])
  })
})
