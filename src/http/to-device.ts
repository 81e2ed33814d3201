import type { SyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import type { DeviceInbox } from '#store/device-inboxes.ts'
import type { Requester } from './endpoint.ts'

/**
 * Up to where a client that comes with this token, or with none, has its messages to the device. A token from later than
 * now, as there are after a backup was restored, says nothing: better twice than never.
 */
export function receivedUpTo(server: Homeserver, token: SyncToken | undefined): number {
  const upTo = token?.toDevice ?? token?.position ?? 0
  return upTo <= server.notifier.seen.position ? upTo : 0
}

/**
 * Whether a token is from later than now: then a snapshot of this machine was put back, and nobody knows which one-time
 * keys of the device have been handed out since. It starts over with them; only its own user can make it do so.
 */
export async function isFromLater(
  server: Homeserver,
  { userId, deviceId }: Requester,
  token: SyncToken | undefined,
  cause: string,
): Promise<boolean> {
  if (!token || token.position <= server.notifier.seen.position) return false
  if (deviceId !== null) await server.device(userId, deviceId).ask({ kind: 'dropOneTimeKeys' }, cause)
  return true
}

/**
 * Deletes what the device has shown to have received; resolves when that is on disk. False: there was nothing, and it
 * cost nothing. `inbox` is that of the device; after true it has changed.
 * spec: client-server-api#send-to-device-messaging
 */
export async function acknowledgeToDevice(
  server: Homeserver,
  { userId, deviceId }: Requester,
  { oldestMessage }: DeviceInbox,
  { upTo, cause }: Readonly<{ upTo: number; cause: string }>,
): Promise<boolean> {
  if (deviceId === null || oldestMessage === null || oldestMessage > upTo) return false
  await server.device(userId, deviceId).ask({ kind: 'toDeviceSeen', upTo }, cause)
  return true
}
