import type { Database } from 'bun:sqlite'
import type { JsonObject } from '#schema/pdu.ts'
import { type Relation, relationOf } from '#core/relations.ts'
import type { ClientEvent } from '#core/sync/client-event.ts'
import type { TimelineToken } from '#core/sync/token.ts'
import type { MessageSelfDestructed } from '#schema/journal/self-destruct.ts'
import type { EventAppended, EventRedacted } from '#schema/journal/room.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { CLIENT_EVENT, clientEventOf, type ClientEventRow } from './client-events.ts'
import { type EventKey, eventIdOfKey, eventKeyOf, hasExpired } from './events.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'
import { addToThread, recountThread } from './threads.ts'

/** How many relations are followed from an event to those that relate to it by way of others. */
export const RECURSION_DEPTH = 3

type Child = Readonly<{ num: number; room: number; type: number; sender: number; depth: number; relation: Relation }>

/** Tables `relations`, `orphans` and `threads`; events without a relation cost a look at their text and at `orphans`. */
export const projectRelation: Project<EventAppended> = (store, fact, position) => {
  const { db, names } = store
  const relation = relationIn(fact.json.slice(fact.contentStart, fact.contentEnd))
  if (relation) {
    const { type, sender, depth } = fact.pdu
    const [typeNum, senderNum] = [names.numberOf(type), names.numberOf(sender)]
    link(store, { num: position, room: names.numberOf(fact.roomId), type: typeNum, sender: senderNum, depth, relation })
  }
  if (hasOrphans(db)) for (const child of takeOrphans(db, fact.eventId)) adopt(store, child)
}

/** Nearly always there are none, and then nobody asks for those of one event. Only the writing connection adds any. */
const orphanages = new WeakMap<Database, { hasAny: boolean }>()

function orphanageOf(db: Database): { hasAny: boolean } {
  const known = orphanages.get(db)
  if (known) return known
  const fresh = { hasAny: db.query('SELECT 1 FROM orphans LIMIT 1').get() !== null }
  orphanages.set(db, fresh)
  return fresh
}

const hasOrphans = (db: Database): boolean => orphanageOf(db).hasAny

const takeOrphans = (db: Database, parent: EventId): number[] =>
  db
    .query<{ child: number }, [EventKey]>('DELETE FROM orphans WHERE parent = ? RETURNING child')
    .all(eventKeyOf(parent))
    .map(({ child }) => child)

function addOrphan(db: Database, parent: EventKey, child: number): void {
  db.query('INSERT OR IGNORE INTO orphans (parent, child) VALUES (?, ?)').run(parent, child)
  orphanageOf(db).hasAny = true
}

const RELATES_TO = '"m.relates_to":'

/** Most events relate to nothing, and their text says so without being parsed. */
const relationIn = (content: string): Relation | undefined =>
  content.includes(RELATES_TO) ? relationOf(JSON.parse(content) as JsonObject) : undefined

