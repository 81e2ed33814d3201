import { Type } from '@sinclair/typebox'
import { DeviceId } from '#schema/identifiers.ts'

/** The device that receives for a user who is not there. spec: MSC3814 */
export const putDehydratedDevice = {
  body: Type.Object({
    device_id: DeviceId,
    device_data: Type.Object({ algorithm: Type.String() }),
    initial_device_display_name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    device_keys: Type.Unknown(),
    one_time_keys: Type.Optional(Type.Unknown()),
    fallback_keys: Type.Optional(Type.Unknown()),
  }),
} as const

export const getDehydratedDevice = {} as const
export const deleteDehydratedDevice = {} as const

const Next = Type.Optional(Type.String())

/** The form of today: a token in the query. */
export const getDehydratedDeviceEvents = {
  params: Type.Object({ deviceId: DeviceId }),
  query: Type.Object({ from: Next, next_batch: Next }),
} as const

/** The form of the first clients: a token in the body. */
export const postDehydratedDeviceEvents = {
  params: Type.Object({ deviceId: DeviceId }),
  body: Type.Object({ next_batch: Next }),
} as const
