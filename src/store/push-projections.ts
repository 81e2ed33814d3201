import type { DeviceFact } from '#schema/journal/device.ts'
import type { PushFact, PushRulesChanged } from '#schema/journal/push.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import type { AccountDataDeleted, AccountDataSet, UserDeactivated, UserFact } from '#schema/journal/user.ts'
import { projectUnreadExpired } from './expired-events.ts'
import { deleteNotificationsOf } from './notifications.ts'
import type { AnyProjection, Project, ProjectionsOf } from './projectors.ts'
import { deletePushRulesOf, projectPushRulesChanged } from './push-rules.ts'
import { deletePushersOf, projectPusherDeleted, projectPusherSet, projectPushersOfDevice } from './pushers.ts'
import { projectUnread, projectUnreadRedaction } from './unread-counters.ts'
import { projectAudience, projectReadMark, reclassify } from './unread-readers.ts'

const projectRules: Project<PushRulesChanged> = (...row) => {
  const [store, { userId }, position] = row
  projectPushRulesChanged(...row)
  reclassify(store, userId, position)
}

/** Facts of push rules and pushers, and the tables they become. */
export const pushProjections: ProjectionsOf<PushFact> = {
  pushRulesChanged: { project: projectRules },
  pusherSet: { project: projectPusherSet },
  pusherDeleted: { project: projectPusherDeleted },
}

/** Who is ignored does not notify. */
const projectIgnored: Project<AccountDataSet | AccountDataDeleted> = (store, { userId, roomId, type }, position) => {
  if (roomId === null && type === 'm.ignored_user_list') reclassify(store, userId, position)
}

const projectClosedAccount: Project<UserDeactivated> = (store, { userId }, position) => {
  deletePushRulesOf(store, userId)
  deletePushersOf(store, userId)
  deleteNotificationsOf(store, userId)
  reclassify(store, userId, position)
}

type Followed = RoomFact | UserFact | DeviceFact

/** What the counts learn from a fact of others before it is in the tables, so that they see the room as it was. */
const before: { readonly [K in Followed['kind']]?: Project<Extract<Followed, { kind: K }>> } = {
  eventAppended: projectUnread,
  eventRedacted: projectUnreadRedaction,
  eventsExpired: projectUnreadExpired,
  messageSelfDestructed: projectUnreadRedaction,
}

/** And what they learn when it is. */
const after: typeof before = {
  eventAppended: projectAudience,
  receiptPosted: projectReadMark,
  accountDataSet: projectIgnored,
  accountDataDeleted: projectIgnored,
  userDeactivated: projectClosedAccount,
  deviceDeleted: projectPushersOfDevice,
}

type AnyProject = AnyProjection['project']

/** The same projections, with notifications and counts kept beside what the facts of others become. */
export const followedByPush = (projections: Readonly<Record<string, AnyProjection>>): Record<string, AnyProjection> =>
  Object.fromEntries(Object.entries(projections).map(([kind, projection]) => {
    const phases: Record<string, AnyProject>[] = [before, { [kind]: projection.project }, after]
    const steps = phases.flatMap((phase) => phase[kind] ?? [])
    if (steps.length === 1) return [kind, projection]
    const project: AnyProject = (...row) => {
      for (const step of steps) step(...row)
    }
    return [kind, { ...projection, project }]
  }))
