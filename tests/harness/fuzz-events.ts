import fc from 'fast-check'
import { canonicalJson, checkCanonical } from '#core/canonical-json.ts'
import { checkContentHash, contentHash } from '#core/content-hash.ts'
import { contentSpan } from '#core/content-span.ts'
import { checkAuthEventList, checkEventAuth, mayRedact } from '#core/event-auth/check.ts'
import { authStateKeys, selectAuthEvents } from '#core/event-auth/select.ts'
import { isJsonObject } from '#core/event-content.ts'
import { checkEventFormat, checkEventSize } from '#core/event-format.ts'
import { eventIdOf, referenceHash, roomIdOf, roomIdOfCreate } from '#core/event-id.ts'
import { type Json, type JsonObject, type Pdu, type RoomEvent, referencedIds } from '#schema/pdu.ts'
import { checkPolicySignature, policyServerOf } from '#core/policy-server.ts'
import { powerLevelsOf } from '#core/power-levels.ts'
import { redactEvent } from '#core/redaction.ts'
import { KNOWN_ROOM_VERSIONS, type RoomVersion, type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'
import { sealEvent } from '#core/seal-event.ts'
import { checkSignedBy, eventSigningText, serversThatMustSign, signEvent, signJson, signingKeyFromSeed } from '#core/signing.ts'
import { refuseLevels, refuseStateContent } from '#core/state-content.ts'
import { type StateKey, stateKeyOf, stateKeyOfEvent } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import { type EventId, type RoomId, type ServerName, serverNameOf } from '#schema/identifiers.ts'
import { furnishedRoom, memberOf, messageBy, rulesOf } from './dag.ts'
import type { Target } from './fuzz.ts'
import { ensure, listOf, objectOf, textOf } from './fuzz-input.ts'
import { arbitrarySteps, roomOf } from './random-room.ts'

/** Events, room states and histories, as other servers may send them. */

const server = serverNameOf('@alice:a.example')
const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(9))

/** The rules of the version that an input names; the newest where it names none. */
const rulesIn = (input: JsonObject): RoomVersionRules => roomVersionRules(textOf(input.version)) ?? rulesOf('12')

/** Seals are left out of most inputs, since nothing that is asked here looks at them. */
const SEALS = { hashes: { sha256: 'aGFzaA' }, signatures: {} }

/** An event that has passed the format check, as everything else may count on; undefined if it would not. */
function eventOf(rules: RoomVersionRules, value: Json | undefined, name: string): RoomEvent | undefined {
  if (!isJsonObject(value)) return undefined
  const sealed = { ...SEALS, ...value }
  const verdict = checkEventFormat(rules, sealed)
  if (!verdict.ok && !verdict.rule.startsWith('bytes.')) return undefined
  const pdu = sealed as Json as Pdu
  const eventId = rules.eventIdFormat === 'domain' ? eventIdOf(rules, pdu) : (`$${name}` as EventId)
  return { eventId, roomId: roomIdOf(rules, pdu, eventId), pdu }
}

function asWritten(version: RoomVersion): Json[] {
  const dag = furnishedRoom(version, { members: { '@bob:a.example': 'join' } })
  const message = dag.make(messageBy('@bob:a.example')).pdu
  const { content } = message
  const related = { ...content, 'm.relates_to': { rel_type: 'm.thread', event_id: '$root', 'm.in_reply_to': { event_id: '$e1' } } }
  const sealed = [dag.create.pdu, message, { ...message, content: related }].map((pdu) =>
    signEvent(rulesOf(version), { ...pdu, hashes: { sha256: contentHash(pdu) } }, server, key))
  return sealed.map((pdu) => ({ version, event: pdu as Json }))
}

