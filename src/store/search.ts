import type { Database } from 'bun:sqlite'
import schema from '#schema/sql/search.sql' with { type: 'text' }
import { ownValue } from '#core/event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { closeness, indexedText } from '#core/search-words.ts'
import { eventKeyOf } from './events.ts'
import { willSelfDestruct } from './self-destruct.ts'
import type { Store } from './store.ts'

// The index is a database of its own, attached to the connection as `search`: writing it costs the one writer of the
// house nothing, and it may be thrown away.

/** Raise it when `search.sql` or what is indexed changes: the index is then made anew. */
const INDEX_VERSION = 1
/** Events that are indexed in one transaction. */
export const INDEX_BATCH = 500
/** Matches, the newest first, that one search orders and pages through; older ones are not found by it. */
export const MATCHES_LIMIT = 2_000
/** With so many matches for the words as they are, nobody needs those of words that only begin with them. */
const ENOUGH_MATCHES = 100

/** What one search may cost. */
export const SEARCH_LIMITS = {
  /** In no more rooms than this the index itself is asked for the rooms: to go through many lists at once is slow. */
  places: 40,
  /** In more rooms than that, so many of the newest matches in all of the house are gone through before it is asked. */
  scanned: 10_000,
}

/** Makes the tables of an attached index that is new or from another version of this program. */
export function prepareIndex(db: Database): void {
  const version = db.query<{ user_version: number }, []>('PRAGMA search.user_version').get()?.user_version
  if (version === INDEX_VERSION) return
  db.transaction(() => {
    db.run('DROP TABLE IF EXISTS search.words')
    db.run('DROP TABLE IF EXISTS search.progress')
    db.run(schema)
    db.run(`PRAGMA search.user_version = ${INDEX_VERSION}`)
  }).deferred()
}

type EventRow = { num: number; room: number; type: number; json: string; content_start: number; content_end: number; redacted_by: number | null }

const NEXT_EVENTS = `
  SELECT num, room, type, json, content_start, content_end, redacted_by FROM events
   WHERE num > ? AND num <= ? AND type IN (SELECT value FROM json_each(?)) ORDER BY num LIMIT ${INDEX_BATCH}`

/**
 * Indexes the next events, in the order in which they came; true when there may be more. What is redacted leaves the
 * index when its redaction is met, and what has expired when that is.
 */
export function indexMore(store: Store): boolean {
  const { db, names } = store
  const { position, last } = progress(store)
  // The database is an older one than the index was made from.
  if (position > last) return startAnew(db)
  if (position === last) return false
  const types = Object.keys(TEXTS).concat(REDACTION).flatMap((type) => names.find(type) ?? [])
  const rows = db.query<EventRow, [number, number, string]>(NEXT_EVENTS).all(position, last, JSON.stringify(types))
  const upTo = rows.length < INDEX_BATCH ? last : (rows.at(-1)?.num ?? last)
  const isEncrypted = encryptedRooms(store)
  // Deferred, as an immediate transaction would lock the house's database too.
  db.transaction(() => {
    for (const row of rows) indexEvent(store, row, isEncrypted)
    db.query('DELETE FROM search.words WHERE rowid IN (SELECT num FROM expired_events WHERE expired > ? AND expired <= ?)').run(position, upTo)
    db.query('UPDATE search.progress SET position = ?').run(upTo)
  }).deferred()
  return upTo < last
}

/** Whether the index is as new as the database. */
export function isIndexed(store: Store): boolean {
  const { position, last } = progress(store)
  return position === last
}

const progress = ({ db }: Store): { position: number; last: number } => ({
  position: db.query<{ position: number }, []>('SELECT position FROM search.progress').get()?.position ?? 0,
  last: db.query<{ last: number | null }, []>('SELECT max(position) AS last FROM journal').get()?.last ?? 0,
})

function startAnew(db: Database): boolean {
  db.run('PRAGMA search.user_version = 0')
  prepareIndex(db)
  return true
}

const REDACTION = 'm.room.redaction'

/** What is searched of each type of event. spec: client-server-api#search-categories */
const TEXTS: Readonly<Record<string, (content: JsonObject) => Json | undefined>> = {
  'm.room.message': (content) => content.body,
  'm.room.name': (content) => content.name,
  'm.room.topic': (content) => content.topic,
}

function indexEvent(store: Store, row: EventRow, isEncrypted: (room: number) => boolean): void {
  const { db, names } = store
  const type = names.textOf(row.type)
  const content = JSON.parse(row.json.slice(row.content_start, row.content_end)) as JsonObject
  if (type === REDACTION) return dropRedacted(store, row, content)
  const text = searchedText(type, content)
  if (text === undefined || text === '' || row.redacted_by !== null || isEncrypted(row.room) || willSelfDestruct(store, row.num)) return
  db.query('INSERT INTO search.words (rowid, place, body) VALUES (?, ?, ?)').run(row.num, placeOf(row.room), indexedText(text))
}

/** The text of an event that is searched, if it has any. */
export function searchedText(type: string, content: JsonObject): string | undefined {
  const text = TEXTS[type]?.(content)
  return typeof text === 'string' ? text : undefined
}

const placeOf = (room: number): string => `r${room}`

function dropRedacted({ db }: Store, { json }: EventRow, content: JsonObject): void {
  const target = ownValue(content, 'redacts') ?? ownValue(JSON.parse(json) as JsonObject, 'redacts')
  if (typeof target !== 'string') return
  db.query(`
    DELETE FROM search.words WHERE rowid = (SELECT num FROM events WHERE event_id = ? AND redacted_by IS NOT NULL)
  `).run(eventKeyOf(target))
}

