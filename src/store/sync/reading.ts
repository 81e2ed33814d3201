import type { Unsigned } from '#core/sync/client-event.ts'
import type { StatePlace } from '#core/stripped-state.ts'
import type { SyncFilter } from '#core/sync/filter.ts'
import type { ToldMembers } from '#core/sync/lazy-members.ts'
import type { Ring } from '#actors/effects.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { Store } from '#store/store.ts'
import type { ChangedAccountData } from './account-data.ts'

/** Everything that one sync answer is read by. */
export type Reading = Readonly<{
  store: Store
  userId: UserId
  /** `user device`, for transaction ids. */
  device: string
  filter: SyncFilter
  /** The position of the token; 0 in an initial sync. */
  since: number
  /** The position this answer goes up to. */
  until: number
  isInitial: boolean
  isFullState: boolean
  stateAfter: false | 'state_after' | 'org.matrix.msc4222.state_after'
  now: number
  /** Which member events this device has been told. */
  seenMembers: ToldMembers
  ignored: ReadonlySet<string>
  /** What is told of rooms to those who are invited to them; absent: the usual. */
  prejoinState?: readonly StatePlace[]
  /** The most events of a timeline, whatever the filter says; absent: the usual. */
  timelineLimit?: number
  accountData: ChangedAccountData
  /** False when nothing of that sort has happened in the room since the token. */
  mayHaveMoved: (roomId: RoomId, about: Ring) => boolean
  /** The newest position at which the room moved, where that is known to lie behind the token. */
  movedAt: (roomId: RoomId) => number | undefined
  /** Who types, where that has changed since, or at all to whom the room is new. */
  typingIn: (roomId: RoomId, isNew: boolean) => readonly UserId[] | undefined
}>

export const unsignedFor = ({ now, device }: Reading, membership: string): Unsigned => ({ now, device, membership })
