import { describe, expect, test } from 'bun:test'
import { device } from '#actors/device/device.ts'
import { REMEMBERED_MESSAGES } from '#actors/device/encryption.ts'
import { WAITING_LIMIT, WAITING_LIMIT_BYTES, WAITING_LIMIT_MS } from '#actors/device/to-device.ts'
import { ringUsers } from '#actors/effects.ts'
import { given, NOW } from '#harness/given.ts'
import { deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { DeviceFact } from '#schema/journal/device.ts'
import type { ToDeviceQueued } from '#schema/journal/to-device.ts'

const userId = '@alice:a.example'
const deviceId = deviceIdOf('PHONE')
const name = `${userId}/${deviceId}`
const created: DeviceFact = { kind: 'deviceCreated', userId, deviceId, displayName: null, ts: NOW }
const bob = '@bob:a.example'
const mallory = '@mallory:a.example'
const queued = (messageId: string, json = '{}', ts = NOW, sender: UserId = bob): ToDeviceQueued =>
  ({ kind: 'toDeviceQueued', userId, deviceId, messageId, sender, json, ts })
const queue = (messageId: string, json = '{}', sender: UserId = bob) => ({ kind: 'queueToDevice', messageId, sender, json }) as const
const many = (count: number, sender: UserId, json = '{}'): ToDeviceQueued[] =>
  Array.from({ length: count }, (_, index) => queued(`${sender}${index}`, json, NOW, sender))
const phone = given(device, name, created)
// Facts stand at the positions 1, 2, …: the messages at 2, 3 and 4.
const three = given(device, name, created, queued('a'), queued('b'), queued('c'))

describe('queueToDevice', () => {
  test('queues the message and rings the user', () => {
    expect(phone.when(queue('a', '{"type":"x"}'))).toEqual({
      facts: [queued('a', '{"type":"x"}')], notes: [], effects: [ringUsers([userId], 'to-device')], reply: undefined,
    })
  })

  test('a repeated request is queued once, whether its message still waits or was received', () => {
    expect(three.when(queue('b')).facts).toEqual([])
    const received = three.and({ kind: 'toDeviceSeen', upTo: 4 })
    expect(received.when(queue('b')).facts).toEqual([])
    expect(received.when(queue('d')).facts).toHaveLength(1)
  })

  test('a device that is not there gets nothing', () => {
    expect(given(device, name).when(queue('a'))).toMatchObject({ facts: [], effects: [] })
  })

  test('of too many messages the oldest goes of whoever has the most', () => {
    // Positions: created 1, bob's 2 to 4, mallory's from 5 on.
    const flooded = given(device, name, created, ...many(3, bob), ...many(WAITING_LIMIT - 3, mallory))
    const crowdedOut = { kind: 'toDeviceCrowdedOut', userId, deviceId, positions: [5], messageIds: [`${mallory}0`] } as const
    expect(flooded.when(queue('more', '{}', mallory)).facts).toEqual([crowdedOut, queued('more', '{}', NOW, mallory)])
    expect(flooded.when(queue('key', '{}', bob)).facts).toEqual([crowdedOut, queued('key')])
    const room = given(device, name, created, ...many(WAITING_LIMIT - 1, mallory))
    expect(room.when(queue('new')).facts).toEqual([queued('new')])
  })

  test('of too much text the oldest goes, as much as is needed, of whoever has the most', () => {
    const half = 'x'.repeat(WAITING_LIMIT_BYTES / 2)
    const full = given(device, name, created, queued('key', 'x'), ...many(2, mallory, half.slice(1)))
    expect(full.when(queue('d', `${half}x`, mallory)).facts[0])
      .toMatchObject({ kind: 'toDeviceCrowdedOut', positions: [3, 4], messageIds: [`${mallory}0`, `${mallory}1`] })
    expect(full.when(queue('small', 'xx')).facts[0]).toMatchObject({ positions: [3] })
    expect(full.when(queue('fits', 'x')).facts).toHaveLength(1)
  })

  test('who was crowded out does not come back by a repeated request', () => {
    const flooded = given(device, name, created, ...many(WAITING_LIMIT, mallory)).and(queue('key'))
    const { waiting, shares, waitingBytes } = flooded.memory.encryption
    expect([waiting.size, waitingBytes, shares.get(bob), shares.get(mallory)])
      .toEqual([WAITING_LIMIT, WAITING_LIMIT * 2, { count: 1, bytes: 2 }, { count: WAITING_LIMIT - 1, bytes: (WAITING_LIMIT - 1) * 2 }])
    expect(flooded.when(queue(`${mallory}0`, '{}', mallory)).facts).toEqual([])
  })

  test('what is stale makes room first', () => {
    const old = queued('old', '{}', NOW - WAITING_LIMIT_MS - 1)
    const full = given(device, name, created, old, ...many(WAITING_LIMIT - 1, mallory))
    expect(full.when(queue('new')).facts).toEqual([
      { kind: 'toDeviceDropped', userId, deviceId, upTo: 2, messageIds: ['old'] }, queued('new'),
    ])
  })

  test('what nobody has fetched for long goes when the next message comes', () => {
    const stale = given(device, name, created, queued('old', '{}', NOW - WAITING_LIMIT_MS - 1), queued('young', '{}', NOW - WAITING_LIMIT_MS))
    expect(stale.when(queue('new')).facts[0]).toMatchObject({ kind: 'toDeviceDropped', messageIds: ['old'] })
  })
})

describe('dropStaleMessages', () => {
  const stale = given(device, name, created, queued('old', '{}', NOW - WAITING_LIMIT_MS - 1), queued('young', '{}', NOW - WAITING_LIMIT_MS))

  test('removes what nobody has fetched for long, and nothing else', () => {
    expect(stale.when({ kind: 'dropStaleMessages' }).facts).toEqual([
      { kind: 'toDeviceDropped', userId, deviceId, upTo: 2, messageIds: ['old'] },
    ])
    expect([...stale.and({ kind: 'dropStaleMessages' }).memory.encryption.waiting.keys()]).toEqual(['young'])
  })

  test('writes nothing when nothing is stale', () => {
    expect(three.when({ kind: 'dropStaleMessages' }).facts).toEqual([])
    expect(given(device, name).when({ kind: 'dropStaleMessages' }).facts).toEqual([])
  })
})

describe('toDeviceSeen', () => {
  test('G-67: removes what the device has shown to have, and nothing beyond', () => {
    expect(three.when({ kind: 'toDeviceSeen', upTo: 3 }).facts).toEqual([
      { kind: 'toDeviceSeen', userId, deviceId, upTo: 3, messageIds: ['a', 'b'] },
    ])
    const left = three.and({ kind: 'toDeviceSeen', upTo: 3 }).memory.encryption
    expect([[...left.waiting.keys()], left.waitingBytes, left.seenUpTo]).toEqual([['c'], 2, 3])
  })

  test('writes nothing when nothing waits up to there', () => {
    expect(three.when({ kind: 'toDeviceSeen', upTo: 1 }).facts).toEqual([])
    expect(phone.when({ kind: 'toDeviceSeen', upTo: 99 }).facts).toEqual([])
  })

  test('remembers received messages, but not for ever', () => {
    const all = Array.from({ length: REMEMBERED_MESSAGES + 2 }, (_, index) => queued(`m${index}`))
    const received = given(device, name, created, ...all).and({ kind: 'toDeviceSeen', upTo: all.length + 1 })
    expect([received.when(queue('m1')).facts.length, received.when(queue('m2')).facts.length]).toEqual([1, 0])
  })
})

test('a replay that finds only the places of received messages leads to the same memory', () => {
  const seen = { kind: 'toDeviceSeen', userId, deviceId, upTo: 3, messageIds: ['a', 'b'] } as const
  const gone = (position: number) => queued(`gone ${position}`, '', 0, userId)
  const whole = given(device, name, created, queued('a'), queued('b'), queued('c'), seen)
  expect(given(device, name, created, gone(2), gone(3), queued('c'), seen).memory).toEqual(whole.memory)
  const crowded = { kind: 'toDeviceCrowdedOut', userId, deviceId, positions: [3], messageIds: ['b'] } as const
  const crowdedWhole = given(device, name, created, queued('a'), queued('b'), queued('c'), crowded)
  expect(given(device, name, created, queued('a'), gone(3), queued('c'), crowded).memory).toEqual(crowdedWhole.memory)
})

test('a snapshot holds all of it', () => {
  const { memory } = three.and({ kind: 'toDeviceSeen', upTo: 2 })
  const frozen = JSON.parse(JSON.stringify(device.snapshot.freeze(memory)))
  expect(device.snapshot.thaw(frozen as never, name)).toEqual(memory)
})

test('a device that is removed has nothing waiting', () => {
  expect(three.and({ kind: 'endSession' }).memory.encryption.waiting.size).toBe(0)
})
