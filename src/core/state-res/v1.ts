import { checkEventAuth } from '#core/event-auth/check.ts'
import { sha1Hex } from '#core/digest.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { type StateKey, type StateLookup, splitStateKey, stateKeyOf } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { StateConflict } from './conflict.ts'

/**
 * The types that later rules look at, in the order in which they are settled; everything else comes after.
 */
const SETTLED_FIRST = ['m.room.power_levels', 'm.room.join_rules', 'm.room.member']

/**
 * State resolution of room version 1. Answers the conflicted keys only.
 *
 * Where the spec is short, this does what the servers do that made these rooms: each state key of a type is
 * settled by itself, none of them seeing what another of its type came to; and when no event at a key passes,
 * the one that would have been tried last is taken.
 * spec: rooms/v1#state-resolution
 */
export function resolveV1(
  rules: RoomVersionRules,
  conflict: Pick<StateConflict, 'conflicted' | 'unconflicted' | 'event'>,
): Map<StateKey, EventId> {
  const candidates = candidatesByKey(conflict)
  const resolved = new Map<StateKey, RoomEvent>()
  const settle = (keys: readonly StateKey[], choose: typeof lastOfUnbrokenRow) => {
    const chosen = keys.map((key) => [key, choose(rules, candidates.get(key) ?? [], state)] as const)
    for (const [key, event] of chosen) if (event !== undefined) resolved.set(key, event)
  }
  const state: StateLookup = (type, stateKey) => {
    const key = stateKeyOf(type, stateKey)
    const shared = resolved.has(key) ? undefined : conflict.unconflicted(key)
    return shared === undefined ? resolved.get(key) : conflict.event(shared)
  }

  // A key where one event alone is left is not in conflict.
  const keys = [...candidates.keys()]
  const isOpen = (key: StateKey) => !resolved.has(key)
  settle(keys.filter((key) => candidates.get(key)?.length === 1), theOnlyOne)
  for (const type of SETTLED_FIRST) {
    settle(keys.filter((key) => isOpen(key) && splitStateKey(key)[0] === type), lastOfUnbrokenRow)
  }
  settle(keys.filter(isOpen), firstAllowed)
  return new Map([...resolved].map(([key, event]) => [key, event.eventId]))
}

const theOnlyOne: typeof lastOfUnbrokenRow = (_rules, [only]) => only

/** The known, distinct events at each key, by falling depth, then rising SHA-1 of the event id. */
function candidatesByKey({
  conflicted,
  event,
}: Pick<StateConflict, 'conflicted' | 'event'>): Map<StateKey, readonly RoomEvent[]> {
  const byKey = new Map<StateKey, readonly RoomEvent[]>()
  for (const [key, ids] of conflicted) {
    const distinct = [...new Set(ids)].filter((id) => id !== undefined)
    const ranked = distinct
      .map(event)
      .filter((found) => found !== undefined)
      .map((found) => ({ found, hash: sha1Hex(found.eventId) }))
      .sort((one, other) => other.found.pdu.depth - one.found.pdu.depth || (one.hash < other.hash ? -1 : 1))
    byKey.set(key, ranked.map(({ found }) => found))
  }
  return byKey
}

/**
 * For types that the rules look at. From the lowest depth up, the first event stands, and each next one
 * replaces it if it is allowed where it stood; the first that is not ends the row.
 */
function lastOfUnbrokenRow(
  rules: RoomVersionRules,
  candidates: readonly RoomEvent[],
  state: StateLookup,
): RoomEvent | undefined {
  const [first, ...others] = candidates.toReversed()
  let standing = first
  for (const next of others) {
    const { type: ownType, state_key: ownKey } = next.pdu
    const so: StateLookup = (type, key) => (type === ownType && key === ownKey ? standing : state(type, key))
    if (!checkEventAuth(rules, next, so).ok) break
    standing = next
  }
  return standing
}

/** For all other types: of the highest depth that is allowed, or the last if none is. */
const firstAllowed = (
  rules: RoomVersionRules,
  candidates: readonly RoomEvent[],
  state: StateLookup,
): RoomEvent | undefined =>
  candidates.find((candidate) => checkEventAuth(rules, candidate, state).ok) ?? candidates.at(-1)
