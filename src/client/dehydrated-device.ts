import type { Homeserver } from '#homeserver'
import { readKeyUpload } from '#http/device-keys.ts'
import { rawJson, type SignedInCall, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import * as schema from '#schema/client/dehydrated-device.ts'
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import { forbidden, invalidParam, notFound, tooLarge } from '#schema/matrix-error.ts'
import { findDehydratedDevice } from '#store/dehydrated-device.ts'
import { readToDevice } from '#store/sync/encryption.ts'

/** The device itself, encrypted by the client, as JSON. */
export const DEVICE_DATA_LIMIT_BYTES = 262_144
const EVENTS_PER_PAGE = 100

const DEVICE = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'

/** A device that receives keys for a user who is logged in nowhere. spec: MSC3814 */
export const dehydratedDevicePage = (server: Homeserver) =>
  page()
    .put(
      DEVICE,
      signedIn(server, schema.putDehydratedDevice, (call) => dehydrate(server, call)),
    )
    .get(
      DEVICE,
      signedIn(server, schema.getDehydratedDevice, ({ requester: { userId } }) => {
        const found = findDehydratedDevice(server.store, userId)
        if (!found) throw notFound('There is no dehydrated device')
        return rawJson(`{"device_id":${JSON.stringify(found.deviceId)},"device_data":${found.deviceData}}`)
      }),
    )
    .delete(
      DEVICE,
      signedIn(server, schema.deleteDehydratedDevice, async ({ requester: { userId }, cause }) => {
        const { previous } = await server.user(userId).ask({ kind: 'deleteDehydratedDevice' }, cause)
        await server.device(userId, previous).ask({ kind: 'endSession' }, cause)
        return { device_id: previous }
      }),
    )
    .get(
      `${DEVICE}/:deviceId/events`,
      signedIn(server, schema.getDehydratedDeviceEvents, ({ params: { deviceId }, query, requester }) => {
        const { events, more } = readEvents(server, requester.userId, deviceId, query.from ?? query.next_batch)
        return rawJson(more === undefined ? `{"events":[${events.join(',')}]}` : printPage(events, more))
      }),
    )
    .post(
      `${DEVICE}/:deviceId/events`,
      signedIn(server, schema.postDehydratedDeviceEvents, ({ params: { deviceId }, body, requester }) => {
        const { events, more, until } = readEvents(server, requester.userId, deviceId, body.next_batch)
        return rawJson(printPage(events, more ?? until))
      }),
    )

/** The new device takes the place of the one before only when it is complete. */
async function dehydrate(
  server: Homeserver,
  { body, requester: { userId }, cause }: SignedInCall<typeof schema.putDehydratedDevice>,
) {
  const deviceId = body.device_id
  const deviceData = JSON.stringify(body.device_data)
  if (deviceData.length > DEVICE_DATA_LIMIT_BYTES)
    throw tooLarge(`device_data may have at most ${DEVICE_DATA_LIMIT_BYTES} bytes`)
  const keys = await readKeyUpload(server, userId, deviceId, body)
  if (!keys.deviceKeys) throw invalidParam('A dehydrated device has device_keys')
  const device = server.device(userId, deviceId)
  const displayName = body.initial_device_display_name ?? null
  const { isNew } = await device.ask({ kind: 'createDevice', displayName }, cause)
  if (!isNew && findDehydratedDevice(server.store, userId)?.deviceId !== deviceId)
    throw forbidden('A device of this id is in use')
  try {
    await device.ask(keys, cause)
  } catch (refusal) {
    if (isNew) await device.ask({ kind: 'endSession' }, cause)
    throw refusal
  }
  const { previous } = await server.user(userId).ask({ kind: 'putDehydratedDevice', deviceId, deviceData }, cause)
  if (previous !== null) await server.device(userId, previous).ask({ kind: 'endSession' }, cause)
  return { device_id: deviceId }
}

/** Nothing is deleted by reading: a client that gives up half-way leaves everything to the next one. */
function readEvents(server: Homeserver, userId: UserId, deviceId: DeviceId, from: string | undefined) {
  if (findDehydratedDevice(server.store, userId)?.deviceId !== deviceId)
    throw forbidden('This is not your dehydrated device')
  if (from !== undefined && !/^d\d{1,15}$/.test(from))
    throw invalidParam('next_batch is not a token of this server')
  const after = Number(from?.slice(1) ?? 0)
  const until = server.notifier.seen.position
  const inbox = server.inbox(userId, deviceId)
  return { until, ...readToDevice(server.store, inbox, { userId, deviceId, after, until, limit: EVENTS_PER_PAGE }) }
}

const printPage = (events: readonly string[], next: number): string =>
  `{"events":[${events.join(',')}],"next_batch":"d${next}"}`