const event: Target = {
  name: 'event',
  seeds: KNOWN_ROOM_VERSIONS.flatMap(asWritten),
  words: ['m.room.member', 'join', 'join_authorised_via_users_server', 'third_party_invite', 'signed', 'unsigned', 'redacts', 'm.room.redaction', 'm.room.aliases'],
  run(input) {
    const given = objectOf(input)
    const rules = rulesIn(given)
    const value = given.event ?? null
    const format = checkEventFormat(rules, value)
    if (!format.ok && !format.rule.startsWith('bytes.')) return false
    const pdu = value as Pdu
    if (rules.strictCanonicalJson && checkCanonical(value, ['unsigned']).ok) canonicalJson(unsignedTakenOff(pdu))
    const json = canonicalJson(unsignedTakenOff(pdu))
    if (!checkEventSize(json).ok) return false

    const [start, end] = contentSpan(unsignedTakenOff(pdu) as Json as Pdu, json)
    ensure(json.slice(start, end) === canonicalJson(pdu.content), 'the span of the content is elsewhere')
    const redacted = redactEvent(rules, pdu)
    ensure(canonicalJson(redactEvent(rules, redacted) as Json) === canonicalJson(redacted as Json), 'redacting twice changes something')
    ensure(referenceHash(rules, pdu).join() === referenceHash(rules, redacted).join(), 'redacting changes the reference hash')
    const eventId = eventIdOf(rules, pdu)
    roomIdOf(rules, pdu, eventId)
    checkContentHash(pdu)
    const text = eventSigningText(rules, pdu)
    for (const mustSign of serversThatMustSign(rules, pdu)) checkSignedBy(text, pdu.signatures as Json, mustSign, () => key.publicKey)
    return true
  },
}

const unsignedTakenOff = ({ unsigned: _unsigned, ...rest }: Pdu): JsonObject => rest as JsonObject

const seal: Target = {
  name: 'seal-event',
  seeds: KNOWN_ROOM_VERSIONS.flatMap((version) => {
    const dag = furnishedRoom(version, { members: { '@bob:a.example': 'join' } })
    return [dag.create.pdu, dag.make(messageBy('@bob:a.example')).pdu].map((pdu) => ({ version, event: pdu as Json }))
  }),
  run(input) {
    const given = objectOf(input)
    const rules = rulesIn(given)
    const { hashes: _hashes, signatures: _signatures, ...draft } = objectOf(given.event)
    // Drafts are ours: their members are of the right kind, but for what a client put into them.
    if (!eventOf(rules, draft, 'e')) return false
    const { event: sealed, json } = sealEvent(rules, draft as Json as Pdu, server, key)
    ensure(json === canonicalJson(sealed.pdu as Json), 'the text is not that of the event')
    ensure(sealed.eventId === eventIdOf(rules, sealed.pdu), 'the id is not that of the event')
    ensure(checkContentHash(sealed.pdu), 'the content hash does not fit')
    const signed = checkSignedBy(eventSigningText(rules, sealed.pdu), sealed.pdu.signatures as Json, server, () => key.publicKey)
    ensure(signed.ok, 'the signature does not fit')
    return true
  },
}

/** An invitation by third party that is signed, in a room where nearly everything is at stake. */
const signedInvite = signJson({ mxid: '@charlie:b.example', token: 'abc' }, server, key)
const DRAFTS = [
  memberOf('join', '@charlie:b.example', '@charlie:b.example', { join_authorised_via_users_server: '@alice:a.example' }),
  memberOf('invite', '@alice:a.example', '@charlie:b.example', { third_party_invite: { display_name: 'c', signed: signedInvite } }),
  memberOf('knock', '@charlie:b.example', '@charlie:b.example'),
  memberOf('ban', '@alice:a.example', '@bob:a.example'),
  memberOf('leave', '@bob:a.example', '@bob:a.example'),
  messageBy('@bob:a.example'),
  { type: 'm.room.power_levels', sender: '@bob:a.example', stateKey: '', content: { users: { '@bob:a.example': 50 }, notifications: { room: 50 } } },
  { type: 'm.room.redaction', sender: '@bob:a.example', content: { redacts: '$e2' }, redacts: '$e2' },
  { type: 'm.room.aliases', sender: '@bob:a.example', stateKey: 'a.example', content: { aliases: [] } },
] as const

