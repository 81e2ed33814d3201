import { aliasesIn, newAliasesIn, withoutAlias } from '#core/canonical-alias.ts'
import {
  changesKeys, type CrossSigningKey, parseCrossSigningUpload, parseDeviceKeys, parseSignatureUpload, parseUploadedKeys, refuseKeyNamedLikeDevice, requiredSignatures,
} from '#core/cross-signing.ts'
import { verifyDeviceKeys, verifyOneTimeKeys } from '#core/device-keys.ts'
import { directoryQuery, spaced } from '#core/directory-words.ts'
import { type Membership, mayReadEvent, mayServerReadEvent, sightOfEvent } from '#core/history-visibility.ts'
import { invitePermission } from '#core/invite-permission.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { emptyAudience, evaluateForAudience, outcomeFor, seat } from '#core/push-rules/audience.ts'
import { compileCondition, pushSubject } from '#core/push-rules/conditions.ts'
import { defaultRules } from '#core/push-rules/defaults.ts'
import { compileRuleset, evaluate, rulesetForRoom, tweaksOf } from '#core/push-rules/evaluate.ts'
import { addRule, findRule, NO_PUSH_RULE_CHOICES, removeRule, rulesetFor, setActions, setEnabled } from '#core/push-rules/ruleset.ts'
import { checkEdit, refuseRelation, relationOf, replyTargetOf, type RelatableEvent } from '#core/relations.ts'
import { planRoom, type Preset } from '#core/room-presets.ts'
import { levelsAfterUpgrade, upgradedCreate, upgradedState } from '#core/room-upgrade.ts'
import { heroesOf, roomDisplayName } from '#core/room-summary.ts'
import { roomVersionRules } from '#core/room-version.ts'
import { indexedText, parseSearchTerm } from '#core/search-words.ts'
import { signJson, signingKeyFromSeed } from '#core/signing.ts'
import { spaceChildren } from '#core/spaces.ts'
import { clientEventBody, printClientEvent } from '#core/sync/client-event.ts'
import { letsNothingThrough, matchesEventFilter, matchesRelations, matchesRoom, parseEventFilter, parseFilter, selectFields } from '#core/sync/filter.ts'
import { placesIn } from '#core/sync/window.ts'
import { threadOf } from '#core/threads.ts'
import { type DeviceId, type EventId, type RoomAlias, type ServerName, type UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { rulesOf } from './dag.ts'
import type { Target } from './fuzz.ts'
import { ensure, isText, listOf, objectOf, textOf } from './fuzz-input.ts'

/** What clients send, and what of events is read for them. */

const ALICE = '@alice:a.example'
const DEVICE = 'DEVICE' as DeviceId
const key = signingKeyFromSeed('ed25519:DEVICE', new Uint8Array(32).fill(9))
const asServer = ALICE as string as ServerName

const message = (content: JsonObject): Json => ({ type: 'm.room.message', sender: '@bob:a.example', content })
const body = { msgtype: 'm.text', body: 'hello alice, @room' }

const filter: Target = {
  name: 'filter',
  seeds: [
    {
      filter: {
        event_fields: ['type', 'content.body', 'content.m\\.relates_to'], event_format: 'client', presence: { types: ['m.*'] }, account_data: { not_types: ['*'] },
        room: { rooms: ['!room:a.example'], not_rooms: [], include_leave: true, timeline: { limit: 10, not_senders: ['@mallory:b.example'], contains_url: false, rel_types: ['m.thread'], lazy_load_members: true } },
      },
      event: message({ ...body, url: 'mxc://a/b', 'm.relates_to': { rel_type: 'm.thread', event_id: '$e' } }),
    },
    { filter: {}, event: message(body) },
  ],
  run(input) {
    const given = objectOf(input)
    const [whole, single] = [parseFilter(given.filter), parseEventFilter(given.filter)]
    const event = objectOf(given.event)
    if (!(single instanceof MatrixError)) {
      matchesEventFilter(single, { type: textOf(event.type), sender: textOf(event.sender), roomId: '!room:a.example', content: event.content })
      matchesRelations(single, [{ sender: ALICE, relType: 'm.thread' }])
      matchesRoom(single, '!room:a.example')
      letsNothingThrough(single)
    }
    if (whole instanceof MatrixError) return false
    const shown = selectFields(event, whole.eventFields)
    ensure(Object.keys(shown).every((name) => Object.hasOwn(event, name)), 'a property came out that did not go in')
    matchesEventFilter(whole.room.timeline, { type: textOf(event.type), sender: textOf(event.sender), content: event.content })
    return true
  },
}

const RULE_BODY = {
  actions: ['notify', { set_tweak: 'sound', value: 'ring' }, { set_tweak: 'highlight' }],
  pattern: 'al?ce*',
  conditions: [
    { kind: 'event_match', key: 'content.body', pattern: '*alice*' },
    { kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true },
    { kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: ALICE },
    { kind: 'room_member_count', is: '>=2' },
    { kind: 'sender_notification_permission', key: 'room' },
    { kind: 'contains_display_name' },
  ],
}

const pushRules: Target = {
  name: 'push-rules',
  seeds: [
    { kind: 'override', ruleId: 'mine', body: RULE_BODY, event: message(body), levels: { room: 50 }, name: 'Alice' },
    { kind: 'content', ruleId: 'word', body: RULE_BODY, event: message(body), levels: {}, name: 'A*?' },
    { kind: 'room', ruleId: '!room:a.example', body: { actions: [] }, event: message({ ...body, 'm.mentions': { user_ids: [ALICE], room: true } }), levels: { room: '50' } },
    { kind: 'underride', ruleId: 'x', body: { actions: ['dont_notify'], conditions: [] }, event: message(body), before: '.m.rule.message' },
    { kind: 'sender', ruleId: '@bob:a.example', body: RULE_BODY, event: { type: 'm.room.member', state_key: ALICE, sender: '@bob:a.example', content: { membership: 'invite' } } },
  ],
  words: ['content.body', 'event_match', 'type', 'sender', 'room_id', 'state_key', 'm.room.message', '.m.rule.master', 'is', 'value', 'io.element.msc4306.thread_subscription'],
  run(input) {
    const { kind, ruleId, body: rule, event, levels, name, before } = objectOf(input)
    const added = addRule(NO_PUSH_RULE_CHOICES, textOf(kind), textOf(ruleId), rule, before === undefined ? {} : { before: textOf(before) })
    setEnabled(NO_PUSH_RULE_CHOICES, { kind: textOf(kind), ruleId: textOf(ruleId) }, rule)
    setActions(NO_PUSH_RULE_CHOICES, { kind: textOf(kind), ruleId: '.m.rule.message' }, rule)
    removeRule(NO_PUSH_RULE_CHOICES, textOf(kind), textOf(ruleId))
    for (const condition of listOf(objectOf(rule).conditions)) compileCondition(condition, ALICE)
    const choices = added instanceof MatrixError ? NO_PUSH_RULE_CHOICES : added
    const own = rulesetFor(choices, ALICE)
    findRule(own, textOf(kind), textOf(ruleId))
    const { type, state_key: stateKey, sender, content } = objectOf(event)
    const context = { roomId: '!room:a.example', memberCount: 2, senderPowerLevel: 50, notificationLevels: objectOf(levels), isInThread: false } as const
    const subject = pushSubject(
      { type: textOf(type), sender: textOf(sender) as UserId, content: objectOf(content), ...(isText(stateKey) ? { state_key: stateKey } : {}) },
      context,
    )
    const audience = emptyAudience()
    const compiled = rulesetForRoom(compileRuleset(own, ALICE), context.roomId)
    seat(audience, compiled, textOf(name))
    seat(audience, rulesetForRoom(compileRuleset(defaultRules('@bob:a.example'), '@bob:a.example'), context.roomId))
    const together = outcomeFor(audience, evaluateForAudience(audience, subject), ALICE)
    const alone = evaluate(compiled, subject, { displayName: textOf(name) })
    ensure(textOf(sender) === ALICE || Bun.deepEquals(together, alone), 'asked together and alone the answers differ')
    tweaksOf(alone)
    return !(added instanceof MatrixError)
  },
}

const PUBLIC = key.publicKey
const masterKey = signJson({ user_id: ALICE, usage: ['master'], keys: { [`ed25519:${PUBLIC}`]: PUBLIC } }, asServer, key)
const deviceKeys = signJson(
  { user_id: ALICE, device_id: 'DEVICE', algorithms: ['m.olm.v1.curve25519-aes-sha2'], keys: { 'ed25519:DEVICE': PUBLIC, 'curve25519:DEVICE': PUBLIC } },
  asServer, key,
)
const selfSigning = { user_id: ALICE, usage: ['self_signing'], keys: { [`ed25519:${PUBLIC}`]: PUBLIC }, signatures: { [ALICE]: { [`ed25519:${PUBLIC}`]: 'c2ln' } } }
const master: CrossSigningKey = { object: masterKey, keyId: `ed25519:${PUBLIC}`, publicKey: PUBLIC }

const crossSigning: Target = {
  name: 'cross-signing',
  seeds: [
    { upload: { master_key: masterKey, self_signing_key: selfSigning }, signatures: { [ALICE]: { DEVICE: deviceKeys, [PUBLIC]: masterKey } } },
    { upload: { user_signing_key: { ...selfSigning, usage: ['user_signing'] } }, signatures: { '@bob:b.example': { [PUBLIC]: masterKey } } },
  ],
  run(input) {
    const { upload, signatures } = objectOf(input)
    const read = parseCrossSigningUpload(upload, ALICE, master)
    if (!(read instanceof MatrixError)) {
      changesKeys(read, { master: PUBLIC })
      refuseKeyNamedLikeDevice(read, new Set(['DEVICE']))
    }
    const uploads = parseSignatureUpload(signatures)
    if (uploads instanceof MatrixError) return false
    const known = { selfSigning: master, userSigning: master, devices: new Map([['DEVICE', deviceKeys]]), masters: new Map<UserId, CrossSigningKey>([[ALICE, master], ['@bob:b.example', master]]) }
    for (const each of uploads) requiredSignatures(each, ALICE, known)
    return true
  },
}

const oneTimeKey = signJson({ key: PUBLIC }, asServer, key)
const fallbackKey = signJson({ key: PUBLIC, fallback: true }, asServer, key)

const keyUpload: Target = {
  name: 'device-keys',
  seeds: [
    { device_keys: deviceKeys, one_time_keys: { 'signed_curve25519:AAAAAQ': oneTimeKey, 'curve25519:AAAAAg': PUBLIC }, fallback_keys: { 'signed_curve25519:F': fallbackKey } },
  ],
  run(input) {
    const given = objectOf(input)
    const device = parseDeviceKeys(given.device_keys, ALICE, DEVICE)
    const identity = device instanceof MatrixError ? device : verifyDeviceKeys(device)
    const oneTime = parseUploadedKeys(given.one_time_keys, 'one_time_keys')
    const fallback = parseUploadedKeys(given.fallback_keys, 'fallback_keys')
    if (oneTime instanceof MatrixError || fallback instanceof MatrixError || identity instanceof MatrixError) return false
    return !(verifyOneTimeKeys([...oneTime, ...fallback], identity.ed25519, { userId: ALICE, deviceId: DEVICE }) instanceof MatrixError)
  },
}

const related = (given: Json | undefined): RelatableEvent => {
  const { event_id: eventId, type, sender, state_key: stateKey, content } = objectOf(given)
  return {
    eventId: textOf(eventId) as EventId, roomId: '!room:a.example', type: textOf(type), sender: textOf(sender) as UserId, content: objectOf(content),
    ...(isText(stateKey) ? { stateKey } : {}),
  }
}

const original = { event_id: '$o', type: 'm.room.message', sender: ALICE, content: body }
const relations: Target = {
  name: 'relations',
  seeds: [
    { one: { event_id: '$e', type: 'm.room.message', sender: ALICE, content: { ...body, 'm.new_content': body, 'm.relates_to': { rel_type: 'm.replace', event_id: '$o' } } }, other: original },
    { one: { event_id: '$e', type: 'm.reaction', sender: ALICE, content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$o', key: '👍' } } }, other: original },
    { one: { event_id: '$e', type: 'm.room.message', sender: ALICE, content: { 'm.relates_to': { rel_type: 'm.thread', event_id: '$o', 'm.in_reply_to': { event_id: '$o' } } } }, other: original },
  ],
  run(input) {
    const given = objectOf(input)
    const [one, other] = [related(given.one), related(given.other)]
    const relation = relationOf(one.content)
    replyTargetOf(one.content)
    threadOf(one.content, (id) => (id === other.eventId ? other.content : one.content))
    refuseRelation({ roomId: one.roomId, content: one.content, target: other, hasSameAnnotation: true })
    return checkEdit(one, other).ok || relation !== undefined
  },
}

const spaces: Target = {
  name: 'spaces',
  seeds: [{ children: [{ stateKey: '!a:a.example', ts: 2, content: { via: ['a.example'], order: 'a', suggested: true } }, { stateKey: '!b:a.example', ts: 1, content: { via: ['b.example'] } }] }],
  run(input) {
    const events = listOf(objectOf(input).children).map((child) => {
      const { stateKey, ts, content } = objectOf(child)
      return { stateKey: textOf(stateKey), originServerTs: Number.isInteger(ts) ? Number(ts) : 0, content: objectOf(content) }
    })
    const children = spaceChildren(events)
    ensure(children.every(({ via }) => via.length > 0), 'a child without a server')
    return children.length > 0
  },
}

const canonicalAlias: Target = {
  name: 'canonical-alias',
  seeds: [{ content: { alias: '#a:a.example', alt_aliases: ['#b:a.example', '#c:b.example'] }, before: { alias: '#b:a.example' }, alias: '#b:a.example' }],
  run(input) {
    const { content, before, alias } = objectOf(input)
    const fresh = newAliasesIn(objectOf(content), before === undefined ? undefined : objectOf(before))
    aliasesIn(objectOf(content))
    withoutAlias(objectOf(content), textOf(alias) as RoomAlias)
    return !(fresh instanceof MatrixError)
  },
}

const presets: Target = {
  name: 'room-presets',
  seeds: [
    { version: '12', preset: 'trusted_private_chat', creationContent: { 'm.federate': false, additional_creators: ['@c:b.example'] }, powerLevels: { events: {} }, initialState: [{ type: 'm.room.power_levels', stateKey: '', content: {} }], invite: ['@bob:a.example'], name: 'n' },
    { version: '10', preset: 'public_chat', creationContent: { creator: 'x' }, powerLevels: { users: { [ALICE]: 100 } }, initialState: [], invite: [], topic: 't' },
  ],
  run(input) {
    const given = objectOf(input)
    const preset: Preset = given.preset === 'public_chat' || given.preset === 'private_chat' ? given.preset : 'trusted_private_chat'
    const planned = planRoom({
      rules: roomVersionRules(textOf(given.version)) ?? rulesOf('12'), creator: ALICE, profile: objectOf(given.profile), preset,
      creationContent: objectOf(given.creationContent), powerLevels: objectOf(given.powerLevels),
      initialState: listOf(given.initialState).map(objectOf).map(({ type, stateKey, content }) => ({ type: textOf(type), stateKey: textOf(stateKey), content: objectOf(content) })),
      invite: listOf(given.invite).filter(isText) as UserId[],
      name: isText(given.name) ? given.name : undefined, topic: isText(given.topic) ? given.topic : undefined,
    })
    ensure(planned instanceof MatrixError || planned.filter(({ type, stateKey }) => type === 'm.room.create' && stateKey === '').length === 1, 'a room without one create event')
    return !(planned instanceof MatrixError)
  },
}

const MEMBERSHIPS = ['join', 'invite', 'knock', 'leave', 'ban'] as const
const membershipOf = (value: Json | undefined): Membership | undefined => MEMBERSHIPS.find((known) => known === value)

const visibility: Target = {
  name: 'history-visibility',
  seeds: [{ visibilityBefore: 'shared', visibilityAfter: 'joined', membershipBefore: 'invite', membershipAfter: 'join' }, { visibilityBefore: 'invited', membershipBefore: 'ban' }],
  run(input) {
    const given = objectOf(input)
    const [visibilityBefore, visibilityAfter] = [given.visibilityBefore, given.visibilityAfter].map((value) => (isText(value) ? value : undefined))
    const [membershipBefore, membershipAfter] = [membershipOf(given.membershipBefore), membershipOf(given.membershipAfter)]
    const question = { visibilityBefore, visibilityAfter, membershipBefore, membershipAfter, joinedSince: given.joinedSince === true }
    const verdict = mayReadEvent(question)
    ensure((sightOfEvent(question) === 'hidden') === !verdict.ok, 'what may be read is hidden')
    mayServerReadEvent({ visibilityBefore, visibilityAfter, hasJoinedUser: false, hasInvitedUser: true })
    return verdict.ok
  },
}

const summary: Target = {
  name: 'room-summary',
  seeds: [{ members: [{ userId: '@bob:a.example', membership: 'join', position: 1, displayName: 'Bob' }, { userId: '@c:b.example', membership: 'leave', position: 2, displayName: 'Bob' }], joined: 2, invited: 1 }],
  run(input) {
    const given = objectOf(input)
    const members = listOf(given.members).map(objectOf).map(({ userId, membership, position }) => (
      { userId: textOf(userId) as UserId, membership: membershipOf(membership) ?? 'join', position: Number.isInteger(position) ? Number(position) : 0 }))
    const heroes = heroesOf(members, ALICE)
    const named = heroes.map((userId) => ({ userId, displayName: textOf(given.name) }))
    const called = roomDisplayName({ heroes: named, joinedCount: Number.isInteger(given.joined) ? Number(given.joined) : 1, invitedCount: 0 })
    ensure(called !== '' || heroes.includes('' as UserId), 'a room without a name')
    return heroes.length > 0
  },
}

const clientEvent: Target = {
  name: 'client-event',
  seeds: [{ content: body, eventId: '$e', sender: ALICE, stateKey: null, type: 'm.room.message', roomId: '!room:a.example', txnId: 'm1.2' }, { content: {}, eventId: '$"', sender: '@\\:a', stateKey: '\u2028', type: '"' }],
  run(input) {
    const given = objectOf(input)
    const [eventId, sender, type] = [textOf(given.eventId) as EventId, textOf(given.sender) as UserId, textOf(given.type)]
    const stateKey = isText(given.stateKey) ? given.stateKey : null
    const text = clientEventBody({ content: JSON.stringify(objectOf(given.content)), eventId, ts: 5, sender, stateKey, type, redacts: isText(given.redacts) ? given.redacts : undefined })
    const event = { num: 1, eventId, type, stateKey, sender, ts: 5, depth: 1, body: text, replaces: null, redactedBy: null, device: 'alice D', txnId: isText(given.txnId) ? given.txnId : null }
    const printed = printClientEvent(event, { now: 9, device: 'alice D', membership: textOf(given.membership) }, textOf(given.roomId))
    const read = objectOf(JSON.parse(printed) as Json)
    ensure(read.event_id === eventId && read.sender === sender && read.type === type && read.room_id === textOf(given.roomId), 'it reads back otherwise')
    return true
  },
}

const words: Target = {
  name: 'search-words',
  seeds: ['hello "big world" iPhone手机', '搜索引擎', '@alice:a.example', 'Zürich ﬁ ①', '"'],
  words: ['"', ' ', 'ー', '\u0301', '\u0e31', '手', ':', '@', '*', 'AND'],
  run(input) {
    const text = textOf(input)
    const term = parseSearchTerm(text)
    indexedText(text)
    spaced(text)
    directoryQuery(text)
    return term !== undefined
  },
}

const LEVELS = { users: { [ALICE]: 100 }, users_default: '7', events_default: 0, invite: 50 }
const upgrade: Target = {
  name: 'room-upgrade',
  seeds: [{ version: '12', create: { type: 'm.space', 'm.federate': false }, levels: LEVELS, aliases: { alias: '#a:a.example', alt_aliases: ['#b:a.example'] }, children: { '!c': { via: ['a.example'] } } }],
  run(input) {
    const given = objectOf(input)
    const rules = roomVersionRules(textOf(given.version)) ?? rulesOf('11')
    const asked = { rules, creator: ALICE, additionalCreators: [] } as const
    upgradedCreate(asked, objectOf(given.create), { roomId: '!room:a.example' })
    const content = (type: string): JsonObject | undefined =>
      ({ 'm.room.power_levels': objectOf(given.levels), 'm.room.canonical_alias': objectOf(given.aliases) })[type]
    const children = Object.entries(objectOf(given.children)).map(([roomId, child]) => [roomId, objectOf(child)] as const)
    const state = upgradedState(asked, { content, children, banned: [], formerCreators: [], movedAliases: ['#a:a.example'], profile: {} })
    levelsAfterUpgrade(objectOf(given.levels))
    return state.length > 0
  },
}

const invites: Target = {
  name: 'invite-permission',
  seeds: [{ permission: { default_action: 'allow' }, rules: { enabled: true, allowed_users: ['@a*:b.example'], blocked_servers: ['*.evil.example'] }, inviter: '@mallory:x.evil.example:80' }, { permission: {}, rules: {}, inviter: '@bob:b.example' }],
  run(input) {
    const { permission, rules, inviter } = objectOf(input)
    return invitePermission({ permission: objectOf(permission), rules: objectOf(rules) }, textOf(inviter) as UserId) === 'allow'
  },
}

const windows: Target = {
  name: 'sliding-window',
  seeds: [{ ranges: [[0, 20], [10, 30], [90, 99]], count: 95 }],
  run(input) {
    const { ranges, count } = objectOf(input)
    const isPlace = (value: Json | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    const given = listOf(ranges).flatMap((range): [number, number][] => {
      const [from, to] = listOf(range)
      return isPlace(from) && isPlace(to) ? [[from, to]] : []
    })
    const most = isPlace(count) ? count : 0
    const places = placesIn(given, most)
    ensure(places.every(([from, to], at) => from <= to && to < most && (at === 0 || from > (places[at - 1]?.[1] ?? 0))), 'places overlap or lie outside')
    return places.length > 0
  },
}

export const clientTargets: readonly Target[] = [
  words, upgrade, invites, windows, filter, pushRules, crossSigning, keyUpload, relations, spaces, canonicalAlias, presets, visibility, summary, clientEvent,
]

