import type { ClientEvent } from '#core/sync/client-event.ts'
import type { TimelineToken } from '#core/sync/token.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import type { Store } from './store.ts'

/** An event was added to a thread. */
export function addToThread({ db }: Store, { root, room, depth, num }: Readonly<{ root: number; room: number; depth: number; num: number }>): void {
  db.query(`
    INSERT INTO threads (root, room, count, depth, latest) VALUES (?1, ?2, 1, ?3, ?4)
    ON CONFLICT (root) DO UPDATE SET count = count + 1,
      (depth, latest) = (SELECT max(depth, ?3), CASE WHEN (?3, ?4) > (depth, latest) THEN ?4 ELSE latest END)
  `).run(root, room, depth, num)
}

/** An event of a thread was redacted; a thread without any is none. */
export function recountThread({ db, names }: Store, root: number): void {
  const relType = names.find('m.thread') ?? -1
  const latest = db
    .query<{ child: number; depth: number }, [number, number]>(
      'SELECT child, depth FROM relations INDEXED BY relations_by_parent WHERE parent = ? AND rel_type = ? ORDER BY depth DESC, child DESC LIMIT 1',
    )
    .get(root, relType)
  if (!latest) return void db.query('DELETE FROM threads WHERE root = ?').run(root)
  db.query('UPDATE threads SET count = count - 1, depth = ?, latest = ? WHERE root = ?').run(latest.depth, latest.child, root)
}

export type Thread = Readonly<{ root: ClientEvent; count: number; latest: TimelineToken }>

type ThreadRow = ClientEventRow & { thread_count: number; thread_depth: number; latest: number }

/**
 * The threads of a room whose latest event stands before `before`, that with the newest first. `participant`: only those
 * that this user has begun or added to.
 */
export function listThreads(
  store: Store,
  { roomId, before, participant, limit }: Readonly<{
    roomId: RoomId
    before: TimelineToken
    participant?: UserId | undefined
    limit: number
  }>,
): Thread[] {
  const { db, names } = store
  const [room, relType] = [names.find(roomId), names.find('m.thread')]
  if (room === undefined || relType === undefined) return []
  const user = participant === undefined ? null : (names.find(participant) ?? -1)
  return db
    .query<ThreadRow, [number, number, number, number | null, number, number]>(`
      SELECT ${CLIENT_EVENT}, t.count AS thread_count, t.depth AS thread_depth, t.latest FROM threads t JOIN events e ON e.num = t.root
       WHERE t.room = ?1 AND (t.depth, t.latest) < (?2, ?3) AND (?4 IS NULL OR e.sender = ?4 OR EXISTS (
         SELECT 1 FROM relations r INDEXED BY relations_by_sender WHERE r.parent = t.root AND r.rel_type = ?5 AND r.sender = ?4))
       ORDER BY t.depth DESC, t.latest DESC LIMIT ?6`)
    .all(room, before.depth, before.num, user, relType, limit)
    .map((row) => ({ root: clientEventOf(store, row), count: row.thread_count, latest: { depth: row.thread_depth, num: row.latest } }))
}

export type ThreadSummary = Readonly<{ count: number; latest: number }>

/** The thread of a root, as the table has it. */
export const findThread = ({ db }: Store, root: number): ThreadSummary | undefined =>
  db.query<ThreadSummary, [number]>('SELECT count, latest FROM threads WHERE root = ?').get(root) ?? undefined

/** Whether a user has added to a thread. */
export const hasAddedToThread = ({ db, names }: Store, root: number, userId: UserId): boolean =>
  db
    .query<{ child: number }, [number, number, number]>('SELECT child FROM relations INDEXED BY relations_by_sender WHERE parent = ? AND rel_type = ? AND sender = ? LIMIT 1')
    .get(root, names.find('m.thread') ?? -1, names.find(userId) ?? -1) !== null

/** Latest events that are looked at for one that a reader may see. */
const CANDIDATES = 20

type Seen = Readonly<{ root: number; until: number; ignored: ReadonlySet<string> }>

const OF_THREAD = `
  r.parent = ?1 AND r.rel_type = ?2 AND r.child <= ?3 AND r.sender NOT IN (SELECT value FROM json_each(?4))`

const seenBy = ({ names }: Store, { root, until, ignored }: Seen): [number, number, number, string] => [
  root,
  names.find('m.thread') ?? -1,
  Math.min(until, Number.MAX_SAFE_INTEGER),
  JSON.stringify([...ignored].map((userId) => names.find(userId) ?? -1)),
]

/** The newest events of a thread without those of ignored users and those after `until`. */
export const listLatestInThread = (store: Store, seen: Seen): ClientEvent[] =>
  store.db
    .query<ClientEventRow, [number, number, number, string]>(`
      SELECT ${CLIENT_EVENT} FROM relations r INDEXED BY relations_by_parent JOIN events e ON e.num = r.child WHERE ${OF_THREAD}
       ORDER BY r.depth DESC, r.child DESC LIMIT ${CANDIDATES}`)
    .all(...seenBy(store, seen))
    .map((row) => clientEventOf(store, row))

export const countInThread = (store: Store, seen: Seen): number =>
  store.db
    .query<{ total: number }, [number, number, number, string]>(`SELECT count(*) AS total FROM relations r INDEXED BY relations_by_sender WHERE ${OF_THREAD}`)
    .get(...seenBy(store, seen))?.total ?? 0