const invitation = { type: 'm.room.third_party_invite', sender: '@alice:a.example', stateKey: 'abc', content: { public_key: key.publicKey } } as const

function roomToJudge(version: RoomVersion): Json[] {
  const dag = furnishedRoom(version, { joinRule: 'restricted', members: { '@bob:a.example': 'join' }, state: [invitation] })
  const state = dag.events.map(({ pdu }) => pdu as Json)
  return DRAFTS.map((draft) => ({ version, state, event: dag.make(draft).pdu as Json }))
}

const eventAuth: Target = {
  name: 'event-auth',
  seeds: KNOWN_ROOM_VERSIONS.flatMap(roomToJudge),
  words: ['public', 'knock', 'knock_restricted', 'public_keys', 'm.federate', 'additional_creators', 'users_default', 'events', 'state_default', 'm.room.create'],
  run(input) {
    const given = objectOf(input)
    const rules = rulesIn(given)
    const judged = eventOf(rules, given.event, 'judged')
    if (!judged) return false
    const events = listOf(given.state).flatMap((value, index) => eventOf(rules, value, `e${index}`) ?? [])
    const create = events.find(({ pdu }) => pdu.type === 'm.room.create')
    const state = new Map(events.flatMap((one): [StateKey, RoomEvent][] => {
      const place = stateKeyOfEvent(one)
      return place === undefined ? [] : [[place, one]]
    }))
    const look = (type: string, stateKey: string): RoomEvent | undefined => state.get(stateKeyOf(type, stateKey))
    authStateKeys(rules, judged.pdu)
    const asked = selectAuthEvents(rules, judged.pdu, look)
    checkAuthEventList(rules, judged, events, create)
    checkAuthEventList(rules, judged, asked, create)
    const verdict = checkEventAuth(rules, judged, look)
    ensure(checkEventAuth(rules, judged, look).ok === verdict.ok, 'the verdict changes')
    ensure(verdict.ok || (verdict.rule !== '' && verdict.why !== ''), 'a denial names no rule')
    mayRedact(rules, judged, { eventId: judged.eventId, sender: judged.pdu.sender }, look)
    const levels = powerLevelsOf(rules, create, look('m.room.power_levels', ''))
    const all = [levels.ban, levels.kick, levels.invite, levels.redact, levels.user(judged.pdu.sender), levels.event(judged.pdu.type, true), levels.notification('room')]
    ensure(all.every((level) => !Number.isNaN(level)), 'a level is no number')
    return verdict.ok
  },
}

function forkedRoom(version: RoomVersion, seed: number): Json[] {
  return fc.sample(arbitrarySteps(18), { seed, numRuns: 2 }).map((steps) => {
    const dag = roomOf(version, steps)
    const places = new Map(dag.events.map(({ eventId }, index) => [eventId, index] as const))
    const ends = dag.events.slice(-3).map((end) => [...dag.stateAfter(end).values()].map((id) => places.get(id) ?? 0))
    return { version, events: dag.events.map(({ pdu, rejected }) => ({ pdu: pdu as Json, ...(rejected ? { rejected } : {}) })), sets: ends }
  })
}

