import type { SyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { keyCounts } from '#store/sync/encryption.ts'
import type { Requester } from './endpoint.ts'

/**
 * Up to where a client that comes with this token has its messages to the device; further messages may have been waiting
 * when the token was made. Never past what this server has: a token may be older than the backup it was restored from.
 */
export const receivedUpTo = (server: Homeserver, { toDevice, position }: SyncToken): number =>
  Math.min(toDevice ?? position, server.notifier.seen.position)

/**
 * Deletes what the device has shown to have received; resolves when that is on disk. Costs one look into the store when
 * there is nothing to delete. spec: client-server-api#send-to-device-messaging
 */
export async function acknowledgeToDevice(server: Homeserver, { userId, deviceId }: Requester, upTo: number, cause: string): Promise<void> {
  if (deviceId === null) return
  const { oldestMessage } = keyCounts(server.store, userId, deviceId)
  if (oldestMessage === null || oldestMessage > upTo) return
  await server.device(userId, deviceId).ask({ kind: 'toDeviceSeen', upTo }, cause)
}
