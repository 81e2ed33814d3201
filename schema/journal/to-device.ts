import type { DeviceId, UserId } from '#schema/identifiers.ts'

/** What became of messages to a device. Rows of the journal: add kinds, never change one. */

/**
 * A message waits for the device; its place in the queue is the position of this fact. On disk the whole fact is its row
 * in `to_device`: once that is deleted, only the position is left, and a later fact says why.
 */
export type ToDeviceQueued = Readonly<{
  kind: 'toDeviceQueued'
  userId: UserId
  deviceId: DeviceId
  /** Tells a repeated request from a new one. */
  messageId: string
  sender: UserId
  /** The event as sync shows it, as JSON. */
  json: string
  ts: number
}>

/** The device has everything up to `upTo`; `messageIds` are what it was. */
export type ToDeviceSeen = Readonly<{
  kind: 'toDeviceSeen'
  userId: UserId
  deviceId: DeviceId
  upTo: number
  messageIds: readonly string[]
}>

/** Too old: everything up to `upTo` went without having been read. */
export type ToDeviceDropped = Readonly<{
  kind: 'toDeviceDropped'
  userId: UserId
  deviceId: DeviceId
  upTo: number
  messageIds: readonly string[]
}>

/** Too many: the oldest of those who have sent the most went without having been read. */
export type ToDeviceCrowdedOut = Readonly<{
  kind: 'toDeviceCrowdedOut'
  userId: UserId
  deviceId: DeviceId
  /** Where they stood in the queue. */
  positions: readonly number[]
  messageIds: readonly string[]
}>

export type ToDeviceFact = ToDeviceQueued | ToDeviceSeen | ToDeviceDropped | ToDeviceCrowdedOut
