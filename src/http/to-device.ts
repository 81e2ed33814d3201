import type { SyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import type { DeviceInbox } from '#store/device-inboxes.ts'
import { keyCounts } from '#store/sync/encryption.ts'
import type { Requester } from './endpoint.ts'

/**
 * Up to where a client that comes with this token, or with none, has its messages to the device; further ones may have been waiting
 * when the token was made. Never past what this server has: a token may be older than the backup it was restored from.
 */
export const receivedUpTo = (server: Homeserver, token: SyncToken | undefined): number =>
  token ? Math.min(token.toDevice ?? token.position, server.notifier.seen.position) : 0

/**
 * Deletes what the device has shown to have received; resolves, when that is on disk, with what a sync says about the
 * device. Costs one look into the store when there is nothing to delete.
 * spec: client-server-api#send-to-device-messaging
 */
export async function acknowledgeToDevice(server: Homeserver, { userId, deviceId }: Requester, upTo: number, cause: string): Promise<DeviceInbox> {
  const inbox = keyCounts(server.store, userId, deviceId)
  if (deviceId === null || inbox.oldestMessage === null || inbox.oldestMessage > upTo) return inbox
  await server.device(userId, deviceId).ask({ kind: 'toDeviceSeen', upTo }, cause)
  return keyCounts(server.store, userId, deviceId)
}
