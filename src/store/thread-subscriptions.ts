import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { ThreadSubscribed, ThreadUnsubscribed } from '#schema/journal/thread-subscriptions.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Table `thread_subscriptions`: the newest word of each user on each thread. */
const write = ({ db, names }: Store, { userId, roomId, rootId }: ThreadUnsubscribed | ThreadSubscribed, word: [number, number, number]): void =>
  void db
    .query('INSERT OR REPLACE INTO thread_subscriptions (user, room, root, is_subscribed, is_automatic, position) VALUES (?, ?, ?, ?, ?, ?)')
    .run(names.numberOf(userId), names.numberOf(roomId), rootId, ...word)

export const projectThreadSubscribed: Project<ThreadSubscribed> = (store, fact, position) =>
  write(store, fact, [1, Number(fact.isAutomatic), position])

export const projectThreadUnsubscribed: Project<ThreadUnsubscribed> = (store, fact, position) => write(store, fact, [0, 0, position])

/** For projectors: the account is gone. */
export const deleteThreadSubscriptionsOf = ({ db, names }: Store, userId: UserId): void =>
  void db.query('DELETE FROM thread_subscriptions WHERE user = ?').run(names.numberOf(userId))

export type ThreadSubscription = Readonly<{ roomId: RoomId; rootId: EventId; isSubscribed: boolean; isAutomatic: boolean; position: number }>

type Row = { room: number; root: EventId; is_subscribed: number; is_automatic: number; position: number }

const fromRow = ({ names }: Store, { room, root, is_subscribed, is_automatic, position }: Row): ThreadSubscription => ({
  roomId: names.textOf(room) as RoomId,
  rootId: root,
  isSubscribed: is_subscribed === 1,
  isAutomatic: is_automatic === 1,
  position,
})

const COLUMNS = 'room, root, is_subscribed, is_automatic, position'

export function findThreadSubscription(store: Store, userId: UserId, roomId: RoomId, rootId: EventId): ThreadSubscription | undefined {
  const { db, names } = store
  const row = db
    .query<Row, [number, number, string]>(`SELECT ${COLUMNS} FROM thread_subscriptions WHERE user = ? AND room = ? AND root = ?`)
    .get(names.find(userId) ?? -1, names.find(roomId) ?? -1, rootId)
  return row ? fromRow(store, row) : undefined
}

export type ThreadSubscriptionsPage = Readonly<{
  /** Newest first. */
  changes: readonly ThreadSubscription[]
  /** There are more after `since`, up to and including this position. */
  more: number | undefined
}>

/** What a user has changed after `since`, up to and including `until`; the newest `limit` of it. */
export function listThreadSubscriptions(
  store: Store,
  { userId, since, until, limit }: { userId: UserId; since: number; until: number; limit: number },
): ThreadSubscriptionsPage {
  const rows = store.db
    .query<Row, [number, number, number, number]>(`
      SELECT ${COLUMNS} FROM thread_subscriptions WHERE user = ? AND position > ? AND position <= ? ORDER BY position DESC LIMIT ?`)
    .all(store.names.find(userId) ?? -1, since, until, limit + 1)
  return { changes: rows.slice(0, limit).map((row) => fromRow(store, row)), more: rows[limit]?.position }
}

/** `subscribed` and `unsubscribed` as members of a JSON object, without braces. spec: MSC4308 */
export function printThreadSubscriptions(changes: readonly ThreadSubscription[]): string {
  const [subscribed, unsubscribed] = [changes.filter((one) => one.isSubscribed), changes.filter((one) => !one.isSubscribed)]
  const members = [
    ...byRoom('subscribed', subscribed, ({ isAutomatic, position }) => ({ automatic: isAutomatic, bump_stamp: position })),
    ...byRoom('unsubscribed', unsubscribed, ({ position }) => ({ bump_stamp: position })),
  ]
  return members.join(',')
}

function byRoom(name: string, changes: readonly ThreadSubscription[], print: (change: ThreadSubscription) => object): string[] {
  if (changes.length === 0) return []
  const rooms = [...Map.groupBy(changes, ({ roomId }) => roomId)].map(([roomId, threads]) =>
    [roomId, Object.fromEntries(threads.map((thread) => [thread.rootId, print(thread)]))] as const)
  return [`"${name}":${JSON.stringify(Object.fromEntries(rooms))}`]
}
