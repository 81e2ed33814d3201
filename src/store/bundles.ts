import type { JsonObject } from '#schema/pdu.ts'
import { checkEdit, type RelatableEvent } from '#core/relations.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import { type EventKey, eventIdOfKey } from './events.ts'
import type { Store } from './store.ts'
import { countInThread, findThread, hasAddedToThread, listLatestInThread, type ThreadSummary } from './threads.ts'

/** Whom the bundles are for. */
export type BundleReader = Readonly<{
  userId: UserId
  /** Nothing that came after this position is told; `Infinity` for those who are in the room. */
  until: number
  ignored: () => ReadonlySet<string>
  maySee: (event: ClientEvent) => boolean
  /** JSON text of an event as this reader is shown it. */
  print: (event: ClientEvent, relations?: string) => string
}>

/** `m.relations` of events, as JSON text, by the events' numbers. */
export type Bundles = ReadonlyMap<number, string>

const NONE: Bundles = new Map()
/** Edits that are looked at for one that counts. */
const EDIT_CANDIDATES = 20
/** References that one event is shown with. */
export const REFERENCES_LIMIT = 1_000

/**
 * What is bundled with the events of a page. One look-up tells which of them have anything at all; nearly all have not.
 * State events get none. spec: client-server-api#aggregations-of-child-events
 */
export const bundlesFor = (store: Store, events: readonly ClientEvent[], reader: BundleReader): Bundles =>
  bundle(store, events, reader, true)

const RELATED = 'SELECT p.value AS num FROM json_each(?) p WHERE EXISTS (SELECT 1 FROM relations r WHERE r.parent = p.value)'

function bundle(store: Store, events: readonly ClientEvent[], reader: BundleReader, hasThreads: boolean): Bundles {
  const nums = events.flatMap(({ num, stateKey }) => (stateKey === null ? [num] : []))
  if (nums.length === 0) return NONE
  const related = new Set(store.db.query<{ num: number }, [string]>(RELATED).all(JSON.stringify(nums)).map(({ num }) => num))
  if (related.size === 0) return NONE
  const parents = events.filter(({ num }) => related.has(num))
  const threads = new Map(hasThreads ? parents.flatMap((root) => threadOf(store, root, reader)) : [])
  // The latest event of a thread is shown with what relates to it, but it begins no thread of its own.
  const nested = bundle(store, [...threads.values()].map(({ latest }) => latest), reader, false)
  return new Map(parents.flatMap((parent) => {
    const text = textOf(store, parent, reader, threads.get(parent.num), nested)
    return text === undefined ? [] : [[parent.num, text] as const]
  }))
}

type ShownThread = Readonly<{ count: number; latest: ClientEvent; hasParticipated: boolean }>

function textOf(store: Store, parent: ClientEvent, reader: BundleReader, thread: ShownThread | undefined, nested: Bundles): string | undefined {
  const edit = parent.redactedBy === null ? newestEdit(store, parent, reader) : undefined
  const references = listReferences(store, parent, reader)
  const parts = [
    ...(references.length > 0 ? [`"m.reference":${JSON.stringify({ chunk: references.map((eventId) => ({ event_id: eventId })) })}`] : []),
    ...(edit ? [`"m.replace":${reader.print(edit)}`] : []),
    ...(thread ? [`"m.thread":${printThread(thread, reader, nested)}`] : []),
  ]
  return parts.length === 0 ? undefined : `{${parts.join(',')}}`
}

const printThread = ({ count, latest, hasParticipated }: ShownThread, { print }: BundleReader, nested: Bundles): string =>
  `{"count":${count},"current_user_participated":${hasParticipated},"latest_event":${print(latest, nested.get(latest.num))}}`

/** spec: client-server-api#server-side-aggregation-of-mthread-relationships */
function threadOf(store: Store, root: ClientEvent, reader: BundleReader): [number, ShownThread][] {
  const thread = findThread(store, root.num)
  const shown = thread && seenThread(store, root.num, thread, reader)
  if (!shown) return []
  const hasParticipated = root.sender === reader.userId || hasAddedToThread(store, root.num, reader.userId)
  return [[root.num, { ...shown, hasParticipated }]]
}

