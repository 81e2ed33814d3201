import { checkAuthEventList, checkEventAuth } from '#core/event-auth/check.ts'
import { selectAuthEvents } from '#core/event-auth/select.ts'
import type { EventReference, JsonObject, Pdu, RoomEvent } from '#schema/pdu.ts'
import {
  KNOWN_ROOM_VERSIONS,
  type RoomVersion,
  type RoomVersionRules,
  roomVersionRules,
} from '#core/room-version.ts'
import { type StateKey, type StateLookup, stateKeyOf } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import type { Verdict } from '#core/verdict.ts'
import { type EventId, type RoomId, type UserId, serverNameOf } from '#schema/identifiers.ts'

/**
 * Rooms made by hand, in any version and with any forks. The events bear no hashes and no signatures, and
 * their ids are made up (`$e7`, or `$e7:a.example` where ids have a domain): good for rules that look at
 * neither.
 */
export type Draft = Readonly<{
  type: string
  sender: UserId
  stateKey?: string
  content?: JsonObject
  /** The previous events; the last event that was put in, unless given. */
  after?: readonly RoomEvent[]
  /** Chosen from the state before the event, unless given. */
  authEvents?: readonly RoomEvent[]
  ts?: number
  redacts?: EventId
  rejected?: boolean
  /** Replaces the made-up name. */
  id?: string
}>

export type Dag = Readonly<{
  rules: RoomVersionRules
  create: RoomEvent
  /** Puts an event in, whether or not the rules allow it. */
  add: (draft: Draft) => RoomEvent
  /** The event that `add` would make, without putting it in. */
  make: (draft: Draft) => RoomEvent
  /** What the rules say to an event against the state before it. */
  check: (event: RoomEvent) => Verdict
  event: (id: EventId) => RoomEvent | undefined
  /** All events, oldest first; an event stands after its auth events. */
  events: readonly RoomEvent[]
  stateBefore: (previous: readonly RoomEvent[]) => ReadonlyMap<StateKey, EventId>
  stateAfter: (event: RoomEvent) => ReadonlyMap<StateKey, EventId>
  lookup: (state: ReadonlyMap<StateKey, EventId>) => StateLookup
}>

export const rulesOf = (version: RoomVersion): RoomVersionRules => {
  const rules = roomVersionRules(version)
  if (rules === undefined) throw new Error(`no room version ${version}`)
  return rules
}

export const ROOM = '!room:a.example'
const START_TS = 1_700_000_000_000

/** A room that has its create event and nothing else. */
export function createDag(
  version: RoomVersion,
  creator: UserId = '@alice:a.example',
  extra: JsonObject = {},
): Dag {
  const rules = rulesOf(version)
  const events: RoomEvent[] = []
  const byId = new Map<EventId, RoomEvent>()
  const states = new Map<EventId, ReadonlyMap<StateKey, EventId>>()
  const event = (id: EventId) => byId.get(id)
  const create = createEvent(rules, creator, extra)

  const take = (made: RoomEvent, state: ReadonlyMap<StateKey, EventId>) => {
    events.push(made)
    byId.set(made.eventId, made)
    states.set(made.eventId, withEvent(state, made))
    return made
  }
  const stateAfter = (of: RoomEvent) => states.get(of.eventId) ?? new Map()
  const stateBefore = (previous: readonly RoomEvent[]) => {
    const [one, ...others] = previous.map(stateAfter)
    return others.length === 0 ? (one ?? new Map()) : resolveState(
      rules,
      [one ?? new Map(), ...others],
      event,
    )
  }
  const lookup = (state: ReadonlyMap<StateKey, EventId>) => lookupIn(state, event)
  const make = (draft: Draft): RoomEvent => {
    const previous = draft.after ?? events.slice(-1)
    const parts = { type: draft.type, sender: draft.sender, content: draft.content ?? {} }
    const keyed = draft.stateKey === undefined ? parts : { ...parts, state_key: draft.stateKey }
    const cited = draft.authEvents ?? selectAuthEvents(rules, keyed, lookup(stateBefore(previous)))
    return seal({ rules, roomId: create.roomId, serial: events.length }, draft, keyed, previous, cited)
  }
  take(create, new Map())
  return {
    rules,
    create,
    add: (draft) => {
      const made = make(draft)
      return take(made, stateBefore(draft.after ?? events.slice(-1)))
    },
    make,
    check: (made) => {
      const previous = idsOf(made.pdu.prev_events).map(event).filter((found) => found !== undefined)
      const cited = idsOf(made.pdu.auth_events).map(event).filter((found) => found !== undefined)
      const list = checkAuthEventList(rules, made, cited, create)
      return list.ok ? checkEventAuth(rules, made, lookup(stateBefore(previous))) : list
    },
    event,
    events,
    stateBefore,
    stateAfter,
    lookup,
  }
}

export const lookupIn =
  (state: ReadonlyMap<StateKey, EventId>, event: (id: EventId) => RoomEvent | undefined): StateLookup =>
  (type, stateKey) => {
    const id = state.get(stateKeyOf(type, stateKey))
    return id === undefined ? undefined : event(id)
  }

type State = ReadonlyMap<StateKey, EventId>

const withEvent = (state: State, { pdu, eventId }: RoomEvent): State =>
  pdu.state_key === undefined ? state : new Map(state).set(stateKeyOf(pdu.type, pdu.state_key), eventId)

