/** Members that one device is remembered to have been told. */
export const REMEMBERED_MEMBERS = 2_000
/** Devices for which that is remembered. */
export const REMEMBERED_DEVICES = 500

/**
 * Which member events a device that loads members lazily has seen, so that they need not be sent with every message.
 * Forgetting is harmless: a member event is then sent once more. spec: client-server-api#lazy-loading-room-members
 */
export type SeenMembers = Map<string, ToldMembers>
export type ToldMembers = {
  readonly events: Map<string, Told>
  /** The newest position of all of them. */
  newest: number
}
/** A member event, and the position of the token with which it was told. */
export type Told = Readonly<{ event: number; at: number }>

export function seenBy(all: SeenMembers, device: string): ToldMembers {
  const known = all.get(device)
  if (known) return known
  const fresh = noneTold()
  if (all.size >= REMEMBERED_DEVICES) all.delete(all.keys().next().value ?? '')
  all.set(device, fresh)
  return fresh
}

export const noneTold = (): ToldMembers => ({ events: new Map(), newest: 0 })

/**
 * A device that asks from behind an answer never got it, and will not go through its token: what that answer told
 * has to be told again, whatever the device gets next.
 */
export function forgetUnreceived(seen: ToldMembers, since: number): void {
  if (seen.newest <= since) return
  for (const [key, { at }] of seen.events) if (at > since) seen.events.delete(key)
  seen.newest = since
}

const keyOf = (roomId: string, userId: string): string => `${roomId} ${userId}`

/** Whether a device that has everything up to `since` knows this member event of the user: sent is not received. */
export function hasSeen({ events }: ToldMembers, roomId: string, userId: string, { event, since }: Readonly<{ event: number; since: number }>): boolean {
  const told = events.get(keyOf(roomId, userId))
  return told !== undefined && told.event === event && told.at <= since
}

export function noteSeen(seen: ToldMembers, roomId: string, userId: string, told: Told): void {
  if (seen.events.size >= REMEMBERED_MEMBERS) seen.events.clear()
  seen.events.set(keyOf(roomId, userId), told)
  seen.newest = Math.max(seen.newest, told.at)
}
