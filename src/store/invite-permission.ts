import { type InvitePermission, invitePermission } from '#core/invite-permission.ts'
import type { UserId } from '#schema/identifiers.ts'
import { findAccountData } from './account-data.ts'
import type { Store } from './store.ts'

/** Whether someone may invite a local user, by what the user has stored. */
export function findInvitePermission(store: Store, userId: UserId, inviter: UserId): InvitePermission {
  const stored = (type: string) => findAccountData(store, userId, null, type)
  return invitePermission({
    permission: stored('m.invite_permission_config') ?? stored('org.matrix.msc4380.invite_permission_config'),
    rules: stored('org.matrix.msc4155.invite_permission_config'),
  }, inviter)
}
