import type { PresenceTimers } from '#actors/user/presence.ts'
import { isPresence, type Presence, presenceContent, type ShownPresence } from '#core/presence-board.ts'
import { type EventFilter, matchesEventFilter, NO_EVENT_FILTER } from '#core/sync/filter.ts'
import type { Homeserver } from '#homeserver'
import type { Watch } from '#notifier'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { listMembersOf } from '#store/memberships.ts'
import { listArrivals } from '#store/sync/arrivals.ts'
import type { Requester } from './endpoint.ts'
import { type RateLimiter, rateLimiter } from './rate-limit.ts'

/** Users whom an initial sync looks at, those who did something last first. */
const INITIAL_PRESENCES = 2_000
/** What one answer shows of others, the newest first: where thousands come and go in one room, all of it would be no use. */
export const PRESENCES_PER_ANSWER = 1_000
/** In a room of at most so many, whoever comes in is told of everyone; in others of those who were there since the start. */
export const SMALL_ROOM = 100
/** Devices whose last word is remembered, so that not every sync is mail to an actor. */
const NOTICED_LIMIT = 50_000

type Notice = Readonly<{ presence: Presence; untilTs: number }>
type Desk = Readonly<{ notices: Map<string, Notice>; limiter: RateLimiter }>

const desks = new WeakMap<Homeserver, Desk>()

function deskOf(server: Homeserver): Desk {
  const known = desks.get(server)
  if (known) return known
  const desk: Desk = { notices: new Map(), limiter: rateLimiter(server.config.rc.presence, server.clock.now) }
  desks.set(server, desk)
  return desk
}

export const isTracked = ({ config }: Homeserver): boolean => config.presence.enabled === true

export const NEVER_SEEN: ShownPresence = { presence: 'offline', statusMsg: null, lastActiveTs: null }

const timersOf = ({ config: { presence } }: Homeserver): PresenceTimers =>
  ({ onlineMs: presence.syncOnlineTimeout, idleMs: presence.idleTimeout, activeMs: presence.lastActiveGranularity })

/** Changes that come too fast are passed over, as the reference server does it. */
function isTooFast(server: Homeserver, userId: UserId): boolean {
  try {
    deskOf(server).limiter.take(userId)
    return false
  } catch {
    return true
  }
}

/** `set_presence` of a sync. Throws `M_INVALID_PARAM`. */
export function readSetPresence(text: string | undefined): Presence {
  if (text === undefined || text === '') return 'online'
  if (!isPresence(text)) throw invalidParam('set_presence is offline, online or unavailable')
  return text
}

/** spec: client-server-api#put_matrixclientv3presenceuseridstatus */
export async function setPresence(server: Homeserver, { userId, deviceId }: Requester, presence: Presence, statusMsg: string | null, cause: string): Promise<void> {
  if (!isTracked(server) || isTooFast(server, userId)) return
  const { notices } = deskOf(server)
  const timers = timersOf(server)
  notices.delete(`${userId} ${deviceId ?? ''}`)
  await server.user(userId).ask({ kind: 'setPresence', deviceId: deviceId ?? '', presence, statusMsg, timers }, cause)
}

export type SyncNotice = Readonly<{ presence: Presence; waitMs: number; signal: AbortSignal; cause: string }>

/**
 * A device syncs: its user is there, until some time after the sync ends. Resolves at once unless the user comes now, so
 * that the answer shows them as they are.
 */
export async function noticeSync(server: Homeserver, requester: Requester, { presence, waitMs, signal, cause }: SyncNotice): Promise<void> {
  if (!isTracked(server) || presence === 'offline') return
  const { userId, deviceId } = requester
  const { notices } = deskOf(server)
  const key = `${userId} ${deviceId ?? ''}`
  const [known, timers, now] = [notices.get(key), timersOf(server), server.clock.now()]
  const isThere = known !== undefined && known.untilTs > now
  if (isThere && known.presence === presence && known.untilTs >= now + waitMs + timers.onlineMs / 2) return
  if (isThere && known.presence !== presence && isTooFast(server, userId)) return
  if (notices.size >= NOTICED_LIMIT) notices.clear()
  const forMs = waitMs + timers.onlineMs
  const notice: Notice = { presence, untilTs: now + forMs }
  notices.set(key, notice)
  const mail = { kind: 'noticeSync', deviceId: deviceId ?? '', presence, forMs, timers } as const
  const gone = (): void => {
    if (notices.get(key) !== notice) return
    notices.delete(key)
    server.user(userId).tell({ ...mail, forMs: timers.onlineMs }, cause)
  }
  if (waitMs > 0) signal.addEventListener('abort', gone, { once: true })
  if (isThere) return server.user(userId).tell(mail, cause)
  await server.user(userId).ask(mail, cause).catch((error: unknown) => server.log.warn({ userId, err: error }, 'presence was not noticed'))
}

