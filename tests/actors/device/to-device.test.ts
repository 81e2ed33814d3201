import { describe, expect, test } from 'bun:test'
import { device } from '#actors/device/device.ts'
import { REMEMBERED_MESSAGES } from '#actors/device/encryption.ts'
import { WAITING_LIMIT, WAITING_LIMIT_BYTES, WAITING_LIMIT_MS } from '#actors/device/to-device.ts'
import { ringUsers } from '#actors/effects.ts'
import { given, NOW } from '#harness/given.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import type { DeviceFact } from '#schema/journal/device.ts'
import type { ToDeviceQueued } from '#schema/journal/to-device.ts'

const userId = '@alice:a.example'
const deviceId = deviceIdOf('PHONE')
const name = `${userId}/${deviceId}`
const created: DeviceFact = { kind: 'deviceCreated', userId, deviceId, displayName: null, ts: NOW }
const queued = (messageId: string, json = '{}', ts = NOW): ToDeviceQueued => ({ kind: 'toDeviceQueued', userId, deviceId, messageId, json, ts })
const queue = (messageId: string, json = '{}') => ({ kind: 'queueToDevice', messageId, json }) as const
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

  test('of too many messages the oldest goes', () => {
    const full = given(device, name, created, ...Array.from({ length: WAITING_LIMIT }, (_, index) => queued(`m${index}`)))
    expect(full.when(queue('new')).facts).toEqual([
      { kind: 'toDeviceDropped', userId, deviceId, upTo: 2, messageIds: ['m0'] }, queued('new'),
    ])
    const room = given(device, name, created, ...Array.from({ length: WAITING_LIMIT - 1 }, (_, index) => queued(`m${index}`)))
    expect(room.when(queue('new')).facts).toEqual([queued('new')])
  })

  test('of too much text the oldest goes, as much as is needed', () => {
    const half = 'x'.repeat(WAITING_LIMIT_BYTES / 2)
    const full = given(device, name, created, queued('a', half), queued('b', half), queued('c', 'x'))
    expect(full.when(queue('d', half)).facts[0]).toMatchObject({ kind: 'toDeviceDropped', upTo: 3, messageIds: ['a', 'b'] })
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
    const many = Array.from({ length: REMEMBERED_MESSAGES + 2 }, (_, index) => queued(`m${index}`))
    const received = given(device, name, created, ...many).and({ kind: 'toDeviceSeen', upTo: many.length + 1 })
    expect([received.when(queue('m1')).facts.length, received.when(queue('m2')).facts.length]).toEqual([1, 0])
  })
})

test('a replay that finds only the places of received messages leads to the same memory', () => {
  const seen = { kind: 'toDeviceSeen', userId, deviceId, upTo: 3, messageIds: ['a', 'b'] } as const
  const gone = (position: number) => queued(`gone ${position}`, '', 0)
  const whole = given(device, name, created, queued('a'), queued('b'), queued('c'), seen)
  expect(given(device, name, created, gone(2), gone(3), queued('c'), seen).memory).toEqual(whole.memory)
})

test('a snapshot holds all of it', () => {
  const { memory } = three.and({ kind: 'toDeviceSeen', upTo: 2 })
  const frozen = JSON.parse(JSON.stringify(device.snapshot.freeze(memory)))
  expect(device.snapshot.thaw(frozen as never, name)).toEqual(memory)
})

test('a device that is removed has nothing waiting', () => {
  expect(three.and({ kind: 'endSession' }).memory.encryption.waiting.size).toBe(0)
})
