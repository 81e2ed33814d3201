import type { Batch } from '#actors/kernel/journal.ts'
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import { type DeviceInbox, EMPTY_INBOX, findDeviceInbox } from './device-inboxes.ts'
import type { Store } from './store.ts'

/** Devices whose row is kept at hand; past this all are looked up anew. */
const CACHED_INBOXES = 20_000

export type InboxCache = Readonly<{
  /** An application service may come without a device, and such a one has no keys and no messages. */
  find: (userId: UserId, deviceId: DeviceId | null) => DeviceInbox
  /** To be told of every batch once it is on disk. */
  committed: (batch: Batch) => void
}>

/** Every sync answer holds its device's row, and hardly any finds it changed. */
export function inboxCache(store: Store): InboxCache {
  const inboxes = new Map<string, DeviceInbox>()
  return {
    find(userId, deviceId) {
      if (deviceId === null) return EMPTY_INBOX
      const key = `device/${userId}/${deviceId}`
      const known = inboxes.get(key)
      if (known) return known
      const inbox = findDeviceInbox(store, userId, deviceId)
      if (inboxes.size >= CACHED_INBOXES) inboxes.clear()
      inboxes.set(key, inbox)
      return inbox
    },
    committed({ rows }) {
      // A device's row changes by its own facts alone, and the key is its address.
      for (const { actor } of rows) inboxes.delete(actor)
    },
  }
}
