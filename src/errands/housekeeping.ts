import { deviceAt, roomAt } from '#actors/addresses.ts'
import type { Address, AnyCommand } from '#actors/kernel/actor.ts'
import type { Config } from '#config'
import { listDevicesWithOrigin, listStaleDevices } from '#store/devices.ts'
import { listRoomsWithOriginals } from '#store/redacted-originals.ts'
import type { Store } from '#store/store.ts'

const MINUTE_MS = 60_000
/** Devices that one round looks after; the next round goes on. */
const DEVICES_LIMIT = 1_000

export type Given = Readonly<{ store: Store; config: Config; now: number }>
export type Letter = Readonly<{ to: Address<never>; command: AnyCommand }>

/** Something that is to be cleared away again and again: a letter to each actor that has something of it. */
export type Chore = Readonly<{ everyMs: number; letters: (given: Given) => Letter[] }>

const letter = <C extends AnyCommand>(to: Address<C>, command: C): Letter => ({ to: to as Address<never>, command })

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

export const chores: readonly Chore[] = [oldOriginals, oldOrigins, staleDevices]
