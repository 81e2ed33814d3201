import type { WorldTurn } from '#actors/world.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { contentSpan } from '#core/content-span.ts'
import { checkEventAuth } from '#core/event-auth/check.ts'
import { selectAuthEvents } from '#core/event-auth/select.ts'
import { referenceHash } from '#core/event-id.ts'
import { type EventReference, type JsonObject, type Pdu, referencedIds, type RoomEvent } from '#schema/pdu.ts'
import { type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'
import { redactionTarget } from '#core/redaction.ts'
import { sealEvent } from '#core/seal-event.ts'
import { type StateLookup, stateKeyOf } from '#core/state-key.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import type { DelayedEventFact } from '#schema/journal/delayed-event.ts'
import type { EventAppended, RoomFact } from '#schema/journal/room.ts'
import { forbidden, notInRoom } from '#schema/matrix-error.ts'
import { eventOf, remember, type Room, type RoomApply, setMembership, stateOf, type Membership } from './memory.ts'
import { noteAnnotation } from './relations.ts'

/** Prev events that an event of ours names; a room with more loose ends ties the newest first (G-39). */
export const MAX_PREV_EVENTS = 10

/** What someone here wants to say; the room adds the rest. */
export type NewEvent = Readonly<{
  type: string
  sender: UserId
  content: JsonObject
  stateKey?: string
  /** Before room version 11 the target of a redaction stands outside the content. */
  redacts?: EventId
  /** Milliseconds; only application services choose their own. */
  ts?: number
  /** For so many milliseconds the event stands out in sync (MSC4354). */
  stickyMs?: number
  transaction?: EventAppended['transaction']
}>

/**
 * Events that one turn adds, one on top of the other: the memory is only read, and becomes what the draft foresaw
 * when the facts are applied.
 */
export type Draft = {
  readonly room: Room
  readonly turn: WorldTurn
  readonly rules: RoomVersionRules
  readonly state: StateLookup
  readonly changed: Map<string, RoomEvent>
  extremities: readonly EventId[]
  depth: number
  readonly facts: RoomFact[]
}

/** Throws `M_FORBIDDEN` when the room does not exist here: nobody learns from that whether it does elsewhere. */
export function draftOf(room: Room, turn: WorldTurn, rules = room.rules): Draft {
  if (!rules) throw notInRoom()
  const changed = new Map<string, RoomEvent>()
  const known = stateOf(room, turn)
  return {
    room,
    turn,
    rules,
    changed,
    state: (type, stateKey) => changed.get(stateKeyOf(type, stateKey)) ?? known(type, stateKey),
    extremities: room.extremities,
    depth: room.depth,
    facts: [],
  }
}

/**
 * Builds, checks, signs and names an event and adds it to the draft. Throws `M_FORBIDDEN` with the reason when the
 * auth rules say no, `M_TOO_LARGE` or `M_BAD_JSON` when the event cannot exist.
 */
export function append(draft: Draft, wanted: NewEvent): RoomEvent {
  const { rules, turn, room } = draft
  const pdu = describe(draft, wanted)
  // Only where ids are of the sender's choice do the auth rules look at them, and there it is known already.
  const verdict = checkEventAuth(rules, { eventId: pdu.event_id ?? '$unsealed', roomId: room.roomId, pdu }, draft.state)
  if (!verdict.ok) throw forbidden(verdict.why)
  const { event, json } = sealEvent(rules, pdu, turn.serverName, turn.signingKey)
  const [contentStart, contentEnd] = contentSpan(event.pdu, json)
  const { transaction } = wanted
  draft.facts.push({
    kind: 'eventAppended',
    roomId: room.roomId,
    eventId: event.eventId,
    pdu: event.pdu,
    json,
    contentStart,
    contentEnd,
    ...(transaction ? { transaction } : {}),
  })
  if (wanted.stateKey !== undefined) {
    draft.changed.set(stateKeyOf(wanted.type, wanted.stateKey), event)
    draft.facts.push(...overtakenBy(room, event))
  }
  draft.extremities = [event.eventId]
  draft.depth = pdu.depth
  return event
}

/** State that someone sets calls off what others had scheduled for the same place (MSC4140). */
function overtakenBy({ delayed, roomId }: Room, { pdu }: RoomEvent): DelayedEventFact[] {
  return [...delayed]
    .filter(([, { type, stateKey, userId }]) => type === pdu.type && stateKey === pdu.state_key && userId !== pdu.sender)
    .map(([delayId]) => ({ kind: 'delayedEventEnded', roomId, delayId, outcome: 'cancelled' }))
}

function describe(draft: Draft, { type, sender, content, stateKey, redacts, ts, stickyMs }: NewEvent): Pdu {
  const { rules, room, turn, state } = draft
  const depth = Math.min(draft.depth + 1, Number.MAX_SAFE_INTEGER)
  const isRoomId = type === 'm.room.create' && rules.roomIdFormat === 'create-event-hash'
  const base = {
    type,
    sender,
    content,
    depth,
    origin_server_ts: ts ?? turn.now,
    prev_events: referencesTo(draft, draft.extremities.slice(-MAX_PREV_EVENTS)),
    ...(isRoomId ? {} : { room_id: room.roomId }),
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
    ...(redacts === undefined ? {} : { redacts }),
    ...(stickyMs === undefined ? {} : { msc4354_sticky: { duration_ms: stickyMs } }),
    ...(rules.eventIdFormat === 'domain' ? { event_id: opaqueId(draft) } : {}),
  }
  const authEvents = selectAuthEvents(rules, base, state).map(({ eventId }) => eventId)
  return { ...base, auth_events: referencesTo(draft, authEvents) }
}

/** Room versions 1 and 2 have ids of the sender's choice: fresh, and unlike within one turn. */
const opaqueId = ({ turn, facts }: Draft): EventId => `$${turn.nonce.slice(0, 18)}${facts.length}:${turn.serverName}`

function referencesTo(draft: Draft, eventIds: readonly EventId[]): EventReference[] {
  const { rules } = draft
  if (rules.references === 'ids') return [...eventIds]
  return eventIds.map((eventId) => {
    const event = eventInDraft(draft, eventId)
    const hash = event ? { sha256: referenceHash(rules, event.pdu).toBase64({ omitPadding: true }) } : {}
    return [eventId, hash] as const
  })
}

function eventInDraft({ facts, room, turn }: Draft, eventId: EventId): RoomEvent | undefined {
  const fresh = facts.find((fact) => fact.kind === 'eventAppended' && fact.eventId === eventId)
  return fresh?.kind === 'eventAppended' ? fresh : eventOf(room, turn, eventId)
}

/** The state event with the same sender and content that is in force already, so that nothing needs to be said (G-74). */
export function unchanged(draft: Draft, type: string, stateKey: string, sender: UserId, content: JsonObject): RoomEvent | undefined {
  const current = draft.state(type, stateKey)
  const isSame = current?.pdu.sender === sender && canonicalJson(current.pdu.content) === canonicalJson(content)
  return isSame ? current : undefined
}

/** The request that an event came from: by its transaction id and its path within the room. */
export const requestKey = (
  { userId, deviceId, txnId }: NonNullable<EventAppended['transaction']>,
  { type, redacts }: Readonly<{ type: string; redacts?: EventId | undefined }>,
): string => `${userId} ${deviceId} ${txnId} ${redacts ?? ''} ${type}`

export const apply = {
  eventAppended(room, { eventId, pdu, transaction }, position, written) {
    const at = { position, written }
    if (pdu.type === 'm.room.create' && pdu.state_key === '') room.rules = rulesOf(pdu)
    const named = new Set(referencedIds(pdu.prev_events))
    room.extremities = [...room.extremities.filter((id) => !named.has(id)), eventId]
    room.depth = Math.max(room.depth, pdu.depth)
    noteAnnotation(room, eventId, pdu, at)
    if (transaction) remember(room.transactions, requestKey(transaction, { type: pdu.type, redacts: redactionTarget(pdu) }), eventId, at)
    if (pdu.state_key === undefined) return
    room.state.set(stateKeyOf(pdu.type, pdu.state_key), eventId)
    if (pdu.type !== 'm.room.member') return
    setMembership(room, pdu.state_key as UserId, pdu.content.membership as Membership)
    if (pdu.content.membership !== 'join') room.typing.delete(pdu.state_key as UserId)
  },
} satisfies RoomApply<EventAppended>

const rulesOf = ({ content }: Pdu): RoomVersionRules | undefined =>
  roomVersionRules(typeof content.room_version === 'string' ? content.room_version : '1')
