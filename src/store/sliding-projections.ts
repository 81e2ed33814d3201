import type { DeviceFact } from '#schema/journal/device.ts'
import type { SlidingSyncFact } from '#schema/journal/sliding-sync.ts'
import type { ThreadSubscriptionFact } from '#schema/journal/thread-subscriptions.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { e2eeProjections } from './e2ee-projections.ts'
import type { ProjectionsOf } from './projectors.ts'
import { deleteConnectionsOf, projectConnectionMoved, projectConnectionsDropped } from './sliding-connections.ts'
import { deleteThreadSubscriptionsOf, projectThreadSubscribed, projectThreadUnsubscribed } from './thread-subscriptions.ts'

type SharedFact = Extract<DeviceFact, { kind: 'deviceDeleted' }> | Extract<UserFact, { kind: 'userDeactivated' }>

/** Facts of sliding sync, and those that end what it keeps; the latter stand in place of their entry in `e2eeProjections`. */
export const slidingProjections: ProjectionsOf<SlidingSyncFact | ThreadSubscriptionFact | SharedFact> = {
  connectionMoved: { project: projectConnectionMoved },
  connectionsDropped: { project: projectConnectionsDropped },
  threadSubscribed: { project: projectThreadSubscribed },
  threadUnsubscribed: { project: projectThreadUnsubscribed },
  deviceDeleted: { project: projectRemovedDevice },
  userDeactivated: { project: projectClosedAccount },
}

function projectRemovedDevice(...row: Parameters<typeof e2eeProjections.deviceDeleted.project>): void {
  const [store, { userId, deviceId }] = row
  deleteConnectionsOf(store, userId, deviceId)
  e2eeProjections.deviceDeleted.project(...row)
}

function projectClosedAccount(...row: Parameters<typeof e2eeProjections.userDeactivated.project>): void {
  const [store, { userId }] = row
  deleteThreadSubscriptionsOf(store, userId)
  e2eeProjections.userDeactivated.project(...row)
}
