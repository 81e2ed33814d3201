import type { DeviceId, RoomId, UserId } from '#schema/identifiers.ts'
import { noteBrokenInvariant } from '#store/broken-invariants.ts'
import type { DeviceInbox } from '#store/device-inboxes.ts'
import { listDeviceListChanges } from '#store/device-lists.ts'
import type { Store } from '#store/store.ts'
import { listToDevice } from '#store/to-device.ts'

/** spec: client-server-api#extensions-to-sync */
export const TO_DEVICE_PER_SYNC = 100

export type ToDevicePage = Readonly<{
  /** Events as JSON texts, oldest first. */
  events: readonly string[]
  /** More is waiting: the next page begins after this position. Undefined: this was all up to `until`. */
  more: number | undefined
}>

export type ToDeviceWanted = Readonly<{
  userId: UserId
  deviceId: DeviceId | null
  /** The device has shown that it has everything up to this position. */
  after: number
  until: number
  limit?: number
}>

/** The next messages to a device. `inbox` is that of the device: where nothing waits, nothing is looked for. */
export function readToDevice(store: Store, inbox: DeviceInbox, wanted: ToDeviceWanted): ToDevicePage {
  const { userId, deviceId, after, until, limit = TO_DEVICE_PER_SYNC } = wanted
  if (deviceId === null || inbox.oldestMessage === null || inbox.oldestMessage > until)
    return { events: [], more: undefined }
  const rows = listToDevice(store, { userId, deviceId, after, until, limit: limit + 1 })
  const shown = rows.slice(0, limit).filter(({ position }) => isUnseen(store, position, inbox))
  return {
    events: shown.map(({ json }) => json),
    more: rows.length > limit ? rows[limit - 1]?.position : undefined,
  }
}

/** Acknowledged messages are deleted; should one be there all the same, it is not delivered, and counted. */
function isUnseen(store: Store, position: number, { seen }: DeviceInbox): boolean {
  if (position > seen) return true
  noteBrokenInvariant(store, 'to-device message delivered after its acknowledgement')
  return false
}

export type DeviceListsWanted = Readonly<{ userId: UserId; since: number; until: number; rooms: Iterable<RoomId> }>

/** `device_lists` as JSON; undefined when nothing has changed. `rooms`: those of the reader that may have moved. */
export function readDeviceLists(store: Store, wanted: DeviceListsWanted): string | undefined {
  const { changed, left } = listDeviceListChanges(store, wanted)
  return changed.length + left.length > 0 ? JSON.stringify({ changed, left }) : undefined
}
