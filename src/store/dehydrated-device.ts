import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { DehydratedDeviceCleared, DehydratedDeviceSet } from '#schema/journal/dehydrated-device.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export const projectDehydratedDeviceSet: Project<DehydratedDeviceSet> = (
  { db, names },
  { userId, deviceId, deviceData },
) => {
  db.query('INSERT OR REPLACE INTO dehydrated_devices (user, device, device_data) VALUES (?, ?, ?)').run(
    names.numberOf(userId),
    names.numberOf(deviceId),
    deviceData,
  )
}

export const projectDehydratedDeviceCleared: Project<DehydratedDeviceCleared> = ({ db, names }, { userId }) => {
  db.query('DELETE FROM dehydrated_devices WHERE user = ?').run(names.numberOf(userId))
}

/** A device that was removed can receive for nobody. */
export function deleteDehydratedDevice({ db, names }: Store, userId: UserId, deviceId: DeviceId): void {
  db.query('DELETE FROM dehydrated_devices WHERE user = ? AND device = ?').run(
    names.numberOf(userId),
    names.numberOf(deviceId),
  )
}

/** `deviceData` is JSON. */
export function findDehydratedDevice(
  { db, names }: Store,
  userId: UserId,
): { deviceId: DeviceId; deviceData: string } | undefined {
  const row = db
    .query<{ device: number; device_data: string }, [number]>(
      'SELECT device, device_data FROM dehydrated_devices WHERE user = ?',
    )
    .get(names.find(userId) ?? -1)
  return row ? { deviceId: deviceIdOf(names.textOf(row.device)), deviceData: row.device_data } : undefined
}
