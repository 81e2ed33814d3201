import type { Static } from '@sinclair/typebox'
import type { NewEvent } from '#actors/room/append.ts'
import { roomIdFor } from '#actors/room/create.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { type Preset, planRoom, presetOf, type StateDraft } from '#core/room-presets.ts'
import { type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'
import { refuseLevels, refuseStateContent } from '#core/state-content.ts'
import type { Homeserver } from '#homeserver'
import type { createRoom } from '#schema/client/create-room.ts'
import { isUserId, type RoomAlias, type RoomId, type UserId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, unsupportedRoomVersion } from '#schema/matrix-error.ts'
import { findMemberProfile } from '#store/profiles.ts'
import { claimAlias, giveBackAlias, newAliasOf, refuseAliases } from './aliases.ts'
import { mayPublishRoom } from './directory-rules.ts'
import type { Requester } from './endpoint.ts'
import { acceptUnasked, invitedContentOf, noIdentityServer, refuseInvite } from './invites.ts'
import { perServer } from './per-server.ts'

/** What a request asks for. spec: client-server-api#post_matrixclientv3createroom */
export type RoomWish = Static<(typeof createRoom)['body']>

/** From version 12 on a room is named by its create event, and two of the same moment and maker would be one. */
const distinctTimes = perServer(({ clock }) => {
  let last = 0
  return () => (last = Math.max(clock.now(), last + 1))
})

export type PlannedRoom = Readonly<{
  requester: Requester
  rules: RoomVersionRules
  create: JsonObject
  /** What follows the create event, up to the invites. */
  plan: readonly StateDraft[]
  invite: readonly UserId[]
  isDirect: boolean
  alias: RoomAlias | undefined
  isPublic: boolean
}>

/** Refuses everything that can be refused before anything is written. */
export function planNewRoom(server: Homeserver, body: RoomWish, requester: Requester): PlannedRoom {
  const { config } = server
  const version = body.room_version ?? config.defaultRoomVersion
  const rules = roomVersionRules(version)
  if (!rules) throw unsupportedRoomVersion(`This server does not know room version ${version}`)
  if (body.invite_3pid?.length) throw noIdentityServer()
  const invite = readInvitees(server, body.invite ?? [], requester)
  const alias = body.room_alias_name === undefined ? undefined : newAliasOf(server, body.room_alias_name)
  const preset = presetOf(body.preset, body.visibility ?? undefined)
  const levels = levelsOf(server, body, preset)
  const wrongLevels = levels && refuseLevels(levels)
  if (wrongLevels) throw wrongLevels
  const [create, ...plan] = agreed(planRoom({
    rules,
    creator: requester.userId,
    profile: findMemberProfile(server.store, requester.userId),
    preset,
    creationContent: body.creation_content as JsonObject | undefined,
    powerLevels: levels,
    alias,
    initialState: initialStateOf(server, body, preset),
    name: body.name,
    topic: body.topic,
    invite,
  }))
  return {
    requester,
    rules,
    create: create?.content ?? {},
    plan,
    invite,
    isDirect: body.is_direct ?? false,
    alias,
    isPublic: body.visibility === 'public',
  }
}

/** What the admin wants of rooms of this preset, and over it what the request wants. */
function levelsOf({ config }: Homeserver, body: RoomWish, preset: Preset): JsonObject | undefined {
  const ours = config.defaultPowerLevelContentOverride[PRESET_KEYS[preset]] as JsonObject
  const theirs = (body.power_level_content_override ?? undefined) as JsonObject | undefined
  return Object.keys(ours).length === 0 ? theirs : { ...ours, ...theirs }
}

const PRESET_KEYS = {
  private_chat: 'privateChat',
  trusted_private_chat: 'trustedPrivateChat',
  public_chat: 'publicChat',
} as const

function agreed<T>(answer: T | MatrixError): T {
  if (answer instanceof MatrixError) throw answer
  return answer
}

function readInvitees(server: Homeserver, invite: readonly string[], requester: Requester): UserId[] {
  const wrong = invite.find((userId) => !isUserId(userId))
  if (wrong !== undefined) throw invalidParam(`${wrong} is not a user id`)
  const invitees = [...new Set(invite.filter(isUserId))].filter((userId) => userId !== requester.userId)
  for (const userId of invitees) refuseInvite(server, requester, userId, null)
  return invitees
}

/** What the request gives, and encryption where this server wants it from the start. */
function initialStateOf({ config }: Homeserver, body: RoomWish, preset: Preset): StateDraft[] {
  const given = (body.initial_state ?? []).map(({ type, state_key: stateKey = '', content }) =>
    ({ type, stateKey, content: content as JsonObject }))
  const kind = config.encryptionEnabledByDefaultForRoomType
  const isWanted = kind === 'all' || (kind === 'invite' && preset !== 'public_chat')
  if (!isWanted || given.some(({ type }) => type === 'm.room.encryption')) return given
  return [...given, { type: 'm.room.encryption', stateKey: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }]
}

/** Makes the room and everything that belongs to it, or nothing. */
export async function makeRoom(server: Homeserver, wish: PlannedRoom, cause: string): Promise<RoomId> {
  const ts = distinctTimes(server)()
  const { requester: { userId }, rules: { version }, create: createContent, alias, invite, isDirect } = wish
  const roomId = roomIdFor({ version, userId, createContent, ts, nonce: server.nonce().slice(0, 18) }, server.world)
  if (alias) await claimAlias(server, { alias, roomId, userId, cause })
  try {
    refuseState(server, wish, roomId)
    const events = [...wish.plan.map((event) => ({ ...event, sender: userId })), ...invites(server, wish)]
    const isPublished = wish.isPublic && mayPublish(server, wish, roomId)
    await server.room(roomId).ask({ kind: 'createRoom', userId, version, ts, createContent, events, isPublished }, cause)
  } catch (failure) {
    if (alias) await giveBackAlias(server, { alias, userId, cause })
    throw failure
  }
  for (const targetId of invite) acceptUnasked(server, { roomId, inviterId: userId, targetId, isDirect, cause })
  return roomId
}

function refuseState(server: Homeserver, { plan, alias }: PlannedRoom, roomId: RoomId): void {
  for (const event of plan) {
    const refusal = refuseStateContent({ ...event, roomId, serverName: server.serverName })
    if (refusal) throw refusal
    const isOwnAlias = event.content.alias === alias && event.content.alt_aliases === undefined
    if (event.type === 'm.room.canonical_alias' && event.stateKey === '' && !isOwnAlias)
      refuseAliases(server, roomId, event.content, undefined)
  }
}

const invites = (server: Homeserver, { invite, isDirect, requester }: PlannedRoom): NewEvent[] =>
  invite.map((targetId) => ({
    type: 'm.room.member',
    sender: requester.userId,
    stateKey: targetId,
    content: { membership: 'invite', ...invitedContentOf(server, targetId), ...(isDirect ? { is_direct: true } : {}) },
  }))

/** A room that may not be listed is made all the same: only the directory does not show it. */
const mayPublish = ({ config }: Homeserver, { requester, alias }: PlannedRoom, roomId: RoomId): boolean =>
  mayPublishRoom(config, requester.isAdmin, { userId: requester.userId, roomId, aliases: alias ? [alias] : [] })