const stateResolution: Target = {
  name: 'state-res',
  seeds: [...KNOWN_ROOM_VERSIONS].flatMap((version, index) => forkedRoom(version, index)),
  run(input) {
    const given = objectOf(input)
    const rules = rulesIn(given)
    const events = listOf(given.events).map((value, index) => {
      const { pdu, rejected } = objectOf(value)
      const found = eventOf(rules, pdu, index === 0 ? 'create' : `e${index}`)
      return found && rejected === true ? { ...found, rejected } : found
    })
    const byId = new Map(events.flatMap((found) => (found ? [[found.eventId, found] as const] : [])))
    const sets = listOf(given.sets).map((set) => new Map(listOf(set).flatMap((at): [StateKey, EventId][] => {
      const found = typeof at === 'number' ? events[at] : undefined
      const place = found && stateKeyOfEvent(found)
      return found && place !== undefined ? [[place, found.eventId]] : []
    })))
    if (sets.length === 0) return false
    const find = (id: EventId): RoomEvent | undefined => byId.get(id)
    const resolved = resolveState(rules, sets, find)
    ensure([...resolved.values()].every((id) => byId.has(id)), 'an event came out that did not go in')
    if (isAcyclic(byId)) {
      const backwards = resolveState(rules, sets.toReversed(), find)
      ensure(sameState(resolved, backwards), 'the order of the states matters')
    }
    const again = resolveState(rules, [resolved, resolved], find)
    ensure(sameState(resolved, again), 'a state does not resolve to itself')
    return true
  },
}

const sameState = (one: ReadonlyMap<StateKey, EventId>, other: ReadonlyMap<StateKey, EventId>): boolean =>
  one.size === other.size && [...one].every(([place, id]) => other.get(place) === id)

/** Ids that are hashes make no circles; those of versions 1 and 2 may. */
function isAcyclic(byId: ReadonlyMap<EventId, RoomEvent>): boolean {
  const done = new Set<EventId>()
  const open = new Set<EventId>()
  const visit = (id: EventId): boolean => {
    if (done.has(id)) return true
    if (open.has(id)) return false
    open.add(id)
    const found = byId.get(id)
    const isFine = found === undefined || referencedIds(found.pdu.auth_events).every(visit)
    open.delete(id)
    done.add(id)
    return isFine
  }
  return [...byId.keys()].every(visit)
}

const policy: Target = {
  name: 'policy-server',
  seeds: [{ version: '12', policy: { via: 'policy.example', public_keys: { ed25519: key.publicKey } }, signatures: { 'policy.example': { 'ed25519:policy_server': 'AAAA' } } }],
  run(input) {
    const given = objectOf(input)
    const rules = rulesIn(given)
    const dag = furnishedRoom('12')
    const asked = policyServerOf(dag.make({ type: 'm.room.policy', sender: '@alice:a.example', stateKey: '', content: objectOf(given.policy) }))
    const signed = eventOf(rules, { ...dag.make(messageBy('@alice:a.example')).pdu, signatures: given.signatures ?? {} } as Json, 'e')
    if (signed && asked) checkPolicySignature(rules, signed.pdu, asked)
    return asked !== undefined
  },
}

const levels: Target = {
  name: 'power-levels',
  seeds: [{ version: '12', content: { users: { '@bob:a.example': 50 }, kick: 50 } }, ...KNOWN_ROOM_VERSIONS.map((version) => ({
    version, type: 'm.room.power_levels', content: { users: { '@bob:a.example': '50', '@c:b.example': 7 }, events: { 'm.room.name': 50 }, ban: 50, users_default: 0.5 },
  }))],
  run(input) {
    const given = objectOf(input)
    const content = objectOf(given.content)
    const refused = refuseLevels(content)
    const [stateKey, roomId] = [textOf(given.state_key), '!room:a.example' as RoomId]
    refuseStateContent({ type: textOf(given.type), stateKey, content, roomId, serverName: textOf(given.server) as ServerName })
    const rules = rulesIn(given)
    const found: RoomEvent = {
      eventId: '$e', roomId: roomIdOfCreate('$e'),
      pdu: { type: '', sender: '@a:b', state_key: '', content, origin_server_ts: 1, depth: 1, prev_events: [], auth_events: [] },
    }
    const read = powerLevelsOf(rules, undefined, found)
    const users = isJsonObject(content.users) ? Object.keys(content.users) : []
    ensure(users.every((user) => Number.isFinite(read.user(user))), 'a level is no finite number')
    return refused === undefined
  },
}

export const eventTargets: readonly Target[] = [event, seal, eventAuth, stateResolution, policy, levels]

