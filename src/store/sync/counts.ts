import type { RoomId } from '#schema/identifiers.ts'
import { type UnreadCount, unreadCounts } from '#store/unread.ts'
import type { Reading } from './reading.ts'

const print = ({ notify, highlight }: UnreadCount): string => `{"highlight_count":${highlight},"notification_count":${notify}}`

/**
 * What the reader has not read in a room, as members of its object; threads on their own where the filter asks for it.
 * spec: client-server-api#receiving-notifications
 */
export function readCounts({ store, userId, filter }: Reading, roomId: RoomId): string {
  const perThread = filter.room.timeline.unreadThreadNotifications
  const { threads, ...room } = unreadCounts(store, userId, roomId, { perThread })
  const whole = `"unread_notifications":${print(room)}`
  if (!perThread) return whole
  const byThread = `{${[...threads].map(([thread, count]) => `${JSON.stringify(thread)}:${print(count)}`).join(',')}}`
  return `${whole},"unread_thread_notifications":${byThread},"org.matrix.msc3773.unread_thread_notifications":${byThread}`
}
