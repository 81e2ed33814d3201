/**
 * What a new room starts with: presets, default power levels and the order of its first events.
 * spec: client-server-api#post_matrixclientv3createroom
 */
import { isUserId, type RoomAlias, type UserId } from '#schema/identifiers.ts'
import { invalidParam, invalidRoomState, type MatrixError } from '#schema/matrix-error.ts'
import { isJsonObject } from './event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { RoomVersionRules } from './room-version.ts'

export type Preset = 'private_chat' | 'trusted_private_chat' | 'public_chat'

type PresetState = Readonly<{
  joinRule: 'invite' | 'public'
  historyVisibility: 'shared'
  guestAccess: 'can_join' | 'forbidden'
  /** The level needed to invite. */
  invite: number
  /** Invitees get the creator's power. */
  trustsInvitees: boolean
}>

const PRIVATE: PresetState = {
  joinRule: 'invite',
  historyVisibility: 'shared',
  guestAccess: 'can_join',
  invite: 0,
  trustsInvitees: false,
}

export const PRESETS: Readonly<Record<Preset, PresetState>> = {
  private_chat: PRIVATE,
  trusted_private_chat: { ...PRIVATE, trustsInvitees: true },
  public_chat: {
    joinRule: 'public',
    historyVisibility: 'shared',
    guestAccess: 'forbidden',
    invite: 50,
    trustsInvitees: false,
  },
}

/** Without a preset, the visibility in the room directory decides; without either the room is private. */
export const presetOf = (preset: Preset | undefined, visibility: 'public' | 'private' | undefined): Preset =>
  preset ?? (visibility === 'public' ? 'public_chat' : 'private_chat')

/** One of the first events of a room, all of them state and sent by the creator. */
export type StateDraft = Readonly<{ type: string; stateKey: string; content: JsonObject }>

export type RoomCreation = Readonly<{
  rules: RoomVersionRules
  creator: UserId
  /** `displayname` and `avatar_url` of the creator's profile. */
  profile: JsonObject
  preset: Preset
  /** `creation_content` of the request. */
  creationContent?: JsonObject | undefined
  /** `power_level_content_override` of the request. */
  powerLevels?: JsonObject | undefined
  alias?: RoomAlias | undefined
  initialState: readonly StateDraft[]
  name?: string | undefined
  topic?: string | undefined
  /** Whom the request invites. Their invites follow the events of the plan. */
  invite: readonly UserId[]
}>

/**
 * The first events of a room, in the order in which they are to be sent, up to the invites. What
 * `initial_state` says takes the place of what the preset would, and `name` and `topic` take the place of
 * what it says; power levels in it are sent where the default ones would have been. 400
 * `M_INVALID_ROOM_STATE` or `M_INVALID_PARAM` if the room could not be made like that. spec:
 * client-server-api#post_matrixclientv3createroom
 */
export function planRoom(creation: RoomCreation): readonly StateDraft[] | MatrixError {
  const { rules, creator, profile, alias, initialState } = creation
  const create = createContent(creation)
  if (!create) return invalidParam('additional_creators must be a list of user ids')
  const powerLevels = powerLevelsOfPlan(creation)
  const refusal =
    refusePowerLevels(powerLevels, rules, [creator, ...creatorsIn(create)]) ??
    refuseInitialState(initialState)
  if (refusal) return refusal

  const given = new Set(initialState.map(({ type, stateKey }) => `${type}\0${stateKey}`))
  const named = namesOf(creation)
  const overridden = new Set([...named.map(({ type }) => type), 'm.room.power_levels'])
  return [
    state('m.room.create', create),
    { type: 'm.room.member', stateKey: creator, content: { ...profile, membership: 'join' } },
    state('m.room.power_levels', powerLevels),
    ...[
      ...(alias ? [state('m.room.canonical_alias', { alias })] : []),
      ...presetEvents(creation.preset),
    ].filter(({ type, stateKey }) => !given.has(`${type}\0${stateKey}`)),
    ...initialState.filter(({ type, stateKey }) => stateKey !== '' || !overridden.has(type)),
    ...named,
  ]
}

const state = (type: string, content: JsonObject): StateDraft => ({ type, stateKey: '', content })

