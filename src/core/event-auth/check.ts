import { ownValue } from '#core/event-content.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import { type PowerLevels, powerLevelsOf } from '#core/power-levels.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { type StateLookup, stateKeyOf } from '#core/state-key.ts'
import { type Verdict, allow, deny } from '#core/verdict.ts'
import { type EventId, serverNameOf } from '#schema/identifiers.ts'
import { type AuthContext, currentMembership } from './context.ts'
import { checkCreate } from './create.ts'
import { checkMember } from './member.ts'
import { checkPowerLevels } from './power-levels.ts'
import { authStateKeys } from './select.ts'
import { checkThirdPartyInvite } from './third-party-invite.ts'

// How denials are named. The same rule has other numbers in other room versions, so each top-level rule has a
// name, and what follows the name is the number within the rule as the newest room version that has it prints
// it: `auth.member.3.5.2` is rule 5.3.5.2 of version 12 and rule 4.3.5.2 of version 10.
//
//   name                v1–2  v3–5  v6–7  v8–11  v12   name                v1–2  v3–5  v6–11  v12
//   create               1     1     1     1      1    joined               6     6     5      6
//   room_id              –     –     –     –      2    third_party_invite   7     7     6      7
//   auth_events          2     2     2     2      3    required_level       8     8     7      8
//   federate             3     3     3     3      4    state_key            9     9     8      9
//   aliases              4     4     –     –      –    power_levels         10    10    9      10
//   member               5     5     4     4      5    redaction            11    –     –      –
//
// `auth.create.creator` is 1.4 of versions 1 to 10, whose number another rule has taken since.

/**
 * What the rules ask of `auth_events` themselves. `authEvents` are the events that `event.pdu.auth_events`
 * names, every one of them; `create` is the room's create event, needed only where the room id is its hash. A
 * create event passes, for the rules stop at number 1 for it.
 * spec: rooms/v11#authorisation-rules (rule 2), rooms/v12#authorisation-rules (rules 2 and 3)
 */
export function checkAuthEventList(
  rules: RoomVersionRules,
  event: RoomEvent,
  authEvents: readonly RoomEvent[],
  create?: RoomEvent,
): Verdict {
  if (event.pdu.type === 'm.room.create') return allow
  const isNamedByHash = rules.roomIdFormat === 'create-event-hash'

  // Version 12, 2. The room id is not that of an accepted create event: reject.
  if (isNamedByHash && !isCreateOf(event, create))
    return deny('auth.room_id', `${event.roomId} is not the id of a create event accepted here`)

  const selectable = new Set(
    authStateKeys(rules, event.pdu).map(([type, stateKey]) => stateKeyOf(type, stateKey)),
  )
  const seen = new Set<string>()
  for (const { eventId, roomId, pdu, rejected } of authEvents) {
    const key = pdu.state_key === undefined ? '' : stateKeyOf(pdu.type, pdu.state_key)
    // 1. Two entries for one type and state key: reject.
    if (seen.has(key)) return deny('auth.auth_events.1', `${eventId} doubles another entry of auth_events`)
    // 2. An entry that the selection of auth events does not ask for: reject.
    if (!selectable.has(key)) return deny('auth.auth_events.2', `${eventId} has no place in auth_events`)
    // 3. An entry that was itself rejected: reject.
    if (rejected) return deny('auth.auth_events.3', `${eventId} in auth_events was rejected`)
    // 5. An entry of another room: reject.
    if (roomId !== event.roomId) return deny(
      'auth.auth_events.5',
      `${eventId} in auth_events is of another room`,
    )
    seen.add(key)
  }

  // 4. Before version 12: no create event among them: reject.
  if (!isNamedByHash && !seen.has(stateKeyOf('m.room.create', '')))
    return deny('auth.auth_events.4', 'auth_events lacks the create event')
  return allow
}

const isCreateOf = (event: RoomEvent, create: RoomEvent | undefined): boolean =>
  create?.pdu.type === 'm.room.create' && !create.rejected && event.roomId === `!${create.eventId.slice(1)}`

/**
 * The authorisation rules but for those on `auth_events`, against any room state: that of the auth events,
 * that before the event, the current one, or one that is being resolved. `state` is asked only for places
 * that `authStateKeys` lists, and for the create event, which it has to know in every room version.
 *
 * Signatures are taken as verified, that of the server which authorised a restricted join included.
 * spec: rooms/v1#authorisation-rules to rooms/v12#authorisation-rules
 */
