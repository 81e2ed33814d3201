import { ringUsers } from '#actors/effects.ts'
import type { Command } from '#actors/kernel/actor.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { ToDeviceCrowdedOut, ToDeviceDropped, ToDeviceFact } from '#schema/journal/to-device.ts'
import { addShare, type DeviceEncryption, REMEMBERED_MESSAGES, type Share, type Waiting } from './encryption.ts'
import type { Device, DeviceApply, DeviceDecide } from './memory.ts'

/** Messages that wait for one device; of more, those who have sent the most make room. */
export const WAITING_LIMIT = 10_000
/** All that waits for one device, in UTF-16 units of JSON. */
export const WAITING_LIMIT_BYTES = 64 * 1024 * 1024
/** Who has not fetched a message for so long has stopped using the device. */
export const WAITING_LIMIT_MS = 120 * 24 * 60 * 60_000

export type ToDeviceCommand =
  /** `messageId` names the request; one that comes again is queued once. `json` is the event as sync shows it. */
  | Command<'queueToDevice', { messageId: string; sender: UserId; json: string }>
  /** A later sync has shown that the device has everything up to `upTo`. */
  | Command<'toDeviceSeen', { upTo: number }>
  /** Some of what waits may be too old. */
  | Command<'dropStaleMessages'>

export const decide = {
  queueToDevice(device, { messageId, sender, json }, { now }) {
    const { userId, deviceId, isThere, encryption } = device
    const isRepeated = encryption.waiting.has(messageId) || encryption.acknowledged.has(messageId)
    if (!isThere || isRepeated) return { reply: undefined }
    const stale = staleAt(device, now)
    const crowded = crowdedOut(device, stale?.messageIds ?? [], { sender, bytes: json.length })
    return {
      facts: [
        ...(stale ? [stale] : []),
        ...(crowded ? [crowded] : []),
        { kind: 'toDeviceQueued', userId, deviceId, messageId, sender, json, ts: now },
      ],
      effects: [ringUsers([userId], 'to-device')],
      reply: undefined,
    }
  },

  toDeviceSeen({ userId, deviceId, encryption }, { upTo }) {
    const messageIds = waitingUpTo(encryption, upTo)
    if (messageIds.length === 0) return { reply: undefined }
    return { facts: [{ kind: 'toDeviceSeen', userId, deviceId, upTo, messageIds }], reply: undefined }
  },

  dropStaleMessages(device, _, { now }) {
    const stale = staleAt(device, now)
    return stale ? { facts: [stale], reply: undefined } : { reply: undefined }
  },
} satisfies DeviceDecide<ToDeviceCommand, ToDeviceFact>

export const apply = {
  toDeviceQueued({ encryption }, { messageId, sender, json, ts }, position) {
    const waiting = { position, sender, bytes: json.length, ts }
    encryption.waiting.set(messageId, waiting)
    encryption.waitingBytes += waiting.bytes
    addShare(encryption.shares, waiting, 1)
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
  toDeviceCrowdedOut({ encryption }, { positions, messageIds }) {
    const gone = new Set(positions)
    for (const [messageId, { position }] of encryption.waiting) {
      // A replay finds only the place of a message that is gone, under another name.
      if (gone.delete(position)) remove(encryption, messageId)
      if (gone.size === 0) break
    }
    for (const messageId of messageIds) rememberAcknowledged(encryption, messageId)
  },
} satisfies DeviceApply<ToDeviceFact>

/** The messages that have waited for too long, oldest first. */
function staleAt({ userId, deviceId, encryption }: Device, now: number): ToDeviceDropped | undefined {
  const messageIds: string[] = []
  let upTo = 0
  for (const [messageId, { position, ts }] of encryption.waiting) {
    if (ts >= now - WAITING_LIMIT_MS) break
    messageIds.push(messageId)
    upTo = position
  }
  return messageIds.length > 0 ? { kind: 'toDeviceDropped', userId, deviceId, upTo, messageIds } : undefined
}

/**
 * What has to go so that the message fits in when the `stale` ones are gone: one by one the oldest of whoever has the most
 * waiting, so that a flood drives out its own and not the keys that someone else has sent.
 */
function crowdedOut(
  { userId, deviceId, encryption: { waiting, waitingBytes, shares: before } }: Device,
  stale: readonly string[],
  added: Pick<Waiting, 'sender' | 'bytes'>,
): ToDeviceCrowdedOut | undefined {
  const total = { count: waiting.size + 1, bytes: waitingBytes + added.bytes }
  const isTooMuch = (): boolean => total.count > WAITING_LIMIT || total.bytes > WAITING_LIMIT_BYTES
  if (!isTooMuch()) return undefined
  const shares = new Map(before)
  addShare(shares, added, 1)
  const gone = new Set<string>()
  const go = (messageId: string, message: Waiting): void => {
    gone.add(messageId)
    addShare(shares, message, -1)
    total.count--
    total.bytes -= message.bytes
  }
  for (const messageId of stale) {
    const message = waiting.get(messageId)
    if (message) go(messageId, message)
  }
  const positions: number[] = []
  while (isTooMuch()) {
    const most = heaviest(shares, total.count > WAITING_LIMIT ? 'count' : 'bytes')
    const oldest = waiting.entries().find(([messageId, { sender }]) => sender === most && !gone.has(messageId))
    if (!oldest) break
    go(...oldest)
    positions.push(oldest[1].position)
  }
  const messageIds = [...gone].slice(stale.length)
  return positions.length > 0 ? { kind: 'toDeviceCrowdedOut', userId, deviceId, positions, messageIds } : undefined
}

/** Who has the most; of equals, who came first. */
function heaviest(shares: ReadonlyMap<UserId, Share>, measure: keyof Share): UserId | undefined {
  let most: [UserId, number] | undefined
  for (const [sender, share] of shares) if (!most || share[measure] > most[1]) most = [sender, share[measure]]
  return most?.[0]
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
  for (const [messageId, { position }] of encryption.waiting) {
    if (position > upTo) return
    remove(encryption, messageId)
  }
}

function remove(encryption: DeviceEncryption, messageId: string): void {
  const gone = encryption.waiting.get(messageId)
  if (!gone) return
  encryption.waiting.delete(messageId)
  encryption.waitingBytes -= gone.bytes
  addShare(encryption.shares, gone, -1)
}

function rememberAcknowledged({ acknowledged }: DeviceEncryption, messageId: string): void {
  acknowledged.add(messageId)
  if (acknowledged.size <= REMEMBERED_MESSAGES) return
  for (const oldest of acknowledged) return void acknowledged.delete(oldest)
}
