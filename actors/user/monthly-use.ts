import type { Command } from '#actors/kernel/actor.ts'
import type { MonthlyUseNoticed } from '#schema/journal/user.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

export type MonthlyUseCommand =
  /** The user is one of those who are counted as active. */
  Command<'noticeMonthlyUse'>

export const decide = {
  noticeMonthlyUse(user, _command, { now }) {
    if (whyNotActive(user)) return { reply: undefined }
    return { facts: [{ kind: 'monthlyUseNoticed', userId: user.userId, ts: now }], reply: undefined }
  },
} satisfies UserDecide<MonthlyUseCommand, MonthlyUseNoticed>

export const apply = {
  // Whoever counts finds it in the store.
  monthlyUseNoticed() {},
} satisfies UserApply<MonthlyUseNoticed>
