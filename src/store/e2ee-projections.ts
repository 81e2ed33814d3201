import type { CrossSigningFact } from '#schema/journal/cross-signing.ts'
import type { DehydratedDeviceFact } from '#schema/journal/dehydrated-device.ts'
import type { DeviceFact } from '#schema/journal/device.ts'
import type { DeviceKeysFact } from '#schema/journal/device-keys.ts'
import type { KeyBackupFact } from '#schema/journal/key-backup.ts'
import type { ToDeviceFact } from '#schema/journal/to-device.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { accountProjections } from './account-projections.ts'
import {
  deleteCrossSigningOf,
  projectCrossSigningKeysUploaded,
  projectKeySignaturesUploaded,
} from './cross-signing.ts'
import {
  deleteDehydratedDevice,
  projectDehydratedDeviceCleared,
  projectDehydratedDeviceSet,
} from './dehydrated-device.ts'
import {
  deleteKeysOf,
  projectDeviceKeysDoubted,
  projectDeviceKeysUploaded,
  projectFallbackKeysUploaded,
  projectFallbackKeyUsed,
  projectOneTimeKeyClaimed,
  projectOneTimeKeysDropped,
  projectOneTimeKeysUploaded,
} from './device-keys.ts'
import { projectDeviceListChange } from './device-lists.ts'
import { hasDevice } from './devices.ts'
import {
  deleteBackupsOf,
  projectBackupCreated,
  projectBackupDeleted,
  projectBackupUpdated,
  projectRoomKeysCounted,
  projectRoomKeysDeleted,
  roomKeysStoredRow,
} from './key-backup.ts'
import type { ProjectionsOf } from './projectors.ts'
import {
  deleteMessagesTo,
  projectToDeviceCrowdedOut,
  projectToDeviceDropped,
  projectToDeviceSeen,
  toDeviceQueuedRow,
} from './to-device.ts'

type DeviceListFact = Extract<
  DeviceFact,
  { kind: 'sessionStarted' | 'deviceCreated' | 'deviceRenamed' | 'deviceDeleted' }
>
type OwnFact = DeviceKeysFact | ToDeviceFact | CrossSigningFact | KeyBackupFact | DehydratedDeviceFact
type SharedFact = DeviceListFact | Extract<UserFact, { kind: 'userDeactivated' }>

/**
 * Facts of encryption and the tables they become. Facts of devices and accounts that change device lists or end keys
 * stand here in place of their entry in `accountProjections`, which they call.
 */
export const e2eeProjections: ProjectionsOf<OwnFact | SharedFact> = {
  deviceKeysUploaded: { project: projectDeviceKeysUploaded },
  oneTimeKeysUploaded: { project: projectOneTimeKeysUploaded },
  oneTimeKeyClaimed: { project: projectOneTimeKeyClaimed },
  deviceKeysDoubted: { project: projectDeviceKeysDoubted },
  oneTimeKeysDropped: { project: projectOneTimeKeysDropped },
  fallbackKeysUploaded: { project: projectFallbackKeysUploaded },
  fallbackKeyUsed: { project: projectFallbackKeyUsed },

  toDeviceQueued: toDeviceQueuedRow,
  toDeviceSeen: { project: projectToDeviceSeen },
  toDeviceDropped: { project: projectToDeviceDropped },
  toDeviceCrowdedOut: { project: projectToDeviceCrowdedOut },

  crossSigningKeysUploaded: { project: projectCrossSigningKeysUploaded },
  keySignaturesUploaded: { project: projectKeySignaturesUploaded },

  backupCreated: { project: projectBackupCreated },
  backupUpdated: { project: projectBackupUpdated },
  backupDeleted: { project: projectBackupDeleted },
  roomKeysStored: roomKeysStoredRow,
  roomKeysDeleted: { project: projectRoomKeysDeleted },
  roomKeysCounted: { project: projectRoomKeysCounted },

  dehydratedDeviceSet: { project: projectDehydratedDeviceSet },
  dehydratedDeviceCleared: { project: projectDehydratedDeviceCleared },

  sessionStarted: { project: projectLogin },
  deviceCreated: { project: projectNewDevice },
  deviceRenamed: { project: projectRename },
  deviceDeleted: { project: projectRemovedDevice },
  userDeactivated: { project: projectClosedAccount },
}

/** A login on a device that is there already changes nobody's list. */
function projectLogin(...row: Parameters<typeof accountProjections.sessionStarted.project>): void {
  const [store, { userId, deviceId }, position] = row
  if (!hasDevice(store, userId, deviceId)) projectDeviceListChange(store, userId, position)
  accountProjections.sessionStarted.project(...row)
}

function projectNewDevice(...row: Parameters<typeof accountProjections.deviceCreated.project>): void {
  const [store, { userId }, position] = row
  projectDeviceListChange(store, userId, position)
  accountProjections.deviceCreated.project(...row)
}

/** The name of a device stands beside its keys. */
function projectRename(...row: Parameters<typeof accountProjections.deviceRenamed.project>): void {
  const [store, { userId }, position] = row
  projectDeviceListChange(store, userId, position)
  accountProjections.deviceRenamed.project(...row)
}

function projectRemovedDevice(...row: Parameters<typeof accountProjections.deviceDeleted.project>): void {
  const [store, { userId, deviceId }, position] = row
  deleteKeysOf(store, userId, deviceId)
  deleteMessagesTo(store, userId, deviceId)
  deleteDehydratedDevice(store, userId, deviceId)
  projectDeviceListChange(store, userId, position)
  accountProjections.deviceDeleted.project(...row)
}

function projectClosedAccount(...row: Parameters<typeof accountProjections.userDeactivated.project>): void {
  const [store, { userId }] = row
  deleteCrossSigningOf(store, userId)
  deleteBackupsOf(store, userId)
  accountProjections.userDeactivated.project(...row)
}
