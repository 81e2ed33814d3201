import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type {
  DeviceCreated, DeviceDeleted, DeviceOriginForgotten, DeviceRenamed, DeviceSeen, SessionStarted,
} from '#schema/journal/device.ts'
import { deleteTokensOf } from './access-tokens.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export type DeviceRow = Readonly<{
  deviceId: DeviceId
  displayName: string | null
  createdTs: number
  lastSeenTs: number | null
  lastSeenIp: string | null
  lastSeenUserAgent: string | null
}>

/** The device's row; its tokens are written by `access-tokens.ts`. */
export const projectSessionOnDevice: Project<SessionStarted> = ({ db, names }, fact) => {
  const { userId, deviceId, displayName, ts, ipAddress, userAgent } = fact
  db.query(`
    INSERT INTO devices (user, device, display_name, created_ts, last_seen_ts, last_seen_ip, last_seen_user_agent)
    VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
    ON CONFLICT (user, device)
    DO UPDATE SET display_name = ?3, last_seen_ts = ?4, last_seen_ip = ?5, last_seen_user_agent = ?6
  `).run(names.numberOf(userId), names.numberOf(deviceId), displayName, ts, ipAddress, userAgent)
}

export const projectDeviceCreated: Project<DeviceCreated> = ({ db, names }, { userId, deviceId, displayName, ts }) => {
  db.query('INSERT INTO devices (user, device, display_name, created_ts) VALUES (?, ?, ?, ?)')
    .run(names.numberOf(userId), names.numberOf(deviceId), displayName, ts)
}

export const projectDeviceRenamed: Project<DeviceRenamed> = ({ db, names }, { userId, deviceId, displayName }) => {
  db.query('UPDATE devices SET display_name = ? WHERE user = ? AND device = ?')
    .run(displayName, names.numberOf(userId), names.numberOf(deviceId))
}

export const projectDeviceSeen: Project<DeviceSeen> = ({ db, names }, { userId, deviceId, ts, ipAddress, userAgent }) => {
  db.query('UPDATE devices SET last_seen_ts = ?, last_seen_ip = ?, last_seen_user_agent = ? WHERE user = ? AND device = ?')
    .run(ts, ipAddress, userAgent, names.numberOf(userId), names.numberOf(deviceId))
}

export const projectDeviceOriginForgotten: Project<DeviceOriginForgotten> = ({ db, names }, { userId, deviceId }) => {
  db.query('UPDATE devices SET last_seen_ip = NULL, last_seen_user_agent = NULL WHERE user = ? AND device = ?')
    .run(names.numberOf(userId), names.numberOf(deviceId))
}

export const projectDeviceDeleted: Project<DeviceDeleted> = (store, { userId, deviceId }) => {
  const { db, names } = store
  deleteTokensOf(store, userId, deviceId)
  db.query('DELETE FROM devices WHERE user = ? AND device = ?').run(names.numberOf(userId), names.numberOf(deviceId))
}

const SELECT_DEVICES = `
  SELECT
  n.name AS deviceId, display_name AS displayName, created_ts AS createdTs,
  last_seen_ts AS lastSeenTs, last_seen_ip AS lastSeenIp, last_seen_user_agent AS lastSeenUserAgent
  FROM devices JOIN names n ON n.num = device
`

/** All devices of a local user, in the order of their ids. */
export function listDevices({ db, names }: Store, userId: UserId): DeviceRow[] {
  const user = names.find(userId)
  if (user === undefined) return []
  return db
    .query<DeviceRow, [number]>(`${SELECT_DEVICES} WHERE user = ? ORDER BY n.name`)
    .all(user)
}

export function findDevice({ db, names }: Store, userId: UserId, deviceId: DeviceId): DeviceRow | undefined {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return undefined
  const row = db
    .query<DeviceRow, [number, number]>(`${SELECT_DEVICES} WHERE user = ? AND device = ?`)
    .get(user, device)
  return row ?? undefined
}

export function hasDevice({ db, names }: Store, userId: UserId, deviceId: DeviceId): boolean {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return false
  return db.query('SELECT 1 FROM devices WHERE user = ? AND device = ?').get(user, device) !== null
}

export function listDeviceIds({ db, names }: Store, userId: UserId): DeviceId[] {
  const user = names.find(userId)
  if (user === undefined) return []
  return db
    .query<{ device: number }, [number]>('SELECT device FROM devices WHERE user = ?')
    .all(user)
    .map(({ device }) => deviceIdOf(names.textOf(device)))
}

type Named = Readonly<{ userId: UserId; deviceId: DeviceId }>

const namedIn = ({ db, names }: Store, condition: string, until: number, limit: number): Named[] =>
  db
    .query<{ user: number; device: number }, [number, number]>(`SELECT user, device FROM devices WHERE last_seen_ts <= ? AND ${condition} LIMIT ?`)
    .all(until, limit)
    .map(({ user, device }) => ({ userId: names.textOf(user) as UserId, deviceId: deviceIdOf(names.textOf(device)) }))

/** Devices of which it is known from where they were used, and that were last used at `until` or before. */
export const listDevicesWithOrigin = (store: Store, until: number, limit: number): Named[] =>
  namedIn(store, '(last_seen_ip IS NOT NULL OR last_seen_user_agent IS NOT NULL)', until, limit)

/** Devices that were last used at `until` or before. */
export const listStaleDevices = (store: Store, until: number, limit: number): Named[] => namedIn(store, 'TRUE', until, limit)
