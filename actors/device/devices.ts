import { ringUsers } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { isLongerThan } from '#core/characters.ts'
import type { DeviceFact } from '#schema/journal/device.ts'
import { invalidParam, notFound } from '#schema/matrix-error.ts'
import { clearDevice, type Device, type DeviceApply, type DeviceDecide } from './memory.ts'

/** In characters, as the reference server has it. */
export const DEVICE_NAME_LIMIT = 100
/** From where a device is used is recorded at most so often, and when nothing moved at most so seldom. */
export const SEEN_MOVED_MS = 10 * 60_000
export const SEEN_STILL_MS = 60 * 60_000

export type DevicesCommand =
  /** A device without a session; true when it was made now. spec: application-service-api#device-management */
  | Command<'createDevice', { displayName: string | null }, { isNew: boolean }>
  /** Null leaves the name as it is. spec: client-server-api#put_matrixclientv3devicesdeviceid */
  | Command<'updateDevice', { displayName: string | null }>
  | Command<'noticeDevice', { ipAddress: string | null; userAgent: string | null }>
  /** From where a device was used at `until` or before has been known for long enough. */
  | Command<'forgetDeviceOrigin', { until: number }>
  /** Ends the session of a device that nobody has used since `until`. */
  | Command<'dropStaleDevice', { until: number }>
  /** Logs out and removes the device. Also fine when it is not there. spec: client-server-api#post_matrixclientv3logout */
  | Command<'endSession'>

type DevicesFact = OfKind<DeviceFact, 'deviceCreated' | 'deviceRenamed' | 'deviceSeen' | 'deviceOriginForgotten' | 'deviceDeleted'>

export const decide = {
  createDevice({ userId, deviceId, isThere }, { displayName }, { now }) {
    if (isThere) return { reply: { isNew: false } }
    if (isTooLong(displayName)) return { refuse: nameTooLong() }
    return {
      facts: [{ kind: 'deviceCreated', userId, deviceId, displayName, ts: now }],
      effects: [ringUsers([userId], 'device-lists')],
      reply: { isNew: true },
    }
  },

  updateDevice(device, { displayName }) {
    const { userId, deviceId } = device
    if (!device.isThere) return { refuse: notFound('You have no device with this id') }
    if (isTooLong(displayName)) return { refuse: nameTooLong() }
    if (displayName === null || displayName === device.displayName) return { reply: undefined }
    return {
      facts: [{ kind: 'deviceRenamed', userId, deviceId, displayName }],
      effects: [ringUsers([userId], 'device-lists')],
      reply: undefined,
    }
  },

  noticeDevice({ userId, deviceId, isThere, seen }, { ipAddress, userAgent }, { now }) {
    const hasMoved = seen?.ipAddress !== ipAddress || seen.userAgent !== userAgent
    const isSoon = now < (seen?.ts ?? -Infinity) + (hasMoved ? SEEN_MOVED_MS : SEEN_STILL_MS)
    if (!isThere || isSoon) return { reply: undefined }
    return { facts: [{ kind: 'deviceSeen', userId, deviceId, ts: now, ipAddress, userAgent }], reply: undefined }
  },

  forgetDeviceOrigin({ userId, deviceId, seen }, { until }) {
    const isKnown = seen !== undefined && (seen.ipAddress !== null || seen.userAgent !== null)
    if (!isKnown || seen.ts > until) return { reply: undefined }
    return { facts: [{ kind: 'deviceOriginForgotten', userId, deviceId }], reply: undefined }
  },

  dropStaleDevice(device, { until }) {
    return (device.seen?.ts ?? Infinity) > until ? { reply: undefined } : remove(device)
  },

  endSession: remove,
} satisfies DeviceDecide<DevicesCommand, DevicesFact>

function remove({ userId, deviceId, isThere }: Device) {
  if (!isThere) return { reply: undefined }
  return {
    facts: [{ kind: 'deviceDeleted', userId, deviceId }] as const,
    effects: [ringUsers([userId], 'device-lists')],
    reply: undefined,
  }
}

export const apply = {
  deviceCreated(device, { displayName }) {
    Object.assign(device, { isThere: true, displayName })
  },
  deviceRenamed(device, { displayName }) {
    device.displayName = displayName
  },
  deviceSeen(device, { ts, ipAddress, userAgent }) {
    device.seen = { ts, ipAddress, userAgent }
  },
  deviceOriginForgotten(device) {
    if (device.seen) device.seen = { ...device.seen, ipAddress: null, userAgent: null }
  },
  deviceDeleted: clearDevice,
} satisfies DeviceApply<DevicesFact>

const isTooLong = (name: string | null): boolean => name !== null && isLongerThan(name, DEVICE_NAME_LIMIT)
const nameTooLong = () => invalidParam(`The name of a device may have at most ${DEVICE_NAME_LIMIT} characters`)
