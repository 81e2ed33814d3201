import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { proveIdentity } from '#http/uia.ts'
import * as schema from '#schema/client/devices.ts'
import type { UserId } from '#schema/identifiers.ts'
import { notFound } from '#schema/matrix-error.ts'
import { type DeviceRow, findDevice, listDevices } from '#store/devices.ts'

export const devicesPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/devices',
      signedIn(server, schema.getDevices, ({ requester: { userId } }) => ({
        devices: listDevices(server.store, userId).map((device) => describe(userId, device)),
      })),
    )
    .get(
      '/_matrix/client/v3/devices/:deviceId',
      signedIn(server, schema.getDevice, ({ params: { deviceId }, requester: { userId } }) => {
        const device = findDevice(server.store, userId, deviceId)
        if (!device) throw notFound('You have no device with this id')
        return describe(userId, device)
      }),
    )
    .put(
      '/_matrix/client/v3/devices/:deviceId',
      signedIn(server, schema.updateDevice, async ({ params: { deviceId }, body, requester: { userId }, cause }) => {
        await server.device(userId, deviceId).ask({ kind: 'updateDevice', displayName: body.display_name ?? null }, cause)
        return {}
      }),
    )
    .delete(
      '/_matrix/client/v3/devices/:deviceId',
      signedIn(server, schema.deleteDevice, async (call) => {
        await proveIdentity(server, call)
        await server.device(call.requester.userId, call.params.deviceId).ask({ kind: 'endSession' }, call.cause)
        return {}
      }),
    )
    .post(
      '/_matrix/client/v3/delete_devices',
      signedIn(server, schema.deleteDevices, async (call) => {
        const { body, requester: { userId }, cause } = call
        await proveIdentity(server, call)
        await Promise.all(body.devices.map((deviceId) => server.device(userId, deviceId).ask({ kind: 'endSession' }, cause)))
        return {}
      }),
    )

/** spec: client-server-api#device-management; clients of the reference server also read `user_id`. */
const describe = (userId: UserId, { deviceId, displayName, lastSeenIp, lastSeenTs }: DeviceRow) => ({
  device_id: deviceId,
  user_id: userId,
  ...(displayName === null ? {} : { display_name: displayName }),
  ...(lastSeenIp === null ? {} : { last_seen_ip: lastSeenIp }),
  ...(lastSeenTs === null ? {} : { last_seen_ts: lastSeenTs }),
})
