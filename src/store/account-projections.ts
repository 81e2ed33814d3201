import type { UserId } from '#schema/identifiers.ts'
import type { AliasFact } from '#schema/journal/alias.ts'
import type { DeviceFact, SessionStarted } from '#schema/journal/device.ts'
import type { RegistrationFact } from '#schema/journal/registration.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { projectSessionConfirmed, projectSessionRefreshed, projectSessionStarted } from './access-tokens.ts'
import { projectAccountDataDeleted, projectAccountDataSet } from './account-data.ts'
import { projectRoomAliasDeleted, projectRoomAliasSet } from './aliases.ts'
import {
  projectDeviceCreated, projectDeviceDeleted, projectDeviceOriginForgotten, projectDeviceRenamed, projectDeviceSeen,
  projectSessionOnDevice,
} from './devices.ts'
import { projectTermsAccepted } from './consent.ts'
import { projectFilterDefined, projectFilterDropped } from './filters.ts'
import { projectMonthlyUseNoticed } from './monthly-users.ts'
import { projectProfileFieldDeleted, projectProfileFieldSet } from './profiles.ts'
import type { Project, ProjectionsOf } from './projectors.ts'
import {
  projectRegistrationTokenDeleted, projectRegistrationTokenSet, projectRegistrationTokenSpent,
} from './registration-tokens.ts'
import { enterLocalUser } from './user-directory.ts'
import {
  projectAdminChanged, projectGuestUpgraded, projectLockChanged, projectPasswordChanged, projectSuspensionChanged,
  projectUserDeactivated, projectUserReactivated, projectUserRegistered,
} from './users.ts'

const projectLogin: Project<SessionStarted> = (...row) => {
  projectSessionOnDevice(...row)
  projectSessionStarted(...row)
}

/** The user directory follows whatever changes what a user is called. */
const found = <F extends { kind: string; userId: UserId }>(project: Project<F>): Project<F> => (store, fact, ...row) => {
  project(store, fact, ...row)
  enterLocalUser(store, fact.userId)
}

/** Facts of accounts, devices, aliases and registration tokens, and the tables they become. */
export const accountProjections: ProjectionsOf<UserFact | DeviceFact | AliasFact | RegistrationFact> = {
  userRegistered: { project: found(projectUserRegistered) },
  guestUpgraded: { project: projectGuestUpgraded },
  passwordChanged: { project: projectPasswordChanged },
  adminChanged: { project: projectAdminChanged },
  lockChanged: { project: projectLockChanged },
  suspensionChanged: { project: projectSuspensionChanged },
  userDeactivated: { project: found(projectUserDeactivated) },
  userReactivated: { project: projectUserReactivated },
  profileFieldSet: { project: found(projectProfileFieldSet) },
  profileFieldDeleted: { project: found(projectProfileFieldDeleted) },
  accountDataSet: { project: projectAccountDataSet },
  accountDataDeleted: { project: projectAccountDataDeleted },
  filterDefined: { project: projectFilterDefined },
  filterDropped: { project: projectFilterDropped },
  termsAccepted: { project: projectTermsAccepted },
  monthlyUseNoticed: { project: projectMonthlyUseNoticed },

  sessionStarted: { project: projectLogin },
  sessionRefreshed: { project: projectSessionRefreshed },
  sessionConfirmed: { project: projectSessionConfirmed },
  deviceCreated: { project: projectDeviceCreated },
  deviceRenamed: { project: projectDeviceRenamed },
  deviceSeen: { project: projectDeviceSeen },
  deviceOriginForgotten: { project: projectDeviceOriginForgotten },
  deviceDeleted: { project: projectDeviceDeleted },

  roomAliasSet: { project: projectRoomAliasSet },
  roomAliasDeleted: { project: projectRoomAliasDeleted },

  registrationTokenSet: { project: projectRegistrationTokenSet },
  registrationTokenDeleted: { project: projectRegistrationTokenDeleted },
  registrationTokenSpent: { project: projectRegistrationTokenSpent },
}
