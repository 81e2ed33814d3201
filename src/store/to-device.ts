import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { ToDeviceCrowdedOut, ToDeviceDropped, ToDeviceQueued, ToDeviceSeen } from '#schema/journal/to-device.ts'
import { ownerOf, remarkOldestMessage } from './device-inboxes.ts'
import type { Hydrate, Project } from './projectors.ts'
import type { Store } from './store.ts'

const project: Project<ToDeviceQueued> = (store, { userId, deviceId, messageId, sender, ts, json }, position) => {
  const owner = ownerOf(store, userId, deviceId)
  store.db
    .query('INSERT INTO to_device (position, user, device, message_id, sender, ts, json) VALUES (?, ?, ?, ?, ?, ?, ?)')
    .run(position, ...owner, messageId, store.names.numberOf(sender), ts, json)
  remarkOldestMessage(store, owner)
}

/** Of a message that is gone only its place is left; a later fact of the same device names it. */
const hydrate: Hydrate<ToDeviceQueued> = ({ db }, position, actorId) => {
  const slash = actorId.indexOf('/', actorId.indexOf(':'))
  const userId = actorId.slice(0, slash) as UserId
  const row = db
    .query<{ messageId: string; sender: UserId; ts: number; json: string }, [number]>(
      'SELECT message_id AS messageId, n.name AS sender, ts, json FROM to_device JOIN names n ON n.num = sender WHERE position = ?',
    )
    .get(position) ?? { messageId: `gone ${position}`, sender: userId, ts: 0, json: '' }
  return { kind: 'toDeviceQueued', userId, deviceId: deviceIdOf(actorId.slice(slash + 1)), ...row }
}

export const toDeviceQueuedRow = { project, hydrate }

export const projectToDeviceSeen: Project<ToDeviceSeen> = (store, { userId, deviceId, upTo }) => {
  deleteUpTo(store, userId, deviceId, upTo)
  remarkOldestMessage(store, ownerOf(store, userId, deviceId), upTo)
}

export const projectToDeviceDropped: Project<ToDeviceDropped> = (store, { userId, deviceId, upTo }) => {
  deleteUpTo(store, userId, deviceId, upTo)
  remarkOldestMessage(store, ownerOf(store, userId, deviceId))
}

export const projectToDeviceCrowdedOut: Project<ToDeviceCrowdedOut> = (store, { userId, deviceId, positions }) => {
  for (const position of positions) store.db.query('DELETE FROM to_device WHERE position = ?').run(position)
  remarkOldestMessage(store, ownerOf(store, userId, deviceId))
}

/** All that waits for a device that is no more. */
export const deleteMessagesTo = (store: Store, userId: UserId, deviceId: DeviceId): void =>
  deleteUpTo(store, userId, deviceId, Number.MAX_SAFE_INTEGER)

function deleteUpTo(store: Store, userId: UserId, deviceId: DeviceId, upTo: number): void {
  store.db
    .query('DELETE FROM to_device WHERE user = ? AND device = ? AND position <= ?')
    .run(...ownerOf(store, userId, deviceId), upTo)
}

export type ToDeviceRow = Readonly<{ position: number; json: string }>

/** What waits for a device between two positions, oldest first; at most `limit`. */
export function listToDevice(
  { db, names }: Store,
  {
    userId,
    deviceId,
    after,
    until,
    limit,
  }: { userId: UserId; deviceId: DeviceId; after: number; until: number; limit: number },
): ToDeviceRow[] {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return []
  return db
    .query<ToDeviceRow, [number, number, number, number, number]>(
      `
      SELECT position, json FROM to_device
       WHERE user = ? AND device = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`,
    )
    .all(user, device, after, until, limit)
}

/** Of the messages that have waited longest, so many are looked at. */
const OLDEST_LOOKED_AT = 1_000

/** Devices that have not fetched a message from before that time. Positions are given in the order of time. */
export const listStaleInboxes = ({ db, names }: Store, beforeTs: number): { userId: UserId; deviceId: DeviceId }[] =>
  db
    .query<{ user: number; device: number }, [number, number]>(
      'SELECT DISTINCT user, device FROM (SELECT user, device, ts FROM to_device ORDER BY position LIMIT ?) WHERE ts < ?',
    )
    .all(OLDEST_LOOKED_AT, beforeTs)
    .map(({ user, device }) => ({ userId: names.textOf(user) as UserId, deviceId: deviceIdOf(names.textOf(device)) }))
