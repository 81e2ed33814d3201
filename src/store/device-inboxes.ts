import type { DeviceId, UserId } from '#schema/identifiers.ts'
import type { Store } from './store.ts'

/** What every sync answer says about its device, in one row. */
export type DeviceInbox = Readonly<{
  /** JSON: also zero, of every algorithm that the device ever had. */
  oneTimeKeyCounts: string
  /** JSON. */
  unusedFallbackTypes: string
  /** Position of the oldest message that waits; null: none does. */
  oldestMessage: number | null
  /** The device has acknowledged everything up to this position. */
  seen: number
}>

// Some clients take an algorithm that is not named for one whose count has not changed, and run dry.
const NO_KEYS = { signed_curve25519: 0 }

export const EMPTY_INBOX: DeviceInbox = {
  oneTimeKeyCounts: JSON.stringify(NO_KEYS),
  unusedFallbackTypes: '[]',
  oldestMessage: null,
  seen: 0,
}

export function findDeviceInbox({ db, names }: Store, userId: UserId, deviceId: DeviceId): DeviceInbox {
  const [user, device] = [names.find(userId), names.find(deviceId)]
  if (user === undefined || device === undefined) return EMPTY_INBOX
  return (
    db
      .query<DeviceInbox, [number, number]>(
        `
      SELECT one_time_key_counts AS oneTimeKeyCounts, unused_fallback_types AS unusedFallbackTypes,
             oldest_message AS oldestMessage, seen
        FROM device_inboxes WHERE user = ? AND device = ?`,
      )
      .get(user, device) ?? EMPTY_INBOX
  )
}

/** The numbers of a user and a device of theirs. */
export type Owner = readonly [user: number, device: number]

export const ownerOf = ({ names }: Store, userId: UserId, deviceId: DeviceId): Owner => [
  names.numberOf(userId),
  names.numberOf(deviceId),
]

/** For projectors: makes the row say what the key tables say. */
export function recountKeys({ db }: Store, owner: Owner): void {
  const known = db
    .query<{ counts: string }, [number, number]>(
      'SELECT one_time_key_counts AS counts FROM device_inboxes WHERE user = ? AND device = ?',
    )
    .get(...owner)
  const counts = Object.keys(known ? (JSON.parse(known.counts) as object) : NO_KEYS).map(
    (algorithm) => [algorithm, 0] as const,
  )
  const rows = db
    .query<{ algorithm: string; count: number }, [number, number]>(
      `
      SELECT algorithm, count(*) FILTER (WHERE claimed IS NULL) AS count FROM one_time_keys
       WHERE user = ? AND device = ? GROUP BY algorithm`,
    )
    .all(...owner)
  const now = Object.fromEntries([...counts, ...rows.map(({ algorithm, count }) => [algorithm, count] as const)])
  const unused = db
    .query<{ algorithm: string }, [number, number]>(
      'SELECT algorithm FROM fallback_keys WHERE user = ? AND device = ? AND is_used = 0 ORDER BY algorithm',
    )
    .all(...owner)
    .map(({ algorithm }) => algorithm)
  db.query(
    `
    INSERT INTO device_inboxes (user, device, one_time_key_counts, unused_fallback_types, seen) VALUES (?1, ?2, ?3, ?4, 0)
    ON CONFLICT (user, device) DO UPDATE SET one_time_key_counts = ?3, unused_fallback_types = ?4
  `,
  ).run(...owner, JSON.stringify(now), JSON.stringify(unused))
}

/** For projectors: makes the row say what waits in `to_device`. */
export function remarkOldestMessage({ db }: Store, owner: Owner, seen = 0): void {
  db.query(
    `
    INSERT INTO device_inboxes (user, device, one_time_key_counts, unused_fallback_types, oldest_message, seen)
    VALUES (?1, ?2, ?3, ?4, (SELECT min(position) FROM to_device WHERE user = ?1 AND device = ?2), ?5)
    ON CONFLICT (user, device) DO UPDATE SET oldest_message = excluded.oldest_message, seen = max(seen, ?5)
  `,
  ).run(...owner, EMPTY_INBOX.oneTimeKeyCounts, EMPTY_INBOX.unusedFallbackTypes, seen)
}
