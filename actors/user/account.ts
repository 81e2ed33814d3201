import { ringUsers } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { forbidden, type MatrixError, notFound, userDeactivated, userInUse } from '#schema/matrix-error.ts'
import type { Account, User, UserApply, UserDecide } from './memory.ts'

export type AccountCommand =
  /** A mailbox per user name is its uniqueness. spec: client-server-api#post_matrixclientv3register */
  | Command<'register', { passwordHash: string | null; isAdmin: boolean; isGuest: boolean; displayname: string | null }>
  /** A guest keeps the name and becomes a user. spec: client-server-api#guest-access */
  | Command<'upgradeGuest', { passwordHash: string | null }>
  | Command<'setPassword', { passwordHash: string | null }>
  /** The same password under a better hash; ignored when the password has changed since. */
  | Command<'rehashPassword', { from: string; passwordHash: string }>
  | Command<'setAdmin', { isAdmin: boolean }>
  | Command<'lockUser', { isLocked: boolean }>
  | Command<'suspendUser', { isSuspended: boolean }>
  /** The caller then ends the sessions and makes the user leave the rooms. */
  | Command<'deactivateUser', { isErased: boolean }>
  | Command<'reactivateUser', { passwordHash: string | null }>

type AccountFact = OfKind<
  UserFact,
  | 'userRegistered'
  | 'guestUpgraded'
  | 'passwordChanged'
  | 'adminChanged'
  | 'lockChanged'
  | 'suspensionChanged'
  | 'userDeactivated'
  | 'userReactivated'
>

/** Why an account cannot be changed, if it cannot. */
export function whyNotActive({ userId, account }: User): MatrixError | undefined {
  if (!account) return notFound(`${userId} is not a user of this server`)
  return account.isDeactivated ? userDeactivated(`${userId} has been deactivated`) : undefined
}

export const decide = {
  register({ userId, account }, { passwordHash, isAdmin, isGuest, displayname }, { now }) {
    if (account) return { refuse: userInUse('This user name is taken') }
    const registered = { kind: 'userRegistered', userId, passwordHash, isAdmin, isGuest, ts: now } as const
    if (displayname === null) return { facts: [registered], reply: undefined }
    const named = { kind: 'profileFieldSet', userId, field: 'displayname', value: displayname } as const
    return { facts: [registered, named], reply: undefined }
  },

  upgradeGuest(user, { passwordHash }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    if (!user.account?.isGuest) return { refuse: userInUse('This user name is taken') }
    return { facts: [{ kind: 'guestUpgraded', userId: user.userId, passwordHash }], reply: undefined }
  },

  setPassword(user, { passwordHash }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    return { facts: [{ kind: 'passwordChanged', userId: user.userId, passwordHash }], reply: undefined }
  },

  rehashPassword(user, { from, passwordHash }) {
    if (whyNotActive(user) || user.account?.passwordHash !== from) return { reply: undefined }
    return { facts: [{ kind: 'passwordChanged', userId: user.userId, passwordHash }], reply: undefined }
  },

  setAdmin(user, { isAdmin }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    if (user.account?.isGuest && isAdmin) return { refuse: forbidden('A guest cannot be an admin') }
    if (user.account?.isAdmin === isAdmin) return { reply: undefined }
    return { facts: [{ kind: 'adminChanged', userId: user.userId, isAdmin }], reply: undefined }
  },

  lockUser(user, { isLocked }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    if (user.account?.isLocked === isLocked) return { reply: undefined }
    return {
      facts: [{ kind: 'lockChanged', userId: user.userId, isLocked }],
      effects: [ringUsers([user.userId], 'account-data')],
      reply: undefined,
    }
  },

  suspendUser(user, { isSuspended }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    if (user.account?.isSuspended === isSuspended) return { reply: undefined }
    return { facts: [{ kind: 'suspensionChanged', userId: user.userId, isSuspended }], reply: undefined }
  },

  deactivateUser({ userId, account }, { isErased }) {
    if (!account) return { refuse: notFound(`${userId} is not a user of this server`) }
    return { facts: [{ kind: 'userDeactivated', userId, isErased }], reply: undefined }
  },

  reactivateUser({ userId, account }, { passwordHash }) {
    if (!account) return { refuse: notFound(`${userId} is not a user of this server`) }
    if (!account.isDeactivated) return { reply: undefined }
    return { facts: [{ kind: 'userReactivated', userId, passwordHash }], reply: undefined }
  },
} satisfies UserDecide<AccountCommand, UserFact>

/** Changes the account if there is one; facts about accounts that are not there are not decided. */
const change = (user: User, by: Partial<Account>): void => {
  if (user.account) Object.assign(user.account, by)
}

export const apply = {
  userRegistered(user, { passwordHash, isAdmin, isGuest }) {
    user.account = { passwordHash, isAdmin, isGuest, isDeactivated: false, isLocked: false, isSuspended: false }
  },
  guestUpgraded: (user, { passwordHash }) => change(user, { passwordHash, isGuest: false }),
  passwordChanged: (user, { passwordHash }) => change(user, { passwordHash }),
  adminChanged: (user, { isAdmin }) => change(user, { isAdmin }),
  lockChanged: (user, { isLocked }) => change(user, { isLocked }),
  suspensionChanged: (user, { isSuspended }) => change(user, { isSuspended }),
  userDeactivated(user) {
    change(user, { isDeactivated: true, isAdmin: false, passwordHash: null })
    user.profile.clear()
    user.tags.clear()
    user.dataKeys.clear()
    user.filters.clear()
  },
  userReactivated: (user, { passwordHash }) => change(user, { passwordHash, isDeactivated: false }),
} satisfies UserApply<AccountFact>