/** The user did something by a device. Costs nothing for those who are not shown as online. */
export function noticeActivity(server: Homeserver, { userId, deviceId }: Requester, cause: string): void {
  if (!isTracked(server)) return
  const shown = server.notifier.presence.find(userId)
  const timers = timersOf(server)
  // Others count up from the last activity; so often it is told anew.
  const isFresh = shown?.presence === 'online' && shown.lastActiveTs !== null && server.clock.now() - shown.lastActiveTs < timers.activeMs
  if (shown === undefined || shown.presence === 'offline' || isFresh) return
  server.user(userId).tell({ kind: 'noticeActivity', deviceId: deviceId ?? '', timers }, cause)
}

export type PresenceWanted = Readonly<{
  watch: Watch
  filter: EventFilter
  isInitial: boolean
  /** What the board has shown to this client. */
  sinceVolatile: number
  since: number
  until: number
  /** Rooms in which something has happened since. */
  moved: Iterable<RoomId>
}>

/** The presence of those who share a room with the user, and their own, where it is news; events as JSON texts. */
export function readPresence(server: Homeserver, wanted: PresenceWanted): string[] {
  const { notifier, config, clock } = server
  if (!isTracked(server)) return []
  const { watch, filter, isInitial, sinceVolatile } = wanted
  const except = new Set(config.excludeRoomsFromPresence)
  const users = isInitial ? notifier.presence.newest(INITIAL_PRESENCES) : notifier.presence.changedSince(sinceVolatile)
  const mine: UserId[] = []
  for (const userId of users) {
    if (mine.length >= PRESENCES_PER_ANSWER) break
    if (userId === watch.userId || notifier.sharesRoom(watch, userId, except)) mine.push(userId)
  }
  const now = clock.now()
  return [...new Set([...mine, ...newcomers(server, wanted, except)])].flatMap((userId) => {
    const shown = notifier.presence.find(userId) ?? NEVER_SEEN
    const isHidden = isInitial && shown.presence === 'offline' && !config.presence.includeOfflineUsersOnSync
    if (isHidden || (filter !== NO_EVENT_FILTER && !matchesEventFilter(filter, { type: 'm.presence', sender: userId }))) return []
    const content = presenceContent(shown, now, config.presence.lastActiveGranularity)
    return [JSON.stringify({ content, sender: userId, type: 'm.presence' })]
  })
}

/**
 * Whoever comes into a room is new to those who are in it, and they to them. They are told of each other even where there
 * is nothing to tell but that nobody has been there: the reference server does, and clients have no other way to know.
 */
function newcomers(server: Homeserver, { watch, since, until, moved, isInitial }: PresenceWanted, except: ReadonlySet<string>): UserId[] {
  const { notifier, store } = server
  if (isInitial) return []
  const found: UserId[] = []
  for (const roomId of moved) {
    if (!watch.rooms.has(roomId) || except.has(roomId) || !notifier.mayHaveMoved(roomId, 'membership', since)) continue
    const arrived = listArrivals(store, roomId, since, until)
    found.push(...(arrived.includes(watch.userId) ? shownMembers(server, roomId) : arrived))
  }
  return found.filter((userId) => userId !== watch.userId)
}

/** The members of a small room; of others those of whom there is something to show. */
export function shownMembers({ notifier, store }: Homeserver, roomId: RoomId): UserId[] {
  const members = listMembersOf(store, roomId, 'join', SMALL_ROOM + 1)
  return members.length <= SMALL_ROOM ? members : notifier.presence.newest(INITIAL_PRESENCES).filter((userId) => notifier.isIn(userId, roomId))
}
