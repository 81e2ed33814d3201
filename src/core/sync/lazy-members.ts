/** Members that one device is remembered to have been told. */
export const REMEMBERED_MEMBERS = 2_000
/** Devices for which that is remembered. */
export const REMEMBERED_DEVICES = 500

/**
 * Which member events a device that loads members lazily has seen, so that they need not be sent with every message.
 * Forgetting is harmless: a member event is then sent once more. spec: client-server-api#lazy-loading-room-members
 */
export type SeenMembers = Map<string, ToldMembers>
export type ToldMembers = Map<string, Told>
/** A member event, and the position of the token with which it was told. */
export type Told = Readonly<{ event: number; at: number }>

export function seenBy(all: SeenMembers, device: string): ToldMembers {
  const known = all.get(device)
  if (known) return known
  const fresh: ToldMembers = new Map()
  if (all.size >= REMEMBERED_DEVICES) all.delete(all.keys().next().value ?? '')
  all.set(device, fresh)
  return fresh
}

const keyOf = (roomId: string, userId: string): string => `${roomId} ${userId}`

/** Whether a device that has everything up to `since` knows this member event of the user: sent is not received. */
export function hasSeen(seen: ReadonlyMap<string, Told>, roomId: string, userId: string, { event, since }: Readonly<{ event: number; since: number }>): boolean {
  const told = seen.get(keyOf(roomId, userId))
  return told !== undefined && told.event === event && told.at <= since
}

export function noteSeen(seen: ToldMembers, roomId: string, userId: string, told: Told): void {
  if (seen.size >= REMEMBERED_MEMBERS) seen.clear()
  seen.set(keyOf(roomId, userId), told)
}
