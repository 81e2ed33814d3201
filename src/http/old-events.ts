import { type ShownPresence, presenceContent } from '#core/presence-board.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import type { Homeserver } from '#homeserver'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { AccountDataRow } from '#store/account-data.ts'
import { findMembership } from '#store/memberships.ts'
import { readReceipts } from '#store/sync/ephemeral.ts'
import { NEVER_SEEN } from './presence.ts'
import type { RoomReader } from './room-reader.ts'

// Clients from before /sync read events in an older form: some of what stands in `unsigned` they look for outside.

type Shown = Readonly<{ sender: UserId; unsigned: Readonly<Record<string, unknown>> }>

const COPIED = ['age', 'prev_content', 'replaces_state', 'redacted_because'] as const

/** An event in the form that was before. */
export function printOldEvent({ print }: Pick<RoomReader, 'print'>, event: ClientEvent): object {
  const shown = JSON.parse(print(event)) as Shown
  const copies = COPIED.flatMap((key) => (key in shown.unsigned ? [[key, shown.unsigned[key]] as const] : []))
  return { ...shown, user_id: shown.sender, ...Object.fromEntries(copies) }
}

/** Receipts of one room that moved after `since`. */
export function oldReceipts({ store }: Homeserver, { userId, ignored }: RoomReader, roomId: RoomId, since: number, until: number): object[] {
  const receipts = readReceipts({ store, userId, until, ignored: ignored() }, roomId, since)
  return receipts === undefined ? [] : [{ ...(JSON.parse(receipts) as object), room_id: roomId }]
}

export const oldAccountData = (rows: readonly AccountDataRow[]): object[] =>
  rows.map(({ type, json, roomId }) => ({ type, content: JSON.parse(json ?? '{}') as object, ...(roomId === null ? {} : { room_id: roomId }) }))

/** How long ago somebody may have done something who still counts as active: as long as it takes to become idle. */
const ACTIVE_FOR_MS = 5 * 60_000
/** Of more users than this on the board, those whose presence changed last are told. */
const PRESENCE_LIMIT = 1_000

const printPresence = (userId: UserId, shown: ShownPresence, now: number): object =>
  ({ type: 'm.presence', sender: userId, content: { user_id: userId, ...presenceContent(shown, now, ACTIVE_FOR_MS) } })

export const oldPresence = ({ notifier, clock }: Homeserver, users: readonly UserId[]): object[] =>
  users.map((userId) => printPresence(userId, notifier.presence.find(userId) ?? NEVER_SEEN, clock.now()))

/** Whose presence a user is told: their own and that of everyone who shares a room with them. */
export function usersInSight({ notifier }: Homeserver, userId: UserId, changedSince?: number): UserId[] {
  const watch = notifier.watch(userId)
  const users = changedSince === undefined ? notifier.presence.newest(PRESENCE_LIMIT) : notifier.presence.changedSince(changedSince).slice(0, PRESENCE_LIMIT)
  return users.filter((other) => other === userId || notifier.sharesRoom(watch, other, new Set()))
}

/** Those who are in a room and whose presence has changed. */
export const usersInRoom = ({ notifier, store }: Homeserver, roomId: RoomId, changedSince: number): UserId[] =>
  notifier.presence.changedSince(changedSince).slice(0, PRESENCE_LIMIT).filter((userId) => findMembership(store, roomId, userId)?.membership === 'join')
