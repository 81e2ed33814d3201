import { CONNECTION_LIMIT_MS } from '#actors/device/sliding-sync.ts'
import { type Connection, groupSent, hasTooManyWishes, isDurable, type Move, newConnection, resume } from '#core/sync/connection.ts'
import type { SlidingRequest } from '#core/sync/sliding-request.ts'
import { parseSyncToken, printSyncToken, type SyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { MatrixError } from '#schema/matrix-error.ts'
import { findConnection, listIdleDevices } from '#store/sliding-connections.ts'
import type { Requester } from './endpoint.ts'

/** Rooms in the connections that one process keeps at hand; the rest are read from the table when they are used. */
export const KEPT_ROOMS = 400_000
const KEPT_CONNECTIONS = 50_000
/** The use of a connection in which nothing moves is written down so often. */
const NOTE_USE_MS = 24 * 60 * 60_000
const LOOK_FOR_IDLE_MS = 60 * 60_000
const IDLE_DEVICES = 100

export type OpenConnection = Readonly<{
  connection: Connection
  /** Undefined: the client begins anew. */
  token: SyncToken | undefined
  /** A newer request on the same connection has come, or the client has gone: nobody waits for this answer. */
  stopped: AbortSignal
}>

export type SlidingConnections = Readonly<{
  /** Throws `M_UNKNOWN_POS` (400), after which the client begins anew. */
  open: (requester: Requester, request: SlidingRequest, signal: AbortSignal) => OpenConnection
  /** Notes what an answer changes and gives its `pos`; writes it down behind the answer. */
  commit: (opened: OpenConnection, requester: Requester, request: SlidingRequest, answer: Answered) => string
}>

type Answered = Readonly<{ move: Move; place: Readonly<{ position: number; volatile: number }>; still: string | undefined; cause: string }>

/** Which sliding-sync connections there are and what each has been sent. spec: MSC4186 (connections) */
export function slidingConnections(server: Homeserver): SlidingConnections {
  const kept = new Map<string, Connection>()
  const running = new WeakMap<Connection, AbortController>()
  let rooms = 0
  let starts = 0
  let nextLookTs = 0

  const keep = (key: string, connection: Connection): void => {
    forget(key)
    kept.set(key, connection)
    rooms += connection.rooms.size
    for (const oldest of kept.keys()) {
      if ((rooms <= KEPT_ROOMS && kept.size <= KEPT_CONNECTIONS) || oldest === key) return
      forget(oldest)
    }
  }
  const forget = (key: string): void => {
    const connection = kept.get(key)
    if (!connection) return
    running.get(connection)?.abort()
    kept.delete(key)
    // What has come in since it was kept is counted with it when it is kept again.
    rooms = Math.max(0, rooms - connection.rooms.size)
  }

  const resumed = ({ userId, deviceId }: Requester, { connId, pos = '' }: SlidingRequest, key: string): [Connection, SyncToken] => {
    const token = parseSyncToken(pos)
    if (!token?.connection || token.position > server.notifier.seen.position) throw unknownPos()
    const usedSince = server.clock.now() - CONNECTION_LIMIT_MS
    const connection = kept.get(key) ?? (deviceId === null ? undefined : findConnection(server.store, { userId, deviceId, connId }, usedSince))
    if (!connection || connection.start !== token.connection.start || !resume(connection, token.connection.version, pos)) throw unknownPos()
    return [connection, token]
  }

  return {
    open(requester, request, signal) {
      const key = JSON.stringify([requester.userId, requester.deviceId, request.connId])
      dropIdle()
      const start = `${server.clock.now().toString(36)}${(starts++ % 1_296).toString(36).padStart(2, '0')}`
      const [connection, token] = request.pos === undefined ? [newConnection(start), undefined] : resumed(requester, request, key)
      keep(key, connection)
      const controller = new AbortController()
      running.set(connection, controller)
      if (signal.aborted) controller.abort()
      else signal.addEventListener('abort', () => controller.abort())
      return { connection, token, stopped: controller.signal }
    },

    commit({ connection, token }, { userId, deviceId }, request, { move, place, still, cause }) {
      if (hasTooManyWishes(connection, move)) throw unknownPos()
      const now = server.clock.now()
      const isMove = connection.version === 0 || isDurable(move, connection) || now - connection.usedTs > NOTE_USE_MS
      const from = connection.version
      if (isMove) connection.newest++
      const version = isMove ? connection.newest : from
      const position = Math.max(place.position, token?.position ?? 0)
      const pos = printSyncToken({ position, boot: server.bootId, volatile: place.volatile, connection: { start: connection.start, version } })
      connection.pending = { ...move, version, pos }
      connection.settled = still === undefined ? undefined : { request: request.text, lists: still }
      if (!isMove || deviceId === null) return pos
      connection.usedTs = now
      const { wishes, globalAccountData } = move
      const { connId } = request
      server.device(userId, deviceId).tell(
        { kind: 'moveConnection', connId, start: connection.start, from, version, rooms: groupSent(move.rooms), wishes, globalAccountData },
        cause,
      )
      return pos
    },
  }

  /** Devices that are not used any more do not tidy up by themselves. */
  function dropIdle(): void {
    const now = server.clock.now()
    if (now < nextLookTs) return
    nextLookTs = now + LOOK_FOR_IDLE_MS
    for (const { userId, deviceId } of listIdleDevices(server.store, now - CONNECTION_LIMIT_MS, IDLE_DEVICES))
      server.device(userId, deviceId).tell({ kind: 'dropIdleConnections' }, server.mintCause())
  }
}

const unknownPos = (): MatrixError => new MatrixError(400, 'M_UNKNOWN_POS', 'This position is not known any more; begin anew')
