import type { RoomId, UserId } from '#schema/identifiers.ts'
import { matchesEventFilter, NO_EVENT_FILTER } from '#core/sync/filter.ts'
import { type EventKey, eventIdOfKey } from '#store/events.ts'
import { UNTHREADED } from '#store/receipts.ts'
import type { Store } from '#store/store.ts'
import type { Reading } from './reading.ts'

export type ReceiptRow = { name: string; type: string; thread: string; event_id: EventKey; ts: number }

/** Typing and receipts of one room that are new to the reader, as JSON texts. */
export function readEphemeral(reading: Reading, roomId: RoomId, since: number): string[] {
  const { filter } = reading
  const wants = (type: string): boolean =>
    filter.room.ephemeral === NO_EVENT_FILTER || matchesEventFilter(filter.room.ephemeral, { type, roomId })
  const typing = wants('m.typing') ? reading.typingIn(roomId, since < reading.since) : undefined
  const mayHaveReceipts = since < reading.since || reading.mayHaveMoved(roomId, 'receipts')
  const receipts = mayHaveReceipts && wants('m.receipt') ? readReceipts(reading, roomId, since) : undefined
  return [
    ...(typing ? [JSON.stringify({ type: 'm.typing', content: { user_ids: typing } })] : []),
    ...(receipts ? [receipts] : []),
  ]
}

/** Whether a user has read on in a room after `since`: their counts have then changed. */
export const hasReadBetween = ({ db, names }: Store, { roomId, userId, since, until }: Readonly<{ roomId: RoomId; userId: UserId; since: number; until: number }>): boolean =>
  db
    .query('SELECT 1 FROM receipts WHERE room = ? AND user = ? AND position > ? AND position <= ? LIMIT 1')
    .get(names.find(roomId) ?? -1, names.find(userId) ?? -1, since, until) !== null

/** Private receipts are their owner's alone. spec: client-server-api#receipts */
export function readReceipts(
  { store, userId, until, ignored }: Pick<Reading, 'store' | 'userId' | 'until' | 'ignored'>,
  roomId: RoomId,
  since: number,
): string | undefined {
  const rows = store.db
    .query<ReceiptRow, [number, number, number, number]>(`
      SELECT n.name, r.type, r.thread, e.event_id, r.ts
        FROM receipts r JOIN names n ON n.num = r.user JOIN events e ON e.num = r.event
       WHERE r.room = ?1 AND r.position > ?2 AND r.position <= ?3 AND (r.type <> 'm.read.private' OR r.user = ?4)`)
    .all(store.names.find(roomId) ?? -1, since, until, store.names.find(userId) ?? -1)
    .filter(({ name }) => !ignored.has(name))
  return rows.length === 0 ? undefined : printReceipts(rows)
}

/** The event `m.receipt` as JSON text. spec: client-server-api#mreceipt */
export function printReceipts(rows: readonly ReceiptRow[]): string {
  const content: Record<string, Record<string, Record<string, object>>> = {}
  for (const { name, type, thread, event_id, ts } of rows) {
    const byType = (content[eventIdOfKey(event_id)] ??= {})
    const byUser = (byType[type] ??= {})
    // There is room for one receipt of a user on an event: the one over all threads says more (MSC4102).
    if (thread === UNTHREADED) byUser[name] = { ts }
    else byUser[name] ??= { ts, thread_id: thread }
  }
  return JSON.stringify({ type: 'm.receipt', content })
}
