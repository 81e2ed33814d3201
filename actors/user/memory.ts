import type { AnyCommand, Apply, Decide, Kinded } from '#actors/kernel/actor.ts'
import type { Effect } from '#actors/effects.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { NO_PUSH_RULE_CHOICES } from '#core/push-rules/ruleset.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { PushRuleChoices } from '#schema/push-rules.ts'
import { noUserEncryption, type UserEncryption } from './encryption.ts'
import { noPresence, type UserPresence } from './presence.ts'
import type { ThreadWord } from './thread-subscriptions.ts'

/** What an account must remember in order to decide. What is only ever read lives in the store. */
export type User = {
  userId: UserId
  /** Absent until it is registered. A deactivated account is still there: its name is never given again. */
  account: Account | undefined
  profile: Map<string, Json>
  /** Content of `m.tag` by room. */
  tags: Map<RoomId, JsonObject>
  /** Which account data there are, as `dataKeyOf` names them. */
  dataKeys: Set<string>
  /** SHA-256 of the filters' JSON, by filter id, oldest first. */
  filters: Map<string, string>
  nextFilter: number
  encryption: UserEncryption
  /** When each login token expires that was not used, by the SHA-256 of the token, oldest first. */
  loginTokens: Map<string, number>
  pushRules: PushRuleChoices
  /** What was said about threads, by their root. */
  threads: Map<EventId, ThreadWord>
  /** Never frozen. */
  presence: UserPresence
}

export type Account = {
  /** Null: no login by password. */
  passwordHash: string | null
  isAdmin: boolean
  isGuest: boolean
  isDeactivated: boolean
  isLocked: boolean
  isSuspended: boolean
}

export type UserDecide<C extends AnyCommand, F extends Kinded = never, N extends Kinded = never> =
  Decide<User, C, F, N, Effect>
export type UserApply<F extends Kinded> = Apply<User, F>

export const emptyUser = (id: string): User => ({
  userId: id as UserId,
  account: undefined,
  profile: new Map(),
  tags: new Map(),
  dataKeys: new Set(),
  filters: new Map(),
  nextFilter: 0,
  encryption: noUserEncryption(),
  loginTokens: new Map(),
  pushRules: NO_PUSH_RULE_CHOICES,
  threads: new Map(),
  presence: noPresence,
})

// Room ids hold no newline, so the key is read back without doubt.
export const dataKeyOf = (roomId: RoomId | null, type: string): string => `${roomId ?? ''}\n${type}`
