import type { AnyCommand, Apply, Decide, Kinded } from '#actors/kernel/actor.ts'
import type { Effect } from '#actors/effects.ts'
import { type DeviceId, deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { Tokens } from '#schema/journal/device.ts'
import { type DeviceEncryption, noEncryption } from './encryption.ts'

/** What a device must remember in order to decide. What is only ever read lives in the store. */
export type Device = {
  userId: UserId
  deviceId: DeviceId
  isThere: boolean
  displayName: string | null
  /** Absent while nobody is logged in on it. */
  tokens: Tokens | undefined
  /** Tokens from before the last refresh, while none of the new ones was used. */
  previous: Tokens | undefined
  /** When the login ends however often it is refreshed; null: never. */
  endsTs: number | null
  seen: Readonly<{ ts: number; ipAddress: string | null; userAgent: string | null }> | undefined
  encryption: DeviceEncryption
  /** When each sliding-sync connection last moved, by its name, oldest first. */
  connections: Map<string, number>
}

export type DeviceDecide<C extends AnyCommand, F extends Kinded = never, N extends Kinded = never> =
  Decide<Device, C, F, N, Effect>
export type DeviceApply<F extends Kinded> = Apply<Device, F>

/** The id is `<user id>/<device id>`; a localpart may hold slashes, a server name may not. */
export function emptyDevice(id: string): Device {
  const slash = id.indexOf('/', id.indexOf(':'))
  const name = { userId: id.slice(0, slash) as UserId, deviceId: deviceIdOf(id.slice(slash + 1)) }
  return { ...noDevice, ...name, encryption: noEncryption(), connections: new Map() }
}

const noDevice = { isThere: false, displayName: null, tokens: undefined, previous: undefined, endsTs: null, seen: undefined }

/** Leaves nothing but the name. */
export const clearDevice = (device: Device): void =>
  void Object.assign(device, noDevice, { encryption: noEncryption(), connections: new Map() })