function link(store: Store, { num, room, type, sender, depth, relation }: Child): void {
  const { db, names } = store
  const key = eventKeyOf(relation.eventId)
  const parent = db.query<{ num: number; room: number }, [EventKey]>('SELECT num, room FROM events WHERE event_id = ?').get(key)
  if (!parent) return hasExpired(store, key) ? undefined : addOrphan(db, key, num)
  if (parent.room !== room) return
  const isThread = relation.relType === 'm.thread'
  const thread = isThread ? parent.num : threadOf(store, parent.num)
  db.query('INSERT OR REPLACE INTO relations (child, parent, rel_type, sender, type, depth, key, thread) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    .run(num, parent.num, names.numberOf(relation.relType), sender, type, depth, relation.key ?? null, thread)
  if (isThread) addToThread(store, { root: parent.num, room, depth, num })
}

const threadOf = ({ db }: Store, num: number): number | null =>
  db.query<{ thread: number | null }, [number]>('SELECT thread FROM relations WHERE child = ?').get(num)?.thread ?? null

type OrphanRow = { room: number; type: number; sender: number; depth: number; json: string; content_start: number; content_end: number }

/** The parent of an event has arrived. What was redacted in the meantime relates to nothing any more. */
function adopt(store: Store, num: number): void {
  const row = store.db
    .query<OrphanRow, [number]>('SELECT room, type, sender, depth, json, content_start, content_end FROM events WHERE num = ?')
    .get(num)
  const relation = row && relationIn(row.json.slice(row.content_start, row.content_end))
  if (relation) link(store, { ...row, num, relation })
}

/** What is redacted relates to nothing any more. spec: client-server-api#redactions */
export const projectRelationRedacted: Project<EventRedacted | MessageSelfDestructed> = (store, { eventId }) => {
  const gone = store.db
    .query<{ parent: number; rel_type: number }, [EventKey]>(
      'DELETE FROM relations WHERE child = (SELECT num FROM events WHERE event_id = ?) RETURNING parent, rel_type',
    )
    .get(eventKeyOf(eventId))
  if (gone && gone.rel_type === store.names.find('m.thread')) recountThread(store, gone.parent)
}

/** Whether this user has annotated that event in this way already. */
export function hasAnnotation(
  { db, names }: Store,
  { eventId, userId, type, key }: Readonly<{ eventId: EventId; userId: UserId; type: string; key: string }>,
): boolean {
  const [relType, sender, typeNum] = [names.find('m.annotation'), names.find(userId), names.find(type)]
  if (relType === undefined || sender === undefined || typeNum === undefined) return false
  const row = db
    .query<{ child: number }, [EventKey, number, number, number, string]>(`
      SELECT child FROM relations
       WHERE parent = (SELECT num FROM events WHERE event_id = ?) AND rel_type = ? AND sender = ? AND type = ? AND key = ?`)
    .get(eventKeyOf(eventId), relType, sender, typeNum, key)
  return row !== null
}

export type ChildrenQuery = Readonly<{
  /** Number of the parent. */
  parent: number
  relType?: string | undefined
  eventType?: string | undefined
  /** Also what relates to the children, RECURSION_DEPTH relations deep. */
  isRecursive: boolean
  from: TimelineToken
  to?: TimelineToken | undefined
  dir: 'b' | 'f'
  limit: number
}>

type Order = Readonly<{ bound: string; order: string }>

/** Children out of one index, which has them in the order that is asked for: a page reads no more than a page. */
const childrenIn = (index: 'parent' | 'thread', { bound, order }: Order): string => `
  SELECT * FROM (
    SELECT child, depth FROM relations INDEXED BY relations_by_${index}
     WHERE ${index} = ?1 AND ${bound} AND (?4 IS NULL OR rel_type = ?4) AND (?5 IS NULL OR type = ?5) ORDER BY ${order} LIMIT ?6)`

// What is in a thread is found by its root; what relates to it otherwise is followed step by step, and is little.
const allOf = (page: Order): string => `
  ${childrenIn('thread', page)}
  UNION ALL
  SELECT * FROM (
    WITH RECURSIVE below (child, level) AS (
      SELECT child, 1 FROM relations INDEXED BY relations_by_sender WHERE parent = ?1 AND rel_type < ?7
       UNION ALL
      SELECT child, 1 FROM relations INDEXED BY relations_by_sender WHERE parent = ?1 AND rel_type > ?7
       UNION
      SELECT r.child, b.level + 1 FROM below b JOIN relations r INDEXED BY relations_by_parent ON r.parent = b.child
       WHERE b.level < ${RECURSION_DEPTH}
    )
    SELECT relations.child, depth FROM below JOIN relations ON relations.child = below.child
     WHERE ${page.bound} AND (?4 IS NULL OR rel_type = ?4) AND (?5 IS NULL OR type = ?5) ORDER BY ${page.order} LIMIT ?6)`

/** The events that relate to one, in the order of the room's graph: newest first (`b`) or oldest first (`f`). */
export function listChildren(store: Store, { parent, relType, eventType, isRecursive, from, to, dir, limit }: ChildrenQuery): ClientEvent[] {
  const { db, names } = store
  const [wantedRelType, wantedType] = [relType === undefined ? null : names.find(relType), eventType === undefined ? null : names.find(eventType)]
  if (wantedRelType === undefined || wantedType === undefined) return []
  const [compare, order, stop] = dir === 'b' ? ['<=', 'DESC', '>'] : ['>', 'ASC', '<=']
  const end = to ? ` AND (depth, relations.child) ${stop} (${Number(to.depth)}, ${Number(to.num)})` : ''
  const page = { bound: `(depth, relations.child) ${compare} (?2, ?3)${end}`, order: `depth ${order}, relations.child ${order}` }
  return db
    .query<ClientEventRow, (number | null)[]>(`
      SELECT ${CLIENT_EVENT} FROM (${isRecursive ? allOf(page) : childrenIn('parent', page)}) c JOIN events e ON e.num = c.child
       ORDER BY c.depth ${order}, c.child ${order} LIMIT ?6`)
    .all(parent, from.depth, from.num, wantedRelType, wantedType, limit, ...(isRecursive ? [names.find('m.thread') ?? -1] : []))
    .map((row) => clientEventOf(store, row))
}

/** The events that relate to one directly, by these types or by any; `after` is the number to go on from. */
export function listChildIds(
  { db, names }: Store,
  { roomId, eventId, relTypes, after, limit }: Readonly<{
    roomId: RoomId
    eventId: EventId
    relTypes: readonly string[] | 'any'
    after: number
    limit: number
  }>,
): { num: number; eventId: EventId }[] {
  const wanted = relTypes === 'any' ? null : JSON.stringify(relTypes.map((relType) => names.find(relType) ?? -1))
  return db
    .query<{ num: number; event_id: EventKey }, [EventKey, number, number, string | null, number]>(`
      SELECT e.num, e.event_id FROM relations r JOIN events e ON e.num = r.child
       WHERE r.parent = (SELECT num FROM events WHERE event_id = ?1 AND room = ?2) AND r.child > ?3
         AND (?4 IS NULL OR r.rel_type IN (SELECT value FROM json_each(?4)))
       ORDER BY r.child LIMIT ?5`)
    .all(eventKeyOf(eventId), names.find(roomId) ?? -1, after, wanted, limit)
    .map(({ num, event_id }) => ({ num, eventId: eventIdOfKey(event_id) }))
}

/** Who relates to an event, and how: each pair once. */
export const listRelationsTo = ({ db, names }: Store, num: number): { sender: UserId; relType: string }[] =>
  db
    .query<{ sender: number; rel_type: number }, [number]>('SELECT DISTINCT sender, rel_type FROM relations WHERE parent = ?')
    .all(num)
    .map((row) => ({ sender: names.textOf(row.sender) as UserId, relType: names.textOf(row.rel_type) }))
