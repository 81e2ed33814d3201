import { directoryQuery, spaced } from '#core/directory-words.ts'
import { ownValue } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { localpartOf, serverNameOf, type UserId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import type { Project } from './projectors.ts'
import { findMemberProfile } from './profiles.ts'
import type { Store } from './store.ts'

type Entry = { display_name: string | null; avatar_url: string | null }
type Shown = Readonly<{ displayname?: string; avatar_url?: string }>

/** Writes down how a user is found; called where a name may have changed. */
function writeEntry({ db, names }: Store, userId: UserId, { displayname, avatar_url }: Shown): void {
  const user = names.numberOf(userId)
  const known = db
    .query<Entry, [number]>('SELECT display_name, avatar_url FROM user_directory WHERE user = ?')
    .get(user)
  const [name, avatar] = [displayname ?? null, avatar_url ?? null]
  if (known && known.display_name === name && known.avatar_url === avatar) return
  db.query('INSERT OR REPLACE INTO user_directory (user, display_name, avatar_url) VALUES (?, ?, ?)').run(user, name, avatar)
  if (known && known.display_name === name) return
  if (known) db.query('DELETE FROM user_directory_words WHERE rowid = ?').run(user)
  db.query('INSERT INTO user_directory_words (rowid, names, server) VALUES (?, ?, ?)')
    .run(user, spaced(`${localpartOf(userId)} ${name ?? ''}`), serverNameOf(userId))
}

/** A local user is found by their profile, whatever they are called in a room. */
export const enterLocalUser = (store: Store, userId: UserId): void =>
  writeEntry(store, userId, findMemberProfile(store, userId))

/** Users of other servers are found by the newest name that they have had in a room here. */
const enterMember = (store: Store, userId: UserId, { pdu }: EventAppended): void => {
  const isLocal = store.db.query('SELECT 1 FROM users WHERE user = ?').get(store.names.numberOf(userId)) !== null
  if (isLocal) return
  const { displayname, avatar_url: avatarUrl } = pdu.content
  writeEntry(store, userId, {
    ...(typeof displayname === 'string' ? { displayname } : {}),
    ...(typeof avatarUrl === 'string' ? { avatar_url: avatarUrl } : {}),
  })
}

/** Called for every state event: who joined, and which rooms are open. */
export const projectDirectory: Project<EventAppended> = (store, fact) => {
  const { type, state_key: stateKey = '', content } = fact.pdu
  if (type === 'm.room.member' && content.membership === 'join') enterMember(store, stateKey as UserId, fact)
  const isAboutOpenness = (type === 'm.room.join_rules' || type === 'm.room.history_visibility') && stateKey === ''
  if (isAboutOpenness) refreshOpenness(store, fact)
}

const CONTENT_NOW = `
  SELECT e.json -> '$.content' AS content FROM room_state s JOIN events e ON e.num = s.event
   WHERE s.room = ? AND s.type = ? AND s.state_key = ?`

/**
 * The members of a room that anyone may join or look into are found by everyone.
 * spec: client-server-api#user-directory
 */
function refreshOpenness({ db, names }: Store, { roomId, pdu }: EventAppended): void {
  const room = names.numberOf(roomId)
  const valueOf = (type: string, key: string): unknown => {
    if (type === pdu.type) return ownValue(pdu.content, key)
    const place = [room, names.numberOf(type), names.numberOf('')] as const
    const row = db.query<{ content: string }, [number, number, number]>(CONTENT_NOW).get(...place)
    return row ? ownValue(JSON.parse(row.content) as JsonObject, key) : undefined
  }
  const isOpen = valueOf('m.room.join_rules', 'join_rule') === 'public' ||
    valueOf('m.room.history_visibility', 'history_visibility') === 'world_readable'
  if (isOpen) db.query('INSERT OR IGNORE INTO open_rooms (room) VALUES (?)').run(room)
  else db.query('DELETE FROM open_rooms WHERE room = ?').run(room)
}

export type DirectorySearch = Readonly<{
  term: string
  /** Who asks. They find themselves only where anybody would, in an open room. */
  searcher: UserId
  serverName: string
  limit: number
  /** Everyone this server knows, and not only those whom the searcher can meet. */
  searchesAll: boolean
  prefersLocal: boolean
  excludesRemote: boolean
  showsLocked: boolean
}>

export type FoundUser = Readonly<{ userId: UserId; displayName: string | null; avatarUrl: string | null }>

/** Matches that are looked at; a term that fits more people than that has to be longer. */
const CANDIDATES = 5_000
/** People of exactly the name that is searched for, who are looked at whatever else matches. */
const NAMESAKES = 100

const SEARCH = `
  WITH found (user) AS (
    SELECT * FROM (SELECT user FROM user_directory WHERE lower(display_name) = ?7 LIMIT ${NAMESAKES})
     UNION SELECT num FROM names WHERE name IN (?7, '@' || ?7 || ':' || ?8)
     UNION SELECT * FROM (SELECT rowid FROM user_directory_words WHERE user_directory_words MATCH ?1 LIMIT ${CANDIDATES})
  )
  SELECT n.name AS userId, d.display_name AS displayName, d.avatar_url AS avatarUrl
    FROM found f JOIN user_directory d ON d.user = f.user JOIN names n ON n.num = d.user LEFT JOIN users u ON u.user = d.user
   WHERE (u.user IS NULL OR (u.is_deactivated = 0 AND (u.is_locked = 0 OR ?6)))
     AND (u.user IS NOT NULL OR NOT ?5)
     AND ((?4 AND d.user <> ?2) OR EXISTS (
            SELECT 1 FROM memberships m JOIN open_rooms o ON o.room = m.room
             WHERE m.user = d.user AND m.membership = 'join')
         OR d.user <> ?2 AND EXISTS (
            SELECT 1 FROM memberships m CROSS JOIN memberships own ON own.room = m.room AND own.user = ?2
             WHERE m.user = d.user AND m.membership = 'join' AND own.membership = 'join'))
   ORDER BY lower(n.name) NOT IN (?7, '@' || ?7 || ':' || ?8) AND lower(ifnull(d.display_name, '')) <> ?7,
            CASE WHEN ?9 AND u.user IS NULL THEN 1 ELSE 0 END,
            CASE WHEN d.display_name IS NULL AND d.avatar_url IS NULL THEN 1 ELSE 0 END, length(d.display_name), n.name
   LIMIT ?3`

/** Users by begin of name or id, the best matches first. Deactivated accounts are never found. */
export function searchUsers({ db, names }: Store, search: DirectorySearch): FoundUser[] {
  const query = directoryQuery(search.term)
  if (query === undefined) return []
  return db
    .query<FoundUser, [string, number, number, boolean, boolean, boolean, string, string, boolean]>(SEARCH)
    .all(
      query,
      names.find(search.searcher) ?? -1,
      search.limit,
      search.searchesAll,
      search.excludesRemote,
      search.showsLocked,
      search.term.trim().toLowerCase(),
      search.serverName,
      search.prefersLocal,
    )
}

/** Whether this server has an account of that name or has met the user in a room. */
export const isKnownUser = ({ db, names }: Store, userId: UserId): boolean => {
  const user = names.find(userId)
  return user !== undefined && db.query('SELECT 1 FROM user_directory WHERE user = ?').get(user) !== null
}
