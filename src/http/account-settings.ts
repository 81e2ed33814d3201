import { isJsonObject } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import type { Watch } from '#notifier'
import type { UserId } from '#schema/identifiers.ts'
import { findAccountData } from '#store/account-data.ts'
import type { Store } from '#store/store.ts'

type Kept = { at: number; names: ReadonlySet<string> }

/** What one type of a user's account data says, read again only when that may have changed. */
const setting = (type: string, read: (content: JsonObject) => Iterable<string>) => {
  const kept = new WeakMap<Watch, Kept>()
  return ({ store, notifier }: Homeserver, watch: Watch): ReadonlySet<string> => {
    const known = kept.get(watch)
    if (known && !notifier.mayConcern(watch, 'account-data', known.at)) return known.names
    const at = notifier.seen.position
    const content = findAccountData(store, watch.userId, null, type)
    const names = new Set(content ? read(content) : [])
    kept.set(watch, { at, names })
    return names
  }
}

const IGNORED = 'm.ignored_user_list'
const ignoredIn = ({ ignored_users: users }: JsonObject): string[] => (isJsonObject(users) ? Object.keys(users) : [])

/** Users whom a user who syncs ignores. spec: client-server-api#ignoring-users */
export const ignoredUsers = setting(IGNORED, ignoredIn)

/** The same of any user, looked up each time. */
export const findIgnoredUsers = (store: Store, userId: UserId): ReadonlySet<string> =>
  new Set(ignoredIn(findAccountData(store, userId, null, IGNORED) ?? {}))

/** Rooms that a user has marked as direct. spec: client-server-api#direct-messaging */
export const directRooms = setting('m.direct', (content) =>
  Object.values(content).flatMap((rooms) => (Array.isArray(rooms) ? rooms.filter((room) => typeof room === 'string') : [])))
