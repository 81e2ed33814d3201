import { isSameKey } from '#core/cross-signing.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type {
  DeviceKeysDoubted,
  DeviceKeysUploaded,
  FallbackKeysUploaded,
  FallbackKeyUsed,
  OneTimeKeyClaimed,
  OneTimeKeysDropped,
  OneTimeKeysUploaded,
} from '#schema/journal/device-keys.ts'
import { projectBrokenInvariant } from './broken-invariants.ts'
import { projectDeviceListChange } from './device-lists.ts'
import { type Owner, ownerOf, recountKeys } from './device-inboxes.ts'
import { deleteSignaturesOn } from './key-signatures.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** Handed-out keys whose rows stay, so that the one who asked can read them. */
const CLAIMED_KEPT = 1_000

export const projectDeviceKeysUploaded: Project<DeviceKeysUploaded> = (
  store,
  { userId, deviceId, json, ed25519 },
  position,
) => {
  const { db } = store
  const owner = ownerOf(store, userId, deviceId)
  const before = db
    .query<{ json: string; ed25519: string | null }, [number, number]>(
      'SELECT json, ed25519 FROM device_keys WHERE user = ? AND device = ?',
    )
    .get(...owner)
  if (before && before.ed25519 !== ed25519) voidKeys(store, owner)
  if (before && !isSameKey(JSON.parse(before.json) as JsonObject, JSON.parse(json) as JsonObject))
    deleteSignaturesOn(store, userId, deviceId)
  db.query('INSERT OR REPLACE INTO device_keys (user, device, json, ed25519) VALUES (?, ?, ?, ?)').run(
    ...owner,
    json,
    ed25519,
  )
  projectDeviceListChange(store, userId, position)
}

/** What the old identity has signed nobody can verify any more. */
function voidKeys(store: Store, owner: Owner): void {
  store.db.query('DELETE FROM one_time_keys WHERE user = ? AND device = ? AND claimed IS NULL').run(...owner)
  store.db.query('DELETE FROM fallback_keys WHERE user = ? AND device = ?').run(...owner)
  recountKeys(store, owner)
}

export const projectOneTimeKeysUploaded: Project<OneTimeKeysUploaded> = (store, { userId, deviceId, keys }) => {
  const owner = ownerOf(store, userId, deviceId)
  const insert = store.db.query(
    'INSERT OR REPLACE INTO one_time_keys (user, device, algorithm, key_id, json) VALUES (?, ?, ?, ?, ?)',
  )
  for (const { algorithm, keyId, json } of keys) insert.run(...owner, algorithm, keyId, json)
  recountKeys(store, owner)
}

/** The table itself watches that a key is handed out once. */
export const projectOneTimeKeyClaimed: Project<OneTimeKeyClaimed> = (
  store,
  { userId, deviceId, algorithm, keyId },
  position,
) => {
  const owner = ownerOf(store, userId, deviceId)
  const { changes } = store.db
    .query(
      'UPDATE one_time_keys SET claimed = ? WHERE user = ? AND device = ? AND algorithm = ? AND key_id = ? AND claimed IS NULL',
    )
    .run(position, ...owner, algorithm, keyId)
  if (changes !== 1) projectBrokenInvariant(store, 'one-time key handed out twice', position)
  store.db
    .query(
      `
    DELETE FROM one_time_keys WHERE user = ?1 AND device = ?2 AND claimed <= (
      SELECT claimed FROM one_time_keys WHERE user = ?1 AND device = ?2 AND claimed IS NOT NULL
       ORDER BY claimed DESC LIMIT 1 OFFSET ${CLAIMED_KEPT})
  `,
    )
    .run(...owner)
  recountKeys(store, owner)
}

export const projectOneTimeKeysDropped: Project<OneTimeKeysDropped> = (store, { userId, deviceId }) => {
  const owner = ownerOf(store, userId, deviceId)
  store.db.query('DELETE FROM one_time_keys WHERE user = ? AND device = ? AND claimed IS NULL').run(...owner)
  recountKeys(store, owner)
}

export const projectDeviceKeysDoubted: Project<DeviceKeysDoubted> = (store, { userId }, position) =>
  projectDeviceListChange(store, userId, position)

