import type { Effect } from '#actors/effects.ts'
import type { Behaviour } from '#actors/kernel/actor.ts'
import type { CrossSigningFact } from '#schema/journal/cross-signing.ts'
import type { DehydratedDeviceFact } from '#schema/journal/dehydrated-device.ts'
import type { IssuedTokenFact } from '#schema/journal/issued-tokens.ts'
import type { KeyBackupFact } from '#schema/journal/key-backup.ts'
import type { PushFact } from '#schema/journal/push.ts'
import type { ContentReported } from '#schema/journal/report.ts'
import type { ThreadSubscriptionFact } from '#schema/journal/thread-subscriptions.ts'
import type { UserFact } from '#schema/journal/user.ts'
import * as account from './account.ts'
import * as accountData from './account-data.ts'
import * as consent from './consent.ts'
import * as crossSigning from './cross-signing.ts'
import * as dehydratedDevice from './dehydrated-device.ts'
import { closedEncryption, freezeUserEncryption, type FrozenUserEncryption, thawUserEncryption } from './encryption.ts'
import * as filter from './filter.ts'
import * as keyBackup from './key-backup.ts'
import * as loginToken from './login-token.ts'
import { emptyUser, type User } from './memory.ts'
import * as monthlyUse from './monthly-use.ts'
import * as openid from './openid.ts'
import * as presence from './presence.ts'
import * as profile from './profile.ts'
import * as pushRules from './push-rules.ts'
import * as pushers from './pushers.ts'
import * as report from './report.ts'
import * as threadSubscriptions from './thread-subscriptions.ts'

export type UserCommand =
  | account.AccountCommand
  | accountData.AccountDataCommand
  | consent.ConsentCommand
  | crossSigning.CrossSigningCommand
  | dehydratedDevice.DehydratedDeviceCommand
  | filter.FilterCommand
  | keyBackup.KeyBackupCommand
  | loginToken.LoginTokenCommand
  | monthlyUse.MonthlyUseCommand
  | openid.OpenIdCommand
  | presence.PresenceCommand
  | profile.ProfileCommand
  | pushRules.PushRuleCommand
  | pushers.PusherCommand
  | report.ReportCommand
  | threadSubscriptions.ThreadSubscriptionsCommand

type Fact = UserFact | CrossSigningFact | DehydratedDeviceFact | KeyBackupFact | PushFact | IssuedTokenFact | ContentReported | ThreadSubscriptionFact

/** A local account. Users of other servers have no actor: they are rows. */
export const user: Behaviour<User, UserCommand, Fact, presence.PresenceNote, Effect> = {
  kind: 'user',
  empty: emptyUser,
  decide: {
    ...account.decide,
    ...accountData.decide,
    ...consent.decide,
    ...crossSigning.decide,
    ...dehydratedDevice.decide,
    ...filter.decide,
    ...keyBackup.decide,
    ...loginToken.decide,
    ...monthlyUse.decide,
    ...openid.decide,
    ...presence.decide,
    ...profile.decide,
    ...pushRules.decide,
    ...pushers.decide,
    ...report.decide,
    ...threadSubscriptions.decide,
  },
  apply: {
    ...account.apply,
    ...accountData.apply,
    ...consent.apply,
    ...crossSigning.apply,
    ...dehydratedDevice.apply,
    ...filter.apply,
    ...keyBackup.apply,
    ...loginToken.apply,
    ...monthlyUse.apply,
    ...openid.apply,
    ...presence.apply,
    ...profile.apply,
    ...pushRules.apply,
    ...pushers.apply,
    ...report.apply,
    ...threadSubscriptions.apply,
    userDeactivated(user) {
      account.apply.userDeactivated(user)
      user.encryption = closedEncryption(user.encryption)
      pushRules.forgetPushRules(user)
      user.threads.clear()
    },
  },
  mayRest: presence.mayRest,
  snapshot: {
    version: 5,
    every: ({ dataKeys, threads }) => 200 + dataKeys.size + threads.size,
    freeze: ({ account: standing, profile: fields, tags, dataKeys, filters, nextFilter, encryption, loginTokens, pushRules: chosen, threads }) => ({
      account: standing && { ...standing },
      profile: [...fields],
      tags: [...tags],
      dataKeys: [...dataKeys],
      filters: [...filters],
      nextFilter,
      encryption: freezeUserEncryption(encryption),
      loginTokens: [...loginTokens],
      pushRules: chosen,
      threads: [...threads],
    }),
    thaw: (frozen: Frozen, id) => ({
      ...emptyUser(id),
      account: frozen.account,
      profile: new Map(frozen.profile),
      tags: new Map(frozen.tags),
      dataKeys: new Set(frozen.dataKeys),
      filters: new Map(frozen.filters),
      nextFilter: frozen.nextFilter,
      encryption: thawUserEncryption(frozen.encryption),
      loginTokens: new Map(frozen.loginTokens),
      pushRules: frozen.pushRules,
      threads: new Map(frozen.threads),
    }),
  },
}

type EntriesOf<M> = M extends Map<infer K, infer V> ? [K, V][] : never
type Frozen = Pick<User, 'account' | 'nextFilter' | 'pushRules'> & {
  profile: EntriesOf<User['profile']>
  tags: EntriesOf<User['tags']>
  dataKeys: string[]
  filters: EntriesOf<User['filters']>
  encryption: FrozenUserEncryption
  loginTokens: EntriesOf<User['loginTokens']>
  threads: EntriesOf<User['threads']>
}
