import { pack, unpack } from 'msgpackr'
import { type Connection, newConnection, type SentRoom } from '#core/sync/connection.ts'
import { type DeviceId, deviceIdOf, type RoomId, type UserId } from '#schema/identifiers.ts'
import type { ConnectionMoved, ConnectionsDropped, SentAlike } from '#schema/journal/sliding-sync.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Table `sliding_connections`. Rooms are kept by number, those that were sent alike together. */
type Kept = { rooms: [Alike, number[]][]; wishes: string[]; globalAccountData: number }
type Alike = [sent: number, covered: number, wish: number, receipts: number, accountData: number, isDm: boolean]
type Row = { start: string; version: number; base: Uint8Array; pending_version: number; pending: Uint8Array; used_ts: number }

const EMPTY: Kept = { rooms: [], wishes: [], globalAccountData: 0 }
const COLUMNS = 'start, version, base, pending_version, pending, used_ts'

const alikeOf = ({ sent, covered, wish, receipts, accountData, isDm }: SentAlike): Alike => [sent, covered, wish, receipts, accountData, isDm]
const sentOf = ([sent, covered, wish, receipts, accountData, isDm]: Alike): SentRoom => ({ sent, covered, wish, receipts, accountData, isDm })

export const projectConnectionMoved: Project<ConnectionMoved> = ({ db, names }, fact) => {
  const { connId, start, from, version, rooms, wishes, globalAccountData, ts } = fact
  const key = [names.numberOf(fact.userId), names.numberOf(fact.deviceId), connId] as const
  const row = db.query<Row, [number, number, string]>(`SELECT ${COLUMNS} FROM sliding_connections WHERE user = ? AND device = ? AND conn_id = ?`).get(...key)
  const base = from === 0 ? EMPTY : row && row.start === start ? stateAt(row, from) : undefined
  if (!base) {
    // A move is missing: the client will have to begin anew.
    db.query('DELETE FROM sliding_connections WHERE user = ? AND device = ? AND conn_id = ?').run(...key)
    return
  }
  const pending: Kept = {
    rooms: rooms.map(([alike, roomIds]) => [alikeOf(alike), roomIds.map((roomId) => names.numberOf(roomId))]),
    wishes: [...wishes],
    globalAccountData,
  }
  db.query(`
    INSERT OR REPLACE INTO sliding_connections (user, device, conn_id, start, version, base, pending_version, pending, used_ts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  `).run(...key, start, from, pack(base), version, pack(pending), ts)
}

/** The state of a version that the row still has. */
function stateAt(row: Row, version: number): Kept | undefined {
  const base = unpack(row.base) as Kept
  if (row.version === version) return base
  return row.pending_version === version ? fold(base, unpack(row.pending) as Kept) : undefined
}

function fold(base: Kept, pending: Kept): Kept {
  const moved = new Set(pending.rooms.flatMap(([, rooms]) => rooms))
  const kept = base.rooms
    .map(([alike, rooms]): [Alike, number[]] => [alike, rooms.filter((room) => !moved.has(room))])
    .filter(([, rooms]) => rooms.length > 0)
  const groups = new Map(kept.map(([alike, rooms]) => [alike.join(' '), [alike, rooms] as [Alike, number[]]]))
  for (const [alike, rooms] of pending.rooms) {
    const group = groups.get(alike.join(' '))
    if (group) group[1].push(...rooms)
    else groups.set(alike.join(' '), [alike, [...rooms]])
  }
  return { rooms: [...groups.values()], wishes: [...base.wishes, ...pending.wishes], globalAccountData: pending.globalAccountData }
}

const remove = ({ db, names }: Store, userId: UserId, deviceId: DeviceId, connId: string): void =>
  void db.query('DELETE FROM sliding_connections WHERE user = ? AND device = ? AND conn_id = ?')
    .run(names.numberOf(userId), names.numberOf(deviceId), connId)

export const projectConnectionsDropped: Project<ConnectionsDropped> = (store, { userId, deviceId, connIds }) => {
  for (const connId of connIds) remove(store, userId, deviceId, connId)
}

/** For projectors: a device is gone. */
export const deleteConnectionsOf = ({ db, names }: Store, userId: UserId, deviceId: DeviceId): void =>
  void db.query('DELETE FROM sliding_connections WHERE user = ? AND device = ?').run(names.numberOf(userId), names.numberOf(deviceId))

export type ConnectionName = Readonly<{ userId: UserId; deviceId: DeviceId; connId: string }>

/** The connection as it stands on disk, with its newest state as the one that is pending; undefined where it was last used before `usedSince`. */
export function findConnection({ db, names }: Store, { userId, deviceId, connId }: ConnectionName, usedSince: number): Connection | undefined {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return undefined
  const row = db
    .query<Row, [number, number, string, number]>(`
      SELECT ${COLUMNS} FROM sliding_connections WHERE user = ? AND device = ? AND conn_id = ? AND used_ts >= ?`)
    .get(user, device, connId, usedSince)
  if (!row) return undefined
  const roomsOf = ({ rooms }: Kept): Map<RoomId, SentRoom> =>
    new Map(rooms.flatMap(([alike, nums]) => {
      const sent = sentOf(alike)
      return nums.map((num): [RoomId, SentRoom] => [names.textOf(num) as RoomId, sent])
    }))
  const [base, pending] = [unpack(row.base) as Kept, unpack(row.pending) as Kept]
  return {
    ...newConnection(row.start),
    version: row.version,
    newest: row.pending_version,
    rooms: roomsOf(base),
    wishes: [...base.wishes],
    globalAccountData: base.globalAccountData,
    isForgetful: true,
    pending: { ...pending, rooms: roomsOf(pending), version: row.pending_version, pos: '', members: new Map(), typing: new Map(), counts: new Map() },
    usedTs: row.used_ts,
  }
}

/** Devices with connections that were last used before `before`; at most `limit`. */
export const listIdleDevices = ({ db, names }: Store, before: number, limit: number): { userId: UserId; deviceId: DeviceId }[] =>
  db
    .query<{ user: number; device: number }, [number, number]>(
      'SELECT DISTINCT user, device FROM sliding_connections WHERE used_ts < ? LIMIT ?')
    .all(before, limit)
    .map(({ user, device }) => ({ userId: names.textOf(user) as UserId, deviceId: deviceIdOf(names.textOf(device)) }))
