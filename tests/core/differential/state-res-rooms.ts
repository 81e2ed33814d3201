import { roomIdOfCreate } from '#core/event-id.ts'
import type { JsonObject, RoomEvent } from '#schema/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import { loadFixture, rulesOf } from './fixture.ts'

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
export type Room = Readonly<{
  version: RoomVersion
  events: readonly Row[]
  sets: readonly (readonly number[])[]
  resolved: readonly number[]
  case?: string
}>
export const ALGORITHMS = [['v1'], ['v2'], ['v2.1']] as const
type Fixture = Readonly<Record<(typeof ALGORITHMS)[number][0], readonly Room[]>> & {
  /** What a third implementation came to in the rooms of `v1`. */
  readonly 'v1-gomatrixserverlib': readonly (readonly number[])[]
}

export const stateResRooms = await loadFixture<Fixture>('state-res')

/** The events of a room, as its version carries them. */
export function eventsOf({ version, events }: Room): RoomEvent[] {
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