export const projectFallbackKeysUploaded: Project<FallbackKeysUploaded> = (store, { userId, deviceId, keys }) => {
  const owner = ownerOf(store, userId, deviceId)
  const insert = store.db.query(
    'INSERT OR REPLACE INTO fallback_keys (user, device, algorithm, key_id, json) VALUES (?, ?, ?, ?, ?)',
  )
  for (const { algorithm, keyId, json } of keys) insert.run(...owner, algorithm, keyId, json)
  recountKeys(store, owner)
}

export const projectFallbackKeyUsed: Project<FallbackKeyUsed> = (store, { userId, deviceId, algorithm }) => {
  const owner = ownerOf(store, userId, deviceId)
  store.db
    .query('UPDATE fallback_keys SET is_used = 1 WHERE user = ? AND device = ? AND algorithm = ?')
    .run(...owner, algorithm)
  recountKeys(store, owner)
}

/** All keys of a device that is no more. */
export function deleteKeysOf(store: Store, userId: UserId, deviceId: DeviceId): void {
  const owner = ownerOf(store, userId, deviceId)
  for (const table of ['device_keys', 'one_time_keys', 'fallback_keys', 'device_inboxes'])
    store.db.query(`DELETE FROM ${table} WHERE user = ? AND device = ?`).run(...owner)
  deleteSignaturesOn(store, userId, deviceId)
}

export type DeviceKeysRow = Readonly<{ deviceId: DeviceId; keys: JsonObject; displayName: string | null }>

/** Every device that has published keys of any sort. */
export const listDevicesWithKeys = ({ db, names }: Store): { userId: UserId; deviceId: DeviceId }[] =>
  db
    .query<{ user: number; device: number }, []>(
      'SELECT user, device FROM device_keys UNION SELECT user, device FROM one_time_keys UNION SELECT user, device FROM fallback_keys',
    )
    .all()
    .map(({ user, device }) => ({ userId: names.textOf(user) as UserId, deviceId: deviceIdOf(names.textOf(device)) }))

/** The devices of a local user that have published keys, in the order of their ids. */
export function listDeviceKeys({ db, names }: Store, userId: UserId): DeviceKeysRow[] {
  const user = names.find(userId)
  if (user === undefined) return []
  return db
    .query<{ deviceId: DeviceId; json: string; displayName: string | null }, [number]>(
      `
      SELECT n.name AS deviceId, k.json, d.display_name AS displayName
        FROM device_keys k JOIN names n ON n.num = k.device LEFT JOIN devices d ON d.user = k.user AND d.device = k.device
       WHERE k.user = ? ORDER BY n.name`,
    )
    .all(user)
    .map(({ deviceId, json, displayName }) => ({ deviceId, displayName, keys: JSON.parse(json) as JsonObject }))
}

/** The key by which a device has signed its keys; null when it has signed none or there are none. */
export function findDeviceIdentity({ db, names }: Store, userId: UserId, deviceId: DeviceId): string | null {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return null
  return (
    db
      .query<{ ed25519: string | null }, [number, number]>(
        'SELECT ed25519 FROM device_keys WHERE user = ? AND device = ?',
      )
      .get(user, device)?.ed25519 ?? null
  )
}

/** The JSON of a one-time key, handed out or not. */
export const findOneTimeKey = (
  store: Store,
  userId: UserId,
  deviceId: DeviceId,
  algorithm: string,
  keyId: string,
): string | undefined => findKey(store, 'one_time_keys', [userId, deviceId, algorithm, keyId])

export const findFallbackKey = (
  store: Store,
  userId: UserId,
  deviceId: DeviceId,
  algorithm: string,
  keyId: string,
): string | undefined => findKey(store, 'fallback_keys', [userId, deviceId, algorithm, keyId])

type KeyPlace = readonly [userId: UserId, deviceId: DeviceId, algorithm: string, keyId: string]

function findKey(
  { db, names }: Store,
  table: 'one_time_keys' | 'fallback_keys',
  [userId, deviceId, algorithm, keyId]: KeyPlace,
) {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return undefined
  return db
    .query<{ json: string }, [number, number, string, string]>(
      `SELECT json FROM ${table} WHERE user = ? AND device = ? AND algorithm = ? AND key_id = ?`,
    )
    .get(user, device, algorithm, keyId)?.json
}
