import { describe, expect, test } from 'bun:test'
import { roomIdOfCreate } from '#core/event-id.ts'
import type { JsonObject, RoomEvent } from '#core/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { stateKeyOf } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import { loadFixture, rulesOf, unexplainedCases } from './fixture.ts'

/** Other events are named by their index; -1 is one that is not in the file. */
type Row = readonly [
  id: EventId,
  type: string,
  stateKey: string,
  sender: UserId,
  content: JsonObject,
  originServerTs: number,
  depth: number,
  authEvents: readonly number[],
  prevEvents: readonly number[],
  rejected?: 1,
]
type Room = Readonly<{
  version: RoomVersion
  events: readonly Row[]
  sets: readonly (readonly number[])[]
  resolved: readonly number[]
  case?: string
}>
const ALGORITHMS = [['v1'], ['v2'], ['v2.1']] as const
type Fixture = Readonly<Record<(typeof ALGORITHMS)[number][0], readonly Room[]>>

const fixture = await loadFixture<Fixture>('state-res')

function eventsOf({ version, events }: Room): RoomEvent[] {
  const rules = rulesOf(version)
  const idAt = (index: number): EventId => events[index]?.[0] ?? '$elsewhere:a.example'
  const idsOf = (indices: readonly number[]) => {
    const ids = indices.map(idAt)
    return rules.references === 'pairs' ? ids.map((id) => [id, {}] as const) : ids
  }
  const roomId = rules.roomIdFormat === 'domain' ? '!room:a.example' : roomIdOfCreate(idAt(0))
  return events.map((row) => {
    const [eventId, type, state_key, sender, content, origin_server_ts, depth, ...links] = row
    const [auth_events, prev_events] = [idsOf(links[0]), idsOf(links[1])]
    const ofRoom = rules.roomIdFormat !== 'domain' && type === 'm.room.create' ? {} : { room_id: roomId }
    const place = { depth, auth_events, prev_events, ...ofRoom }
    const pdu = { type, state_key, sender, content, origin_server_ts, ...place }
    return { eventId, roomId, pdu, ...(links[2] === 1 && { rejected: true }) }
  })
}

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

  test('whatever the other servers disagree on is written up', async () => {
    const rooms = ALGORITHMS.flatMap(([algorithm]) => fixture[algorithm])
    expect(await unexplainedCases(rooms.map((room) => room.case))).toEqual([])
  })
})
