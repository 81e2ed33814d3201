import type { JsonObject } from '#schema/pdu.ts'
import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { DeviceDeleted } from '#schema/journal/device.ts'
import type { Pusher, PusherDeleted, PusherSet } from '#schema/journal/push.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Pushers that an account may have; beyond it the one that was set longest ago goes. */
export const PUSHER_LIMIT = 100

export type PusherRow = Pusher & Readonly<{ userId: UserId; deviceId: DeviceId | null; ts: number }>

/** Table `pushers`. */
export const projectPusherSet: Project<PusherSet> = ({ db, names }, { userId, deviceId, pusher, ts }, position) => {
  const user = names.numberOf(userId)
  db.query(`
    INSERT OR REPLACE INTO pushers (
      app_id, pushkey, user, device, kind, app_display_name, device_display_name, profile_tag, lang, data, is_enabled, ts, position)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  `).run(
    pusher.appId,
    pusher.pushkey,
    user,
    deviceId === null ? null : names.numberOf(deviceId),
    pusher.kind,
    pusher.appDisplayName,
    pusher.deviceDisplayName,
    pusher.profileTag,
    pusher.lang,
    JSON.stringify(pusher.data),
    Number(pusher.isEnabled),
    ts,
    position,
  )
  db.query(`
    DELETE FROM pushers WHERE user = ?1 AND position <=
      (SELECT position FROM pushers WHERE user = ?1 ORDER BY position DESC LIMIT 1 OFFSET ${PUSHER_LIMIT})
  `).run(user)
}

export const projectPusherDeleted: Project<PusherDeleted> = ({ db, names }, { userId, appId, pushkey }) => {
  db.query('DELETE FROM pushers WHERE app_id = ? AND pushkey = ? AND user = ?').run(appId, pushkey, names.numberOf(userId))
}

/** Nothing is pushed to a device that was logged out. spec: client-server-api#post_matrixclientv3logout */
export const projectPushersOfDevice: Project<DeviceDeleted> = ({ db, names }, { userId, deviceId }) => {
  db.query('DELETE FROM pushers WHERE user = ? AND device = ?').run(names.numberOf(userId), names.numberOf(deviceId))
}

export const deletePushersOf = ({ db, names }: Store, userId: UserId): void =>
  void db.query('DELETE FROM pushers WHERE user = ?').run(names.numberOf(userId))

type Row = {
  kind: string
  app_id: string
  pushkey: string
  device: number | null
  app_display_name: string
  device_display_name: string
  profile_tag: string | null
  lang: string
  data: string
  is_enabled: number
  ts: number
}

/** All pushers of a user, the one that was set longest ago first. */
export function listPushers({ db, names }: Store, userId: UserId): PusherRow[] {
  return db
    .query<Row, [number]>('SELECT * FROM pushers WHERE user = ? ORDER BY position')
    .all(names.find(userId) ?? -1)
    .map((row) => ({
      userId,
      deviceId: row.device === null ? null : deviceIdOf(names.textOf(row.device)),
      kind: row.kind,
      appId: row.app_id,
      pushkey: row.pushkey,
      appDisplayName: row.app_display_name,
      deviceDisplayName: row.device_display_name,
      profileTag: row.profile_tag,
      lang: row.lang,
      data: JSON.parse(row.data) as JsonObject,
      isEnabled: row.is_enabled === 1,
      ts: row.ts,
    }))
}

/** The users who have a pusher with this app and key. */
export const listPusherOwners = ({ db, names }: Store, appId: string, pushkey: string): UserId[] =>
  db
    .query<{ user: number }, [string, string]>('SELECT user FROM pushers WHERE app_id = ? AND pushkey = ?')
    .all(appId, pushkey)
    .map(({ user }) => names.textOf(user) as UserId)
