import { Type } from '@sinclair/typebox'
import { DeviceId } from '#schema/identifiers.ts'
import { Auth } from './login.ts'
import { OptionalText } from './optional.ts'

const params = Type.Object({ deviceId: DeviceId })

/** spec: client-server-api#get_matrixclientv3devices */
export const getDevices = { allowGuest: true } as const

/** spec: client-server-api#get_matrixclientv3devicesdeviceid */
export const getDevice = { params, allowGuest: true } as const

/** spec: client-server-api#put_matrixclientv3devicesdeviceid */
export const updateDevice = { params, body: Type.Object({ display_name: OptionalText }), allowGuest: true } as const

/** spec: client-server-api#delete_matrixclientv3devicesdeviceid */
export const deleteDevice = { params, body: Type.Object({ auth: Auth }) }

/** spec: client-server-api#post_matrixclientv3delete_devices */
export const deleteDevices = {
  body: Type.Object({ devices: Type.Array(DeviceId, { maxItems: 10_000 }), auth: Auth }),
}