const presetEvents = (preset: Preset): StateDraft[] => {
  const { joinRule, historyVisibility, guestAccess } = PRESETS[preset]
  return [
    state('m.room.join_rules', { join_rule: joinRule }),
    state('m.room.history_visibility', { history_visibility: historyVisibility }),
    state('m.room.guest_access', { guest_access: guestAccess }),
  ]
}

/** spec: client-server-api#mroomtopic (the `m.topic` block repeats the plain text) */
const namesOf = ({ name, topic }: RoomCreation): StateDraft[] => [
  ...(name === undefined ? [] : [state('m.room.name', { name })]),
  ...(topic === undefined
    ? []
    : [state('m.room.topic', { topic, 'm.topic': { 'm.text': [{ body: topic }] } })]),
]

/**
 * `creator` and `room_version` are ours to set. Undefined if `additional_creators` is not valid where it
 * counts.
 */
function createContent({
  rules,
  creator,
  preset,
  creationContent = {},
  invite,
}: RoomCreation): JsonObject | undefined {
  const { creator: _creator, ...content } = creationContent
  const created = {
    ...content,
    room_version: rules.version,
    ...(rules.creator === 'content' ? { creator } : {}),
  }
  if (!rules.privilegedCreators) return created
  const asked = content.additional_creators ?? []
  if (!Array.isArray(asked) || !asked.every(isUserId)) return undefined
  const trusted = PRESETS[preset].trustsInvitees ? invite : []
  const additional = [...new Set([...asked, ...trusted])].filter((userId) => userId !== creator)
  return additional.length === 0 && content.additional_creators === undefined
    ? created
    : { ...created, additional_creators: additional }
}

const creatorsIn = ({ additional_creators: additional }: JsonObject): readonly string[] =>
  Array.isArray(additional) ? additional : []

function powerLevelsOfPlan({
  rules,
  creator,
  preset,
  powerLevels,
  initialState,
  invite,
}: RoomCreation): JsonObject {
  const given = initialState.find(({ type, stateKey }) => type === 'm.room.power_levels' && stateKey === '')
  return given?.content ?? { ...defaultPowerLevels(rules, creator, preset, invite), ...powerLevels }
}

/**
 * The power levels of a new room. Up to version 11 the creator stands at 100, and so do the invitees of a
 * trusted chat; from version 12 on creators stand above all levels and are not listed, and a tombstone needs
 * more than any state. spec: client-server-api#post_matrixclientv3createroom
 */
export function defaultPowerLevels(
  rules: RoomVersionRules,
  creator: UserId,
  preset: Preset,
  invitees: readonly UserId[],
): JsonObject {
  const { invite, trustsInvitees } = PRESETS[preset]
  const powerful = rules.privilegedCreators ? [] : [creator, ...(trustsInvitees ? invitees : [])]
  return {
    users: Object.fromEntries(powerful.map((userId) => [userId, 100])),
    users_default: 0,
    events: {
      'm.room.name': 50,
      'm.room.avatar': 50,
      'm.room.canonical_alias': 50,
      'm.room.power_levels': 100,
      'm.room.history_visibility': 100,
      'm.room.tombstone': rules.privilegedCreators ? 150 : 100,
      'm.room.server_acl': 100,
      'm.room.encryption': 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite,
  }
}

/** Levels that would lock the creator out, or that name those who stand above all levels. */
function refusePowerLevels(
  levels: JsonObject,
  rules: RoomVersionRules,
  creators: readonly string[],
): MatrixError | undefined {
  const users = isJsonObject(levels.users) ? levels.users : {}
  if (rules.privilegedCreators) {
    const listed = creators.find((userId) => Object.hasOwn(users, userId))
    return listed === undefined
      ? undefined
      : invalidRoomState(`${listed} is a creator and can have no power level`)
  }
  const [creator = ''] = creators
  return Object.hasOwn(users, creator)
    ? undefined
    : invalidRoomState('The power levels leave out the creator of the room')
}

const refuseInitialState = (initialState: readonly StateDraft[]): MatrixError | undefined =>
  initialState.some(({ type }) => type === 'm.room.create')
    ? invalidRoomState('m.room.create cannot be part of initial_state')
    : undefined
