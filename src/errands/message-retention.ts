import { roomAt } from '#actors/addresses.ts'
import type { Config } from '#config'
import { lifetimeOf, RETENTION_TYPES, type RetentionRules } from '#core/retention.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { listMessagesUntil } from '#store/expired-events.ts'
import { findStateEvent, listRoomsWithState } from '#store/room-state.ts'
import { listRoomIds } from '#store/rooms.ts'
import type { Store } from '#store/store.ts'
import { type Chore, type Given, type Letter, letter } from './letters.ts'

const MINUTE_MS = 60_000
/** Rooms that one round looks at, messages in one letter, and in all letters of a round; the next round goes on. */
export const ROOMS_PER_ROUND = 1_000
export const MESSAGES_PER_LETTER = 500
export const MESSAGES_PER_ROUND = 5_000
/** Messages may arrive late and be old already, so from time to time no room is taken for done. */
const FORGET_PROGRESS_MS = 24 * 60 * MINUTE_MS

/** `next` is the place in the list of rooms where the next round begins. */
type Progress = { begunTs: number; next: number; upTo: Map<RoomId, number> }

/**
 * Messages go when they are older than their room keeps them (MSC1763), at the next round that comes by their room. What
 * has been looked at is remembered, so that a round does not go through the old state of a room again.
 */
export function messageRetention(): Chore {
  let progress: Progress = { begunTs: -Infinity, next: 0, upTo: new Map() }
  return {
    everyMs: MINUTE_MS / 3,
    letters(given) {
      if (!given.config.retention.enabled) return []
      if (given.now - progress.begunTs > FORGET_PROGRESS_MS) progress = { begunTs: given.now, next: 0, upTo: new Map() }
      return expiredIn(given, progress)
    },
  }
}

function expiredIn({ store, config, now }: Given, progress: Progress): Letter[] {
  const { upTo } = progress
  const rules = rulesOf(config)
  const letters: Letter[] = []
  let left = MESSAGES_PER_ROUND
  for (const roomId of nextRooms(roomsWithPolicy(store, rules), progress)) {
    const lifetimeMs = lifetimeIn(store, rules, roomId)
    if (lifetimeMs === null) continue
    const until = now - lifetimeMs
    const since = upTo.get(roomId) ?? -1
    const found = listMessagesUntil(store, { roomId, since, until, limit: left })
    // Of those that were sent in the same millisecond as the last one there may be more.
    const done = found.length < left ? until : (found.at(-1)?.ts ?? until) - 1
    upTo.set(roomId, Math.max(since, done))
    letters.push(...lettersTo(roomId, found.map(({ eventId }) => eventId)))
    left -= found.length
    if (left === 0) break
  }
  return letters
}

function nextRooms(rooms: readonly RoomId[], progress: Progress): readonly RoomId[] {
  const from = progress.next < rooms.length ? progress.next : 0
  progress.next = from + ROOMS_PER_ROUND
  return rooms.slice(from, progress.next)
}

function* lettersTo(roomId: RoomId, eventIds: readonly EventId[]): Generator<Letter> {
  for (let at = 0; at < eventIds.length; at += MESSAGES_PER_LETTER)
    yield letter(roomAt(roomId), { kind: 'expireEvents', eventIds: eventIds.slice(at, at + MESSAGES_PER_LETTER) })
}

const rulesOf = ({ retention }: Config): RetentionRules => ({
  defaultMaxMs: retention.defaultPolicy.maxLifetime,
  allowedMinMs: retention.allowedLifetimeMin,
  allowedMaxMs: retention.allowedLifetimeMax,
})

/** Without a policy of the server only the rooms count that have one of their own. */
function roomsWithPolicy(store: Store, { defaultMaxMs }: RetentionRules): readonly RoomId[] {
  if (defaultMaxMs !== null) return listRoomIds(store)
  return [...new Set(RETENTION_TYPES.flatMap((type) => listRoomsWithState(store, type)))]
}

function lifetimeIn(store: Store, rules: RetentionRules, roomId: RoomId): number | null {
  const said = RETENTION_TYPES.map((type) => findStateEvent(store, roomId, type, '')?.pdu.content)
  return lifetimeOf(rules, said.find((content) => content !== undefined))
}