/** The table counts for everyone; those who have left or who ignore people are counted for. */
function seenThread(store: Store, root: number, thread: ThreadSummary, reader: BundleReader): Omit<ShownThread, 'hasParticipated'> | undefined {
  const { until, maySee } = reader
  const ignored = reader.ignored()
  const isForAll = until === Infinity && ignored.size === 0
  const newest = isForAll ? eventOf(store, thread.latest) : undefined
  const latest = newest && maySee(newest) ? newest : listLatestInThread(store, { root, until, ignored }).find(maySee)
  if (!latest) return undefined
  return { latest, count: isForAll ? thread.count : countInThread(store, { root, until, ignored }) }
}

function eventOf(store: Store, num: number): ClientEvent | undefined {
  const row = store.db.query<ClientEventRow, [number]>(`SELECT ${CLIENT_EVENT} FROM events e WHERE e.num = ?`).get(num)
  return row ? clientEventOf(store, row) : undefined
}

// Left alone, SQLite would take the index that has the order and read every child of the event.
const EDITS = `
  SELECT ${CLIENT_EVENT} FROM relations r INDEXED BY relations_by_sender JOIN events e ON e.num = r.child
   WHERE r.parent = ? AND r.rel_type = ? AND r.sender = ? AND r.type = ? AND r.child <= ? AND e.state_key IS NULL
   ORDER BY e.ts DESC LIMIT ${EDIT_CANDIDATES}`

/**
 * The newest edit that counts (G-79): by timestamp, then by the larger event id.
 * spec: client-server-api#server-side-aggregation-of-mreplace-relationships
 */
function newestEdit(store: Store, original: ClientEvent, { until, maySee }: BundleReader): ClientEvent | undefined {
  const { db, names } = store
  const relType = names.find('m.replace')
  if (relType === undefined) return undefined
  const upTo = Math.min(until, Number.MAX_SAFE_INTEGER)
  const edits = db
    .query<ClientEventRow, [number, number, number, number, number]>(EDITS)
    .all(original.num, relType, names.find(original.sender) ?? -1, names.find(original.type) ?? -1, upTo)
    .map((row) => clientEventOf(store, row))
    .toSorted((one, other) => other.ts - one.ts || (one.eventId < other.eventId ? 1 : -1))
  if (edits.length === 0) return undefined
  const target = relatable(original)
  return edits.find((edit) => maySee(edit) && checkEdit(relatable(edit), target).ok)
}

// The table holds only relations within one room, so both are given the same.
const ROOM: RoomId = '!'

const relatable = ({ eventId, type, sender, stateKey, body }: ClientEvent): RelatableEvent => ({
  eventId,
  roomId: ROOM,
  type,
  sender,
  ...(stateKey === null ? {} : { stateKey }),
  content: (JSON.parse(`${body}}`) as { content: JsonObject }).content,
})

/** spec: client-server-api#server-side-aggregation-of-mreference */
function listReferences({ db, names }: Store, { num }: ClientEvent, { until, ignored }: BundleReader): EventId[] {
  const relType = names.find('m.reference')
  if (relType === undefined) return []
  return db
    .query<{ sender: number; event_id: EventKey }, [number, number, number]>(`
      SELECT r.sender, e.event_id FROM relations r INDEXED BY relations_by_sender JOIN events e ON e.num = r.child
       WHERE r.parent = ? AND r.rel_type = ? AND r.child <= ? ORDER BY r.depth, r.child LIMIT ${REFERENCES_LIMIT}`)
    .all(num, relType, Math.min(until, Number.MAX_SAFE_INTEGER))
    .filter(({ sender }) => !ignored().has(names.textOf(sender)))
    .map(({ event_id }) => eventIdOfKey(event_id))
}