/** spec: client-server-api#room_events (rooms that are end-to-end encrypted are not searched) */
function encryptedRooms({ db, names }: Store): (room: number) => boolean {
  const known = new Map<number, boolean>()
  const [type, key] = [names.find('m.room.encryption') ?? -1, names.find('') ?? -1]
  const find = db.query<{ event: number }, [number, number, number]>('SELECT event FROM room_state WHERE room = ? AND type = ? AND state_key = ?')
  return (room) => {
    const answer = known.get(room) ?? find.get(room, type, key) !== null
    known.set(room, answer)
    return answer
  }
}

/** One search, in the numbers of the house. Lists that are absent leave everything in, or nothing out. */
export type SearchQuery = Readonly<{
  /** A query of FTS5, and the looser one for when it finds little. */
  match: string
  looseMatch: string
  /** What `rank` goes by. */
  words: readonly string[]
  rooms: readonly number[]
  types: readonly number[]
  senders?: readonly number[] | undefined
  notSenders?: readonly number[] | undefined
  /** Events up to this number. */
  until: number
  order: 'rank' | 'recent'
}>

/** Matches in the order that was asked for: column by column, as it crosses threads. */
export type Matches = Readonly<{ nums: readonly number[]; rooms: readonly number[]; senders: readonly number[] }>

export const NO_MATCHES: Matches = { nums: [], rooms: [], senders: [] }

type MatchRow = { num: number; room: number; sender: number; ts: number }

const MATCHES = `
  SELECT w.rowid AS num, e.room, e.sender, e.ts FROM search.words w CROSS JOIN events e ON e.num = w.rowid
   WHERE words MATCH ?1 AND w.rowid <= ?2 AND w.rowid >= ?7 AND e.redacted_by IS NULL
     AND e.room IN (SELECT value FROM json_each(?3)) AND e.type IN (SELECT value FROM json_each(?4))
     AND (?5 IS NULL OR e.sender IN (SELECT value FROM json_each(?5)))
     AND (?6 IS NULL OR e.sender NOT IN (SELECT value FROM json_each(?6)))
   ORDER BY w.rowid DESC LIMIT ${MATCHES_LIMIT}`

/** The newest MATCHES_LIMIT matches. */
export function findMatches(store: Store, query: SearchQuery, limits = SEARCH_LIMITS): Matches {
  if (query.rooms.length === 0) return NO_MATCHES
  const exact = newestMatches(store, query, query.match, limits)
  const isEnough = exact.length >= ENOUGH_MATCHES || query.match === query.looseMatch
  const rows = inOrder(store, query, isEnough ? exact : newestMatches(store, query, query.looseMatch, limits))
  return { nums: rows.map(({ num }) => num), rooms: rows.map(({ room }) => room), senders: rows.map(({ sender }) => sender) }
}

/**
 * Who is in many rooms is mostly in those that much is said in, so what is newest in the house is soon enough; but many
 * quiet rooms in a loud house are found by their own lists only.
 */
function newestMatches(store: Store, query: SearchQuery, match: string, { places, scanned }: typeof SEARCH_LIMITS): MatchRow[] {
  const body = `body : (${match})`
  if (query.rooms.length > places) {
    const oldest = oldestScanned(store, body, query.until, scanned)
    const rows = matchesFrom(store, query, body, oldest)
    if (oldest === 0 || rows.length === MATCHES_LIMIT) return rows
  }
  return matchesFrom(store, query, `place : (${query.rooms.map(placeOf).join(' OR ')}) AND ${body}`, 0)
}

/** 0 if there are no more matches than may be gone through. */
const oldestScanned = ({ db }: Store, match: string, until: number, scanned: number): number =>
  db
    .query<{ num: number }, [string, number, number]>('SELECT rowid AS num FROM search.words WHERE words MATCH ? AND rowid <= ? ORDER BY rowid DESC LIMIT 1 OFFSET ?')
    .get(match, until, scanned)?.num ?? 0

function matchesFrom({ db }: Store, { rooms, types, senders, notSenders, until }: SearchQuery, match: string, oldest: number): MatchRow[] {
  const listed = (numbers: readonly number[] | undefined): string | null => (numbers ? JSON.stringify(numbers) : null)
  return db
    .query<MatchRow, [string, number, string, string, string | null, string | null, number]>(MATCHES)
    .all(match, until, JSON.stringify(rooms), JSON.stringify(types), listed(senders), listed(notSenders), oldest)
}

/** By time, or by how close they come; the index could rank too, but goes through every list of a word for it. */
function inOrder(store: Store, { order, words }: SearchQuery, rows: readonly MatchRow[]): readonly MatchRow[] {
  const newerFirst = (one: MatchRow, other: MatchRow): number => other.ts - one.ts || other.num - one.num
  if (order === 'recent') return rows.toSorted(newerFirst)
  const ranks = new Map(rows.map(({ num }) => [num, rankOf(store, num, words)]))
  return rows.toSorted((one, other) => (ranks.get(other.num) ?? 0) - (ranks.get(one.num) ?? 0) || newerFirst(one, other))
}

function rankOf({ db, names }: Store, num: number, words: readonly string[]): number {
  const row = db
    .query<Pick<EventRow, 'type' | 'json' | 'content_start' | 'content_end'>, [number]>('SELECT type, json, content_start, content_end FROM events WHERE num = ?')
    .get(num)
  if (!row) return 0
  const content = JSON.parse(row.json.slice(row.content_start, row.content_end)) as JsonObject
  return closeness(searchedText(names.textOf(row.type), content) ?? '', words)
}

/** Only events of these types are in the index. */
export const SEARCHED_TYPES = Object.keys(TEXTS)
