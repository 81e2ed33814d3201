import { deviceAt, roomAt } from '#actors/addresses.ts'
import type { Config } from '#config'
import { listDevicesWithOrigin, listStaleDevices } from '#store/devices.ts'
import { listRoomsWithOriginals } from '#store/redacted-originals.ts'
import { type Chore, letter } from './letters.ts'
import { messageRetention } from './message-retention.ts'
import { selfDestructs } from './self-destruct.ts'

const MINUTE_MS = 60_000
/** Devices that one round looks after; the next round goes on. */
const DEVICES_LIMIT = 1_000

/** What redacted events said goes after `redaction_retention_period`. */
const oldOriginals: Chore = {
  everyMs: 5 * MINUTE_MS,
  letters({ store, config: { redactionRetentionPeriod: keepMs }, now }) {
    if (keepMs === null) return []
    const until = now - keepMs
    return listRoomsWithOriginals(store, until).map((roomId) => letter(roomAt(roomId), { kind: 'forgetOriginals', until }))
  },
}

/** From where devices were used goes after `user_ips_max_age`. */
const oldOrigins: Chore = {
  everyMs: 60 * MINUTE_MS,
  letters({ store, config: { userIpsMaxAge: keepMs }, now }) {
    if (keepMs === null) return []
    const until = now - keepMs
    return listDevicesWithOrigin(store, until, DEVICES_LIMIT).map(({ userId, deviceId }) =>
      letter(deviceAt(userId, deviceId), { kind: 'forgetDeviceOrigin', until }))
  },
}

/** Devices that nobody has used go after `delete_stale_devices_after`. */
const staleDevices: Chore = {
  everyMs: 60 * MINUTE_MS,
  letters({ store, config: { deleteStaleDevicesAfter: keepMs }, now }) {
    if (keepMs === null) return []
    const until = now - keepMs
    return listStaleDevices(store, until, DEVICES_LIMIT).map(({ userId, deviceId }) =>
      letter(deviceAt(userId, deviceId), { kind: 'dropStaleDevice', until }))
  },
}

/** What is to be cleared away in a homeserver. */
export const chores = ({ enableEphemeralMessages }: Config): readonly Chore[] =>
  [oldOriginals, oldOrigins, staleDevices, messageRetention(), ...(enableEphemeralMessages ? [selfDestructs] : [])]
