/** Members that one device is remembered to have been told. */
export const REMEMBERED_MEMBERS = 2_000
/** Devices for which that is remembered. */
export const REMEMBERED_DEVICES = 500

/**
 * Which member events a device that loads members lazily has seen, so that they need not be sent with every message.
 * Forgetting is harmless: a member event is then sent once more. spec: client-server-api#lazy-loading-room-members
 */
export type SeenMembers = Map<string, Map<string, number>>

export function seenBy(all: SeenMembers, device: string): Map<string, number> {
  const known = all.get(device)
  if (known) return known
  const fresh = new Map<string, number>()
  if (all.size >= REMEMBERED_DEVICES) all.delete(all.keys().next().value ?? '')
  all.set(device, fresh)
  return fresh
}

const keyOf = (roomId: string, userId: string): string => `${roomId} ${userId}`

/** Whether the device knows this member event of the user already. */
export const hasSeen = (seen: ReadonlyMap<string, number>, roomId: string, userId: string, event: number): boolean =>
  seen.get(keyOf(roomId, userId)) === event

export function noteSeen(seen: Map<string, number>, roomId: string, userId: string, event: number): void {
  if (seen.size >= REMEMBERED_MEMBERS) seen.clear()
  seen.set(keyOf(roomId, userId), event)
}
