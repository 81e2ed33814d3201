import type { ClientEvent } from '#core/sync/client-event.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'
import type { Reading } from './reading.ts'

/** Windows that were read last, and how far behind the newest position one may begin. */
const RECENT_WINDOWS = 512
const recentWindows = new WeakMap<Store, Map<string, readonly ClientEvent[]>>()

type Window = Readonly<{ roomId: RoomId; since: number; until: number }>

/**
 * What is read of a room between two positions, once for everyone who waits in it: all of them ask for the same at the
 * same time. Any change in the room moves it and with it the key, so what is remembered is never out of date. `what` names
 * the question, with everything else that its answer depends on.
 */
export function sharedWindow(
  { store, movedAt }: Reading,
  what: string,
  { roomId, since, until }: Window,
  read: () => readonly ClientEvent[],
): readonly ClientEvent[] {
  const moved = movedAt(roomId)
  if (moved === undefined || since < moved - RECENT_WINDOWS || until < moved) return read()
  const windows = recentWindows.get(store) ?? new Map<string, readonly ClientEvent[]>()
  recentWindows.set(store, windows)
  const key = `${what} ${roomId} ${since} ${moved}`
  const known = windows.get(key)
  if (known) return known
  const events = read()
  if (windows.size >= RECENT_WINDOWS) windows.clear()
  windows.set(key, events)
  return events
}
