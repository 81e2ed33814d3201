import type { JsonObject } from '#schema/pdu.ts'
import { threadOf, type ThreadId } from '#core/threads.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { eventKeyOf, type EventKey } from './events.ts'
import type { Store } from './store.ts'

/** The main timeline among the numbers of threads; the others are the names of their roots' ids. */
export const MAIN_THREAD = 0

export const threadNumber = ({ names }: Store, thread: string): number => (thread === 'main' ? MAIN_THREAD : names.numberOf(thread))

type Row = { json: string; content_start: number; content_end: number; room: number; redacted_by: number | null }

const CONTENT = 'SELECT json, content_start, content_end, room, redacted_by FROM events WHERE event_id = ?'

/** The thread that an event of this content belongs to. `doubt` is called when something on the way there is gone. */
export function threadIn({ db, names }: Store, roomId: RoomId, content: JsonObject, doubt: () => void = () => {}): ThreadId {
  const room = names.find(roomId)
  return threadOf(content, (eventId) => {
    const row = db.query<Row, [EventKey]>(CONTENT).get(eventKeyOf(eventId))
    if (!row || row.redacted_by !== null) doubt()
    return row && row.room === room ? parseContent(row) : undefined
  })
}

export const parseContent = ({ json, content_start, content_end }: Pick<Row, 'json' | 'content_start' | 'content_end'>): JsonObject =>
  JSON.parse(json.slice(content_start, content_end)) as JsonObject
