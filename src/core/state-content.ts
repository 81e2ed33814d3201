import type { RoomId, ServerName } from '#schema/identifiers.ts'
import { badJson, invalidParam, type MatrixError } from '#schema/matrix-error.ts'
import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { isRetentionPolicy, RETENTION_TYPES } from './retention.ts'
import { checkServerAcl } from './server-acl.ts'

/**
 * State that a client of ours may not send, although the auth rules (of old room versions at least) would let it pass:
 * what would lock its own room or server out, or what no client could read. Undefined: it may be sent.
 */
export function refuseStateContent(
  { type, stateKey, content, roomId, serverName }: Readonly<{
    type: string
    stateKey: string
    content: JsonObject
    roomId: RoomId
    serverName: ServerName
  }>,
): MatrixError | undefined {
  if (stateKey !== '') return undefined
  if (type === 'm.room.power_levels') return refuseLevels(content)
  if (type === 'm.room.server_acl') return refuseAcl(content, serverName)
  if (RETENTION_TYPES.some((each) => each === type) && !isRetentionPolicy(content))
    return badJson('min_lifetime and max_lifetime must be whole numbers of milliseconds, and the first not above the second')
  if (type === 'm.room.tombstone' && ownValue(content, 'replacement_room') === roomId)
    return invalidParam('A room cannot be its own replacement')
  return undefined
}

const PROFILE = ['displayname', 'avatar_url'] as const

/** What nobody could read out of a member event, which the auth rules let pass. spec: client-server-api#mroommember */
export function refuseMemberContent(content: JsonObject): MatrixError | undefined {
  const odd = PROFILE.find((key) => !isTextOrNothing(ownValue(content, key)))
  return odd === undefined ? undefined : badJson(`${odd} must be text`)
}

const isTextOrNothing = (value: Json | undefined): boolean => value === undefined || value === null || typeof value === 'string'

/** What tells everyone something about the room only as state. As messages these would look sent and do nothing. */
const STATE_ONLY = ['m.room.name', 'm.room.tombstone', 'm.room.topic']

/** The reference server refuses the same. */
export const refuseMessageType = (type: string): MatrixError | undefined =>
  STATE_ONLY.includes(type) ? invalidParam(`${type} is sent as state`) : undefined

const SCALARS = ['ban', 'events_default', 'invite', 'kick', 'redact', 'state_default', 'users_default'] as const
const GROUPS = ['events', 'notifications', 'users'] as const

/** spec: rooms/v10#authorisation-rules (levels are integers; older rooms still read strings, but no client should write them) */
export function refuseLevels(content: JsonObject): MatrixError | undefined {
  const scalar = SCALARS.find((key) => !isLevelOrAbsent(ownValue(content, key)))
  if (scalar !== undefined) return badJson(`${scalar} must be an integer`)
  const group = GROUPS.find((key) => !isGroupOrAbsent(ownValue(content, key)))
  return group === undefined ? undefined : badJson(`${group} must be an object of integers`)
}

const isLevelOrAbsent = (value: Json | undefined): boolean => value === undefined || Number.isSafeInteger(value)

const isGroupOrAbsent = (value: Json | undefined): boolean =>
  value === undefined || (isJsonObject(value) && Object.values(value).every((level) => Number.isSafeInteger(level)))

function refuseAcl(content: JsonObject, serverName: ServerName): MatrixError | undefined {
  const verdict = checkServerAcl(content, serverName)
  return verdict.ok ? undefined : badJson(`This would shut out your own server: ${verdict.why}`)
}
