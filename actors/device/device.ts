import type { Effect } from '#actors/effects.ts'
import type { Behaviour } from '#actors/kernel/actor.ts'
import type { DeviceFact } from '#schema/journal/device.ts'
import type { DeviceKeysFact } from '#schema/journal/device-keys.ts'
import type { SlidingSyncFact } from '#schema/journal/sliding-sync.ts'
import type { ToDeviceFact } from '#schema/journal/to-device.ts'
import * as devices from './devices.ts'
import { freezeEncryption, type FrozenEncryption, thawEncryption } from './encryption.ts'
import * as keys from './keys.ts'
import * as login from './login.ts'
import { type Device, emptyDevice } from './memory.ts'
import * as slidingSync from './sliding-sync.ts'
import * as toDevice from './to-device.ts'

export type DeviceCommand =
  | devices.DevicesCommand
  | login.LoginCommand
  | keys.KeysCommand
  | slidingSync.SlidingSyncCommand
  | toDevice.ToDeviceCommand

type Fact = DeviceFact | DeviceKeysFact | SlidingSyncFact | ToDeviceFact

/** A device of a local account and the session on it. */
export const device: Behaviour<Device, DeviceCommand, Fact, never, Effect> = {
  kind: 'device',
  empty: emptyDevice,
  decide: { ...devices.decide, ...login.decide, ...keys.decide, ...slidingSync.decide, ...toDevice.decide },
  apply: { ...devices.apply, ...login.apply, ...keys.apply, ...slidingSync.apply, ...toDevice.apply },
  snapshot: {
    version: 4,
    every: ({ encryption }) => 100 + encryption.waiting.size,
    freeze: ({ userId: _user, deviceId: _device, encryption, connections, ...rest }) =>
      ({ ...rest, encryption: freezeEncryption(encryption), connections: [...connections] }),
    thaw: ({ encryption, connections, ...rest }: Frozen, id) =>
      ({ ...emptyDevice(id), ...rest, encryption: thawEncryption(encryption), connections: new Map(connections) }),
  },
}

type Frozen = Omit<Device, 'userId' | 'deviceId' | 'encryption' | 'connections'> & {
  encryption: FrozenEncryption
  connections: [string, number][]
}
