import type { Command } from '#actors/kernel/actor.ts'
import type { WorldTurn } from '#actors/world.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { type RoomVersion, roomVersionRules } from '#core/room-version.ts'
import { sealEvent } from '#core/seal-event.ts'
import { roomIdOfCreate } from '#core/event-id.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import { MatrixError, roomInUse, unknown, unsupportedRoomVersion } from '#schema/matrix-error.ts'
import { append, draftOf, type NewEvent } from './append.ts'
import type { RoomDecide } from './memory.ts'
import { ringsFor } from './send.ts'

/** The events of a new room in order, the create event first. All are written, or none. */
export type CreateCommand = Command<'createRoom', {
  userId: UserId
  version: RoomVersion
  /** Milliseconds of the create event: from version 12 on the room id depends on it. */
  ts: number
  createContent: JsonObject
  events: readonly NewEvent[]
  isPublished: boolean
}, { roomId: RoomId }>

export const decide = {
  createRoom(room, { userId, version, ts, createContent, events, isPublished }, turn) {
    if (room.rules) return { refuse: roomInUse('A room of that id exists already') }
    const rules = roomVersionRules(version)
    if (!rules) return { refuse: unsupportedRoomVersion(`This server does not know room version ${version}`) }
    try {
      const draft = draftOf(room, turn, rules)
      const create = append(draft, { type: 'm.room.create', sender: userId, stateKey: '', content: createContent, ts })
      if (create.roomId !== room.roomId) return { refuse: unknown('The create event does not name this room', 500) }
      for (const event of events) append(draft, event)
      const published: RoomFact[] = isPublished ? [{ kind: 'roomPublished', roomId: room.roomId, isPublished }] : []
      return { facts: [...draft.facts, ...published], effects: ringsFor(draft), reply: { roomId: room.roomId } }
    } catch (refusal) {
      if (refusal instanceof MatrixError) return { refuse: refusal }
      throw refusal
    }
  },
} satisfies RoomDecide<CreateCommand, RoomFact>

/** The id that a room will have: from version 12 on it follows from its create event. spec: rooms/v12#room-ids */
export function roomIdFor(
  { version, userId, createContent, ts, nonce }: { version: RoomVersion; userId: UserId; createContent: JsonObject; ts: number; nonce: string },
  { serverName, signingKey }: Pick<WorldTurn, 'serverName' | 'signingKey'>,
): RoomId {
  const rules = roomVersionRules(version)
  if (rules?.roomIdFormat !== 'create-event-hash') return `!${nonce}:${serverName}`
  const draft = {
    type: 'm.room.create',
    sender: userId,
    state_key: '',
    content: createContent,
    depth: 1,
    origin_server_ts: ts,
    prev_events: [],
    auth_events: [],
  }
  return roomIdOfCreate(sealEvent(rules, draft, serverName, signingKey).event.eventId)
}
