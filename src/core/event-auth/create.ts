import { ownValue } from '#core/event-content.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import { type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'
import { type Verdict, allow, deny } from '#core/verdict.ts'
import { isUserId, serverNameOf } from '#schema/identifiers.ts'

/** Rule 1 of every room version. spec: rooms/v1#authorisation-rules to rooms/v12#authorisation-rules */
export function checkCreate(rules: RoomVersionRules, { pdu }: RoomEvent): Verdict {
  // 1.1 It has previous events: reject.
  if (pdu.prev_events.length > 0) return deny('auth.create.1', 'A create event has no previous events')

  // 1.2 The room id names another server than the sender's; from version 12 on, there is a room id at all:
  // reject.
  const namesItsRoom = rules.roomIdFormat === 'create-event-hash'
  if (namesItsRoom && pdu.room_id !== undefined) return deny(
    'auth.create.2',
    'The create event names its own room',
  )
  if (!namesItsRoom && !sharesDomain(pdu.room_id, pdu.sender))
    return deny('auth.create.2', 'The room id belongs to another server than the creator')

  // 1.3 A room version is given and nobody here knows it: reject.
  const version = ownValue(pdu.content, 'room_version')
  if (version !== undefined && (typeof version !== 'string' || roomVersionRules(version) === undefined))
    return deny('auth.create.3', `Room version ${JSON.stringify(version)} is not known here`)

  // 1.4 before version 11: there is no `creator`: reject.
  if (rules.creator === 'content' && ownValue(pdu.content, 'creator') === undefined)
    return deny('auth.create.creator', 'The create event names no creator')

  // 1.4 from version 12 on: `additional_creators` is there and is not a list of user ids: reject.
  const additional = ownValue(pdu.content, 'additional_creators')
  if (rules.privilegedCreators && additional !== undefined && !isListOfUserIds(additional))
    return deny('auth.create.4', 'additional_creators has to be a list of user ids')

  return allow
}

const sharesDomain = (roomId: string | undefined, sender: string): boolean =>
  roomId?.includes(':') === true && serverNameOf(roomId) === serverNameOf(sender)

const isListOfUserIds = (value: unknown): boolean => Array.isArray(value) && value.every(isUserId)
