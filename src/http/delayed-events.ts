import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { forbidden, invalidParam, limitExceeded, MatrixError } from '#schema/matrix-error.ts'
import { countDelayedEvents } from '#store/delayed-events.ts'
import type { Requester } from './endpoint.ts'
import { perServer } from './per-server.ts'
import { refuseSilenced } from './speaking.ts'

/** Events that a user may have waiting. */
export const SCHEDULED_LIMIT = 100
const RETRY_AFTER_MS = 60_000
/** Who is in a room, and that it is there, is decided when it is asked for. */
const NEVER_LATER: readonly string[] = ['m.room.create', 'm.room.member']
/** The parameter by which a client has an event sent later, in the older form. */
export const DELAY_PARAMETER = 'org.matrix.msc4140.delay'

/** Milliseconds. Throws `M_INVALID_PARAM`. */
export function readDelay(text: string): number {
  const delayMs = Number(text)
  if (delayMs < 0) throw invalidParam(`${DELAY_PARAMETER} must not be negative`)
  return delayMs
}

/** Requests that are on their way to the room and in no table yet. */
const underWay = perServer(() => new Map<UserId, number>())

export type Scheduling = Readonly<{
  requester: Requester
  roomId: RoomId
  eventType: string
  /** Null unless it will be a state event. */
  stateKey: string | null
  content: JsonObject
  delayMs: number
  stickyMs?: number | undefined
  txnId: string | null
  cause: string
}>

/**
 * Has an event sent later (MSC4140). Throws `M_FORBIDDEN` where the configuration takes none, `M_UNKNOWN` with
 * `org.matrix.msc4140.errcode` for too long a delay, `M_LIMIT_EXCEEDED` for too many.
 */
export async function scheduleEvent(server: Homeserver, scheduling: Scheduling): Promise<{ delay_id: string }> {
  const { requester, roomId, stickyMs = null, cause, ...event } = scheduling
  const { userId, deviceId } = requester
  refuseSilenced(server, requester)
  refuseDelay(server, event.delayMs)
  if (NEVER_LATER.includes(event.eventType)) throw forbidden(`${event.eventType} cannot be sent later`)
  const { delayId } = await counted(server, userId, () =>
    server.room(roomId).ask({ kind: 'scheduleDelayedEvent', userId, deviceId, stickyMs, ...event }, cause))
  return { delay_id: delayId }
}

function refuseDelay({ config }: Homeserver, delayMs: number): void {
  const longest = config.maxEventDelayDuration
  if (longest === null) throw forbidden('Events cannot be sent later on this server')
  if (delayMs <= longest) return
  throw new MatrixError(400, 'M_UNKNOWN', `An event can be delayed by at most ${longest} ms`, {
    'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED',
    'org.matrix.msc4140.max_delay': longest,
  })
}

async function counted<T>(server: Homeserver, userId: UserId, work: () => Promise<T>): Promise<T> {
  const pending = underWay(server)
  const now = pending.get(userId) ?? 0
  if (countDelayedEvents(server.store, userId) + now >= SCHEDULED_LIMIT)
    throw limitExceeded('Too many of your events wait to be sent', RETRY_AFTER_MS)
  pending.set(userId, now + 1)
  try {
    return await work()
  } finally {
    const left = (pending.get(userId) ?? 1) - 1
    if (left > 0) pending.set(userId, left)
    else pending.delete(userId)
  }
}
