import type { Effect } from '#actors/effects.ts'
import type { Behaviour } from '#actors/kernel/actor.ts'
import type { CrossSigningFact } from '#schema/journal/cross-signing.ts'
import type { DehydratedDeviceFact } from '#schema/journal/dehydrated-device.ts'
import type { IssuedTokenFact } from '#schema/journal/issued-tokens.ts'
import type { KeyBackupFact } from '#schema/journal/key-backup.ts'
import type { ContentReported } from '#schema/journal/report.ts'
import type { UserFact } from '#schema/journal/user.ts'
import * as account from './account.ts'
import * as accountData from './account-data.ts'
import * as crossSigning from './cross-signing.ts'
import * as dehydratedDevice from './dehydrated-device.ts'
import { closedEncryption, freezeUserEncryption, type FrozenUserEncryption, thawUserEncryption } from './encryption.ts'
import * as filter from './filter.ts'
import * as keyBackup from './key-backup.ts'
import * as loginToken from './login-token.ts'
import { emptyUser, type User } from './memory.ts'
import * as openid from './openid.ts'
import * as profile from './profile.ts'
import * as report from './report.ts'

export type UserCommand =
  | account.AccountCommand
  | accountData.AccountDataCommand
  | crossSigning.CrossSigningCommand
  | dehydratedDevice.DehydratedDeviceCommand
  | filter.FilterCommand
  | keyBackup.KeyBackupCommand
  | loginToken.LoginTokenCommand
  | openid.OpenIdCommand
  | profile.ProfileCommand
  | report.ReportCommand

type Fact = UserFact | CrossSigningFact | DehydratedDeviceFact | KeyBackupFact | IssuedTokenFact | ContentReported

/** A local account. Users of other servers have no actor: they are rows. */
export const user: Behaviour<User, UserCommand, Fact, never, Effect> = {
  kind: 'user',
  empty: emptyUser,
  decide: {
    ...account.decide,
    ...accountData.decide,
    ...crossSigning.decide,
    ...dehydratedDevice.decide,
    ...filter.decide,
    ...keyBackup.decide,
    ...loginToken.decide,
    ...openid.decide,
    ...profile.decide,
    ...report.decide,
  },
  apply: {
    ...account.apply,
    ...accountData.apply,
    ...crossSigning.apply,
    ...dehydratedDevice.apply,
    ...filter.apply,
    ...keyBackup.apply,
    ...loginToken.apply,
    ...openid.apply,
    ...profile.apply,
    ...report.apply,
    userDeactivated(user) {
      account.apply.userDeactivated(user)
      user.encryption = closedEncryption(user.encryption)
    },
  },
  snapshot: {
    version: 3,
    every: ({ dataKeys }) => 200 + dataKeys.size,
    freeze: ({ account: standing, profile: fields, tags, dataKeys, filters, nextFilter, encryption, loginTokens }) => ({
      account: standing && { ...standing },
      profile: [...fields],
      tags: [...tags],
      dataKeys: [...dataKeys],
      filters: [...filters],
      nextFilter,
      encryption: freezeUserEncryption(encryption),
      loginTokens: [...loginTokens],
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
    }),
  },
}

type EntriesOf<M> = M extends Map<infer K, infer V> ? [K, V][] : never
type Frozen = Pick<User, 'account' | 'nextFilter'> & {
  profile: EntriesOf<User['profile']>
  tags: EntriesOf<User['tags']>
  dataKeys: string[]
  filters: EntriesOf<User['filters']>
  encryption: FrozenUserEncryption
  loginTokens: EntriesOf<User['loginTokens']>
}