export function checkEventAuth(rules: RoomVersionRules, event: RoomEvent, state: StateLookup): Verdict {
  const { pdu } = event
  // Rule 1 of every version.
  if (pdu.type === 'm.room.create') return checkCreate(rules, event)

  const create = state('m.room.create', '')
  if (create === undefined) {
    const rule = rules.roomIdFormat === 'create-event-hash' ? 'auth.room_id' : 'auth.auth_events.4'
    return deny(rule, 'The room has no create event')
  }

  // 3 (version 12: 4). The room does not federate and the sender is of another server than its creator:
  // reject.
  if (ownValue(create.pdu.content, 'm.federate') === false && !sameServer(pdu.sender, create.pdu.sender))
    return deny('auth.federate', `This room is only for users of ${serverNameOf(create.pdu.sender)}`)

  // 4 in versions 1 to 5.
  if (rules.aliasesAuth && pdu.type === 'm.room.aliases') return checkAliases(event)

  const levels = powerLevelsOf(rules, create, state('m.room.power_levels', ''))
  const context: AuthContext = { rules, pdu, state, create, levels }
  // 5 in versions 1 to 5 and 12, otherwise 4.
  if (pdu.type === 'm.room.member') return checkMember(context)
  return checkSentByMember(context, event)
}

/** spec: rooms/v1#authorisation-rules (rule 4) */
function checkAliases({ pdu }: RoomEvent): Verdict {
  // 1. There is no state key: reject. 2. It is not the sender's server: reject. 3. Otherwise, allow.
  if (pdu.state_key === undefined) return deny('auth.aliases.1', 'Aliases are state and need a state key')
  if (pdu.state_key !== serverNameOf(pdu.sender))
    return deny('auth.aliases.2', 'The state key of aliases is the server of their sender')
  return allow
}

/** The rules for everything that only a joined member may send. The numbers are those of version 12. */
function checkSentByMember(context: AuthContext, event: RoomEvent): Verdict {
  const { rules, pdu, state, levels } = context
  // 6. The sender is not joined: reject.
  if (currentMembership(state, pdu.sender) !== 'join') return deny(
    'auth.joined',
    `${pdu.sender} is not in this room`,
  )

  // 7. A third-party invitation asks for the invite level and nothing else.
  if (pdu.type === 'm.room.third_party_invite') return checkThirdPartyInvite(context)

  // 8. The type requires a higher level than the sender's: reject.
  const required = levels.event(pdu.type, pdu.state_key !== undefined)
  const level = levels.user(pdu.sender)
  if (required > level)
    return deny('auth.required_level', `${pdu.type} requires level ${required}, ${pdu.sender} has ${level}`)

  // 9. The state key is another user's: reject.
  if (pdu.state_key?.startsWith('@') && pdu.state_key !== pdu.sender)
    return deny('auth.state_key', `${pdu.state_key} is the state key of another user`)

  // 10.
  if (pdu.type === 'm.room.power_levels') return checkPowerLevels(context)

  // 11 in versions 1 and 2.
  if (pdu.type === 'm.room.redaction' && rules.redactionAuthority === 'auth-rule')
    return checkRedactionRule(levels, event)

  // Otherwise, allow.
  return allow
}

/** spec: rooms/v1#authorisation-rules (rule 11) */
function checkRedactionRule(levels: PowerLevels, { eventId, pdu }: RoomEvent): Verdict {
  // 1. The sender has the redact level: allow. 2. Both event ids are of one server: allow. 3. Otherwise,
  // reject.
  if (levels.user(pdu.sender) >= levels.redact) return allow
  if (typeof pdu.redacts === 'string' && sameServer(pdu.redacts, eventId)) return allow
  return deny('auth.redaction.3', `${pdu.sender} may not redact events of other servers`)
}

/**
 * Whether an accepted redaction takes effect on its target. `state` is the room state before the redaction.
 * In versions 1 and 2 this repeats the auth rule; later the redaction is authorised like any event and this
 * is asked as soon as both events are here. That both are of the same room is for the caller to see to.
 * spec: rooms/v3#handling-redactions
 */
export function mayRedact(
  rules: RoomVersionRules,
  redaction: RoomEvent,
  target: Readonly<{ eventId: EventId; sender: string }>,
  state: StateLookup,
): Verdict {
  const levels = powerLevelsOf(rules, state('m.room.create', ''), state('m.room.power_levels', ''))
  if (rules.redactionAuthority === 'auth-rule') return checkRedactionRule(levels, redaction)

  // 1. The sender has the redact level. 2. The sender is of the same server as the target's sender.
  const { sender } = redaction.pdu
  if (levels.user(sender) >= levels.redact || sameServer(sender, target.sender)) return allow
  return deny('redaction.2', `${sender} may not redact events of other servers`)
}

const sameServer = (one: string, other: string): boolean => serverNameOf(one) === serverNameOf(other)