const idsOf = (references: readonly EventReference[]): EventId[] =>
  references.map((reference) => (typeof reference === 'string' ? reference : reference[0]))

const nameOf = (rules: RoomVersionRules, name: string, sender: UserId): EventId =>
  rules.eventIdFormat === 'domain' ? `$${name}:${serverNameOf(sender)}` : `$${name}`

const referTo = (rules: RoomVersionRules, cited: readonly RoomEvent[]): EventReference[] =>
  cited.map(({ eventId }) => (rules.references === 'pairs' ? [eventId, { sha256: 'made-up' }] : eventId))

function createEvent(rules: RoomVersionRules, creator: UserId, extra: JsonObject): RoomEvent {
  const eventId = nameOf(rules, 'create', creator)
  const isNamedByHash = rules.roomIdFormat === 'create-event-hash'
  const roomId: RoomId = isNamedByHash ? `!${eventId.slice(1)}` : ROOM
  const pdu: Pdu = {
    type: 'm.room.create',
    ...(isNamedByHash ? {} : { room_id: roomId }),
    ...(rules.references === 'pairs' ? { event_id: eventId } : {}),
    sender: creator,
    state_key: '',
    content: { room_version: rules.version, ...(rules.creator === 'content' ? { creator } : {}), ...extra },
    origin_server_ts: START_TS,
    depth: 1,
    prev_events: [],
    auth_events: [],
  }
  return { eventId, roomId, pdu }
}

function seal(
  { rules, roomId, serial }: Readonly<{ rules: RoomVersionRules; roomId: RoomId; serial: number }>,
  { sender, ts, redacts, rejected, id }: Draft,
  parts: Pick<Pdu, 'type' | 'sender' | 'content' | 'state_key'>,
  previous: readonly RoomEvent[],
  cited: readonly RoomEvent[],
): RoomEvent {
  const eventId = nameOf(rules, id ?? `e${serial}`, sender)
  const pdu: Pdu = {
    ...parts,
    room_id: roomId,
    ...(rules.references === 'pairs' ? { event_id: eventId } : {}),
    ...(redacts === undefined ? {} : { redacts }),
    origin_server_ts: ts ?? START_TS + serial * 1000,
    depth: 1 + Math.max(0, ...previous.map((event) => event.pdu.depth)),
    prev_events: referTo(rules, previous),
    auth_events: referTo(rules, cited),
  }
  return { eventId, roomId, pdu, ...(rejected ? { rejected } : {}) }
}

/** Shorthand for the state that nearly every room has. */
export const joinOf = (user: UserId, content: JsonObject = {}): Draft => memberOf('join', user, user, content)

export const memberOf = (
  membership: string,
  sender: UserId,
  target: string,
  content: JsonObject = {},
): Draft => ({
  type: 'm.room.member',
  sender,
  stateKey: target,
  content: { membership, ...content },
})

export const joinRuleBy = (sender: UserId, rule: string): Draft => ({
  type: 'm.room.join_rules',
  sender,
  stateKey: '',
  content: { join_rule: rule },
})

export const powerLevelsBy = (sender: UserId, content: JsonObject): Draft => ({
  type: 'm.room.power_levels',
  sender,
  stateKey: '',
  content,
})

export const topicBy = (sender: UserId, topic: string): Draft => ({
  type: 'm.room.topic',
  sender,
  stateKey: '',
  content: { topic },
})

export const messageBy = (sender: UserId): Draft => ({
  type: 'm.room.message',
  sender,
  content: { msgtype: 'm.text', body: 'hello' },
})

export type Furnishing = Readonly<{
  joinRule?: string
  /** The power levels content; without it alice has 100 (before version 12), bob 50 and everyone else 0. */
  levels?: JsonObject | 'none'
  /** Memberships besides that of alice, who created the room and is joined. They are put in unchecked. */
  members?: Readonly<Record<UserId, string>>
  /** More content of the create event. */
  create?: JsonObject
  /** More state, by alice, put in unchecked. */
  state?: readonly Draft[]
}>

/** A room by alice of a.example with her join, power levels, join rules and the given members. */
export function furnishedRoom(version: RoomVersion, furnishing: Furnishing = {}): Dag {
  const alice: UserId = '@alice:a.example'
  const dag = createDag(version, alice, furnishing.create)
  const creatorLevel = dag.rules.privilegedCreators ? {} : { [alice]: 100 }
  dag.add(joinOf(alice))
  const levels = furnishing.levels ?? { users: { ...creatorLevel, '@bob:a.example': 50 } }
  if (levels !== 'none') dag.add(powerLevelsBy(alice, levels))
  if (furnishing.joinRule !== undefined) dag.add(joinRuleBy(alice, furnishing.joinRule))
  for (const [user, membership] of Object.entries(furnishing.members ?? {})) {
    const isOwnDoing = membership === 'join' || membership === 'knock'
    dag.add(memberOf(membership, isOwnDoing ? userIdOf(user) : alice, user))
  }
  for (const draft of furnishing.state ?? []) dag.add(draft)
  return dag
}

const userIdOf = (text: string): UserId => text as UserId

export const ALL_VERSIONS = KNOWN_ROOM_VERSIONS

export const versions = (from: number, to: number): RoomVersion[] => ALL_VERSIONS.slice(from - 1, to)

/** The name of the rule that denies, or `allow`. */
export const outcome = (verdict: Verdict): string => (verdict.ok ? 'allow' : verdict.rule)
