import type { Command } from '#actors/kernel/actor.ts'
import type { DeviceId } from '#schema/identifiers.ts'
import type { DehydratedDeviceFact } from '#schema/journal/dehydrated-device.ts'
import { notFound } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

/** The device itself is made and removed by whoever asks: `previous` is the one to remove. spec: MSC3814 */
export type DehydratedDeviceCommand =
  /** `deviceData` is JSON. */
  | Command<'putDehydratedDevice', { deviceId: DeviceId; deviceData: string }, { previous: DeviceId | null }>
  | Command<'deleteDehydratedDevice', object, { previous: DeviceId }>

export const decide = {
  putDehydratedDevice(user, { deviceId, deviceData }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const {
      userId,
      encryption: { dehydratedDevice: previous },
    } = user
    return {
      facts: [{ kind: 'dehydratedDeviceSet', userId, deviceId, deviceData }],
      reply: { previous: previous === deviceId ? null : previous },
    }
  },

  deleteDehydratedDevice({ userId, encryption: { dehydratedDevice: previous } }) {
    if (previous === null) return { refuse: notFound('There is no dehydrated device') }
    return { facts: [{ kind: 'dehydratedDeviceCleared', userId }], reply: { previous } }
  },
} satisfies UserDecide<DehydratedDeviceCommand, DehydratedDeviceFact>

export const apply = {
  dehydratedDeviceSet({ encryption }, { deviceId }) {
    encryption.dehydratedDevice = deviceId
  },
  dehydratedDeviceCleared({ encryption }) {
    encryption.dehydratedDevice = null
  },
} satisfies UserApply<DehydratedDeviceFact>
