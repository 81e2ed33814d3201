import { roomIdFor } from '#actors/room/create.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { isJsonObject, ownValue } from '#core/event-content.ts'
import { roomCreators } from '#core/power-levels.ts'
import { type Upgrade, upgradedCreate, upgradedState } from '#core/room-upgrade.ts'
import { type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'
import type { Homeserver } from '#homeserver'
import { signedIn, type SignedInCall } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { refuseSilenced } from '#http/speaking.ts'
import { upgradeRoom } from '#schema/client/room-upgrade.ts'
import { isRoomId, isUserId, type RoomAlias, type RoomId, type UserId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, notFound, unsupportedRoomVersion } from '#schema/matrix-error.ts'
import type { PushRule } from '#schema/push-rules.ts'
import { listAliasesOf } from '#store/aliases.ts'
import { findMemberProfile } from '#store/profiles.ts'
import { findPublished } from '#store/public-rooms.ts'
import { findRoomVersion, findStateEvent, listStateOfType } from '#store/room-state.ts'
import type { Store } from '#store/store.ts'
import { listBanned, listDirectOfMembers, listPushRulesOfMembers, listTagsOfMembers } from '#store/upgrades.ts'

/** Milliseconds in which the same wish of the same user is taken for a repetition of one whose answer was lost. */
const REPEAT_MS = 5 * 60_000

export const roomUpgradePage = (server: Homeserver) => {
  const underway = new Map<string, Promise<RoomId>>()
  const limit = rateLimiter(server.config.rc.roomCreation, server.clock.now)
  return page().post(
    '/_matrix/client/v3/rooms/:roomId/upgrade',
    signedIn(server, upgradeRoom, async ({ params: { roomId }, body, requester, cause }) => {
      refuseSilenced(server, requester)
      const rules = roomVersionRules(body.new_version)
      if (!rules) throw unsupportedRoomVersion(`This server does not know room version ${body.new_version}`)
      if (!findRoomVersion(server.store, roomId)) throw notFound('This server does not know that room')
      const additionalCreators = creatorsIn(rules, body, requester.userId)
      const job = { oldId: roomId, userId: requester.userId, upgrade: { rules, creator: requester.userId, additionalCreators }, cause }
      const made = madeBefore(server, job)
      if (made) return { replacement_room: made }
      const wish = `${roomId} ${requester.userId} ${rules.version}`
      const begun = underway.get(wish)
      if (begun) return { replacement_room: await begun }
      limit.take(requester.userId)
      const replacing = replaceRoom(server, job).finally(() => underway.delete(wish))
      underway.set(wish, replacing)
      return { replacement_room: await replacing }
    }),
  )
}

/** Where the version knows no additional creators they are ignored, as the spec wants it. */
function creatorsIn(rules: RoomVersionRules, body: SignedInCall<typeof upgradeRoom>['body'], userId: UserId): UserId[] {
  const asked = rules.privilegedCreators ? (body.additional_creators ?? []) : []
  if (!asked.every(isUserId)) throw invalidParam('additional_creators must be a list of user ids')
  return [...new Set(asked.filter(isUserId))].filter((creator) => creator !== userId)
}

type Job = Readonly<{ oldId: RoomId; userId: UserId; upgrade: Upgrade; cause: string }>

/** The room by which this user has just replaced the old one: clients repeat what they have had no answer to. */
function madeBefore({ store, clock }: Homeserver, { oldId, userId, upgrade }: Job): RoomId | undefined {
  const { pdu } = findStateEvent(store, oldId, 'm.room.tombstone', '') ?? {}
  if (pdu?.sender !== userId || clock.now() - pdu.origin_server_ts > REPEAT_MS) return undefined
  const { replacement_room: newId } = pdu.content
  if (!isRoomId(newId) || findRoomVersion(store, newId)?.version !== upgrade.rules.version) return undefined
  const predecessor = ownValue(findStateEvent(store, newId, 'm.room.create', '')?.pdu.content, 'predecessor')
  return isJsonObject(predecessor) && predecessor.room_id === oldId ? newId : undefined
}

/** G-85: the new room is made and filled before the old one names it; then what points at the old one is moved. */
async function replaceRoom(server: Homeserver, job: Job): Promise<RoomId> {
  const { oldId, userId, cause } = job
  const { store } = server
  const isPublished = findPublished(store, oldId) ?? false
  const aliases = listAliasesOf(store, oldId)
  const { newId, tombstone } = await makeClone(server, job, { aliases, isPublished })
  await server.room(oldId).ask({ kind: 'upgradeRoom', userId, tombstone }, cause)
  await moveAliases(server, { aliases, from: oldId, to: newId, userId, cause })
  // Whoever may replace the room has replaced its entry in the directory too, whatever power that takes otherwise.
  if (isPublished)
    await server.room(oldId).ask({ kind: 'setRoomVisibilityOnDirectory', userId, isAdmin: true, isPublished: false }, cause)
  await moveSettings(server, oldId, newId, cause)
  return newId
}

type Addresses = Readonly<{ aliases: readonly RoomAlias[]; isPublished: boolean }>

async function makeClone(server: Homeserver, { oldId, userId, upgrade, cause }: Job, { aliases, isPublished }: Addresses) {
  const { store, world, clock } = server
  const { version, roomIdFormat } = upgrade.rules
  const ts = clock.now()
  const before = findStateEvent(store, oldId, 'm.room.create', '')?.pdu.content ?? {}
  const nameless = upgradedCreate(upgrade, before, { roomId: oldId })
  const newId = roomIdFor({ version, userId, createContent: nameless, ts, nonce: server.nonce().slice(0, 18) }, world)
  const { tombstone } = await server.room(oldId).ask({ kind: 'draftTombstone', userId, replacementId: newId }, cause)
  const createContent = roomIdFormat === 'create-event-hash'
    ? nameless
    : upgradedCreate(upgrade, before, { roomId: oldId, tombstone: tombstone.eventId })
  const plan = upgradedState(upgrade, {
    content: (type) => findStateEvent(store, oldId, type, '')?.pdu.content,
    children: createContent.type === 'm.space' ? listStateOfType(store, oldId, 'm.space.child').map(({ pdu }) => [pdu.state_key ?? '', pdu.content]) : [],
    banned: listBanned(store, oldId),
    formerCreators: privilegedIn(store, oldId),
    movedAliases: aliases,
    profile: findMemberProfile(store, userId),
  })
  const events = plan.map((event) => ({ ...event, sender: userId }))
  await server.room(newId).ask({ kind: 'createRoom', userId, version, ts, createContent, events, isPublished }, cause)
  return { newId, tombstone }
}

function privilegedIn(store: Store, roomId: RoomId): readonly string[] {
  const rules = findRoomVersion(store, roomId)
  return rules?.privilegedCreators ? roomCreators(rules, findStateEvent(store, roomId, 'm.room.create', '')) : []
}

type Move = Readonly<{ aliases: readonly RoomAlias[]; from: RoomId; to: RoomId; userId: UserId; cause: string }>

/** An alias that somebody has taken away in the meantime stays where it is. */
async function moveAliases(server: Homeserver, { aliases, from, to, userId, cause }: Move): Promise<void> {
  for (const alias of aliases) {
    try {
      await server.alias(alias).ask({ kind: 'moveRoomAlias', from, to, creator: userId }, cause)
    } catch (refusal) {
      if (!(refusal instanceof MatrixError)) throw refusal
    }
  }
}

/**
 * What the users of this server have noted about the old room goes for the new one too, so that it is there when they
 * enter. spec: client-server-api#room-upgrades
 */
async function moveSettings(server: Homeserver, oldId: RoomId, newId: RoomId, cause: string): Promise<void> {
  for (const { userId, tags } of listTagsOfMembers(server.store, oldId))
    for (const [tag, content] of Object.entries(tags)) server.user(userId).tell({ kind: 'setRoomTag', roomId: newId, tag, content }, cause)
  for (const { userId, direct } of listDirectOfMembers(server.store, oldId)) {
    const content = withRoomBeside(direct, oldId, newId)
    await server.user(userId).ask({ kind: 'setAccountData', roomId: null, type: 'm.direct', content }, cause)
  }
  for (const { userId, kind: ruleKind, rule } of listPushRulesOfMembers(server.store, oldId)) {
    const ruleId = rule.rule_id.replaceAll(oldId, newId)
    // A rule that is not named after the room cannot stand there twice.
    if (ruleId === rule.rule_id) continue
    const user = server.user(userId)
    user.tell({ kind: 'setPushRule', ruleKind, ruleId, body: bodyOf(rule, oldId, newId), place: {} }, cause)
    if (!rule.enabled) user.tell({ kind: 'setPushRuleEnabled', ruleKind, ruleId, enabled: false }, cause)
  }
}

const bodyOf = ({ actions, conditions }: PushRule, oldId: RoomId, newId: RoomId): JsonObject => ({
  actions: actions as Json,
  ...(conditions ? { conditions: conditions.map((each) => (each.pattern === oldId ? { ...each, pattern: newId } : each)) as Json } : {}),
})

const withRoomBeside = (direct: JsonObject, oldId: RoomId, newId: RoomId): JsonObject =>
  Object.fromEntries(Object.entries(direct).map(([userId, rooms]): [string, Json] =>
    [userId, Array.isArray(rooms) && rooms.includes(oldId) && !rooms.includes(newId) ? [...rooms, newId] : rooms]))
