import { ringUsers } from '#actors/effects.ts'
import type { Command } from '#actors/kernel/actor.ts'
import type { ToDeviceFact } from '#schema/journal/to-device.ts'
import { type DeviceEncryption, REMEMBERED_MESSAGES } from './encryption.ts'
import type { DeviceApply, DeviceDecide } from './memory.ts'

/** Messages that wait for one device; of more, the oldest go unread. */
export const WAITING_LIMIT = 10_000
/** All that waits for one device, in UTF-16 units of JSON. */
export const WAITING_LIMIT_BYTES = 64 * 1024 * 1024
/** Who has not fetched a message for so long has stopped using the device. */
export const WAITING_LIMIT_MS = 120 * 24 * 60 * 60_000

export type ToDeviceCommand =
  /** `messageId` names the request; one that comes again is queued once. `json` is the event as sync shows it. */
  | Command<'queueToDevice', { messageId: string; json: string }>
  /** A later sync has shown that the device has everything up to `upTo`. */
  | Command<'toDeviceSeen', { upTo: number }>
  /** Some of what waits may be too old. */
  | Command<'dropStaleMessages'>

export const decide = {
  queueToDevice({ userId, deviceId, isThere, encryption }, { messageId, json }, { now }) {
    const isRepeated = encryption.waiting.has(messageId) || encryption.acknowledged.has(messageId)
    if (!isThere || isRepeated) return { reply: undefined }
    const queued = { kind: 'toDeviceQueued', userId, deviceId, messageId, json, ts: now } as const
    const surplus = surplusOf(encryption, now, { count: 1, bytes: json.length })
    const dropped = surplus && ({ kind: 'toDeviceDropped', userId, deviceId, ...surplus } as const)
    return {
      facts: dropped ? [dropped, queued] : [queued],
      effects: [ringUsers([userId], 'to-device')],
      reply: undefined,
    }
  },

  toDeviceSeen({ userId, deviceId, encryption }, { upTo }) {
    const messageIds = waitingUpTo(encryption, upTo)
    if (messageIds.length === 0) return { reply: undefined }
    return { facts: [{ kind: 'toDeviceSeen', userId, deviceId, upTo, messageIds }], reply: undefined }
  },

  dropStaleMessages({ userId, deviceId, encryption }, _, { now }) {
    const surplus = surplusOf(encryption, now, { count: 0, bytes: 0 })
    return surplus
      ? { facts: [{ kind: 'toDeviceDropped', userId, deviceId, ...surplus }], reply: undefined }
      : { reply: undefined }
  },
} satisfies DeviceDecide<ToDeviceCommand, ToDeviceFact>

export const apply = {
  toDeviceQueued({ encryption }, { messageId, json, ts }, position) {
    encryption.waiting.set(messageId, { position, bytes: json.length, ts })
    encryption.waitingBytes += json.length
  },
  toDeviceSeen({ encryption }, { upTo, messageIds }) {
    removeUpTo(encryption, upTo)
    encryption.seenUpTo = upTo
    for (const messageId of messageIds) rememberAcknowledged(encryption, messageId)
  },
  toDeviceDropped({ encryption }, { upTo, messageIds }) {
    removeUpTo(encryption, upTo)
    for (const messageId of messageIds) rememberAcknowledged(encryption, messageId)
  },
} satisfies DeviceApply<ToDeviceFact>

/** What has to go so that what is added fits in, oldest first. */
function surplusOf({ waiting, waitingBytes }: DeviceEncryption, now: number, added: { count: number; bytes: number }) {
  const messageIds: string[] = []
  let upTo = 0
  let count = waiting.size + added.count
  let total = waitingBytes + added.bytes
  for (const [messageId, message] of waiting) {
    const isStale = message.ts < now - WAITING_LIMIT_MS
    if (!isStale && count <= WAITING_LIMIT && total <= WAITING_LIMIT_BYTES) break
    messageIds.push(messageId)
    upTo = message.position
    count--
    total -= message.bytes
  }
  return messageIds.length > 0 ? { upTo, messageIds } : undefined
}

function waitingUpTo({ waiting }: DeviceEncryption, upTo: number): string[] {
  const messageIds: string[] = []
  for (const [messageId, { position }] of waiting) {
    if (position > upTo) break
    messageIds.push(messageId)
  }
  return messageIds
}

function removeUpTo(encryption: DeviceEncryption, upTo: number): void {
  for (const [messageId, { position, bytes }] of encryption.waiting) {
    if (position > upTo) return
    encryption.waiting.delete(messageId)
    encryption.waitingBytes -= bytes
  }
}

function rememberAcknowledged({ acknowledged }: DeviceEncryption, messageId: string): void {
  acknowledged.add(messageId)
  if (acknowledged.size <= REMEMBERED_MESSAGES) return
  for (const oldest of acknowledged) return void acknowledged.delete(oldest)
}
