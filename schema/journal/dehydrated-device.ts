import type { DeviceId, UserId } from '#schema/identifiers.ts'

/** The device that receives for an account while nobody is logged in. Rows of the journal: add kinds, never change one. */

/** It takes the place of the one before. spec: MSC3814 */
export type DehydratedDeviceSet = Readonly<{
  kind: 'dehydratedDeviceSet'
  userId: UserId
  deviceId: DeviceId
  /** JSON; only the user's own clients can read it. */
  deviceData: string
}>

export type DehydratedDeviceCleared = Readonly<{ kind: 'dehydratedDeviceCleared'; userId: UserId }>

export type DehydratedDeviceFact = DehydratedDeviceSet | DehydratedDeviceCleared
