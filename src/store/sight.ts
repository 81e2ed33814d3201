import { mayReadEvent, type Membership } from '#core/history-visibility.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from './store.ts'

/** What one reader may see of one room, from the few changes of its visibility and of their own membership. */
export type Sight = Readonly<{
  maySee: (num: number) => boolean
  /** The reader's membership right after the event of that number: `unsigned.membership`. */
  membershipAt: (num: number) => Membership
}>

type Change<T> = Readonly<{ position: number; value: T | undefined }>

const CHANGES = `
  SELECT c.position, e.json ->> ? AS value
    FROM state_changes c LEFT JOIN events e ON e.num = c.event
   WHERE c.room = ? AND c.type = ? AND c.state_key = ? ORDER BY c.position`

function changesOf<T extends string>(store: Store, path: string, roomId: RoomId, type: string, stateKey: string): Change<T>[] {
  const { db, names } = store
  const [room, typeNum, keyNum] = [names.find(roomId), names.find(type), names.find(stateKey)]
  if (room === undefined || typeNum === undefined || keyNum === undefined) return []
  return db
    .query<{ position: number; value: T | null }, [string, number, number, number]>(CHANGES)
    .all(path, room, typeNum, keyNum)
    .map(({ position, value }) => ({ position, value: value ?? undefined }))
}

/** The newest value at or before `position`. */
function valueAt<T>(changes: readonly Change<T>[], position: number): T | undefined {
  for (let at = changes.length - 1; at >= 0; at--) {
    const change = changes[at]
    if (change && change.position <= position) return change.value
  }
  return undefined
}

/** spec: client-server-api#room-history-visibility */
export function sightOf(store: Store, roomId: RoomId, userId: UserId): Sight {
  const visibility = changesOf<string>(store, '$.content.history_visibility', roomId, 'm.room.history_visibility', '')
  const membership = changesOf<Membership>(store, '$.content.membership', roomId, 'm.room.member', userId)
  const lastJoin = membership.findLast(({ value }) => value === 'join')?.position ?? -1
  const ownEvents = new Set(membership.map(({ position }) => position))
  return {
    maySee: (num) =>
      mayReadEvent({
        visibilityBefore: valueAt(visibility, num - 1),
        visibilityAfter: valueAt(visibility, num),
        membershipBefore: valueAt(membership, num - 1),
        membershipAfter: valueAt(membership, num),
        joinedSince: lastJoin > num,
        isOwnMembership: ownEvents.has(num),
      }).ok,
    membershipAt: (num) => valueAt(membership, num) ?? 'leave',
  }
}
