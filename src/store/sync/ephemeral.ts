import type { RoomId } from '#schema/identifiers.ts'
import { matchesEventFilter, NO_EVENT_FILTER } from '#core/sync/filter.ts'
import { type EventKey, eventIdOfKey } from '#store/events.ts'
import { UNTHREADED } from '#store/receipts.ts'
import type { Reading } from './reading.ts'

type ReceiptRow = { name: string; type: string; thread: string; event_id: EventKey; ts: number }

/** Typing and receipts of one room that are new to the reader, as JSON texts. */
export function readEphemeral(reading: Reading, roomId: RoomId, since: number): string[] {
  const { filter } = reading
  const wants = (type: string): boolean =>
    filter.room.ephemeral === NO_EVENT_FILTER || matchesEventFilter(filter.room.ephemeral, { type, roomId })
  const typing = wants('m.typing') ? reading.typingIn(roomId) : undefined
  const mayHaveReceipts = since < reading.since || reading.mayHaveMoved(roomId, 'receipts')
  const receipts = mayHaveReceipts && wants('m.receipt') ? readReceipts(reading, roomId, since) : undefined
  return [
    ...(typing ? [JSON.stringify({ type: 'm.typing', content: { user_ids: typing } })] : []),
    ...(receipts ? [receipts] : []),
  ]
}

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
       WHERE r.room = +?1 AND r.position > +?2 AND r.position <= +?3 AND (r.type <> 'm.read.private' OR r.user = +?4)`)
    .all(store.names.find(roomId) ?? -1, since, until, store.names.find(userId) ?? -1)
    .filter(({ name }) => !ignored.has(name))
  if (rows.length === 0) return undefined
  const content: Record<string, Record<string, Record<string, object>>> = {}
  for (const { name, type, thread, event_id, ts } of rows) {
    const byType = (content[eventIdOfKey(event_id)] ??= {})
    const byUser = (byType[type] ??= {})
    byUser[name] = thread === UNTHREADED ? { ts } : { ts, thread_id: thread }
  }
  return JSON.stringify({ type: 'm.receipt', content })
}
