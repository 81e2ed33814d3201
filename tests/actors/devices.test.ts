import { describe, expect, test } from 'bun:test'
import { device } from '#actors/device/device.ts'
import { DEVICE_NAME_LIMIT, SEEN_MOVED_MS, SEEN_STILL_MS } from '#actors/device/devices.ts'
import { emptyDevice } from '#actors/device/memory.ts'
import { ringUsers } from '#actors/effects.ts'
import { given, NOW } from '#harness/given.ts'
import { deviceIdOf } from '#schema/identifiers.ts'

const userId = '@alice:a.example'
const deviceId = deviceIdOf('PHONE')
const nothing = given(device, `${userId}/${deviceId}`)
const phone = nothing.and({
  kind: 'startSession', displayName: 'Phone', isRefreshable: false, lifetimes: { accessMs: null, refreshMs: null, sessionMs: null },
  ipAddress: '192.0.2.1', userAgent: 'test',
})

test.each([
  ['plain', '@alice:a.example', 'PHONE'],
  ['with slashes on both sides', '@al/ice:a.example:8448', 'PH/ONE'],
  ['with a colon in the device', '@alice:a.example', 'a:b/c'],
])('an address is read back: %s', (_says, owner, id) => {
  expect(emptyDevice(`${owner}/${id}`)).toMatchObject({ userId: owner, deviceId: id })
})

describe('createDevice', () => {
  test('makes a device once', () => {
    const create = { kind: 'createDevice', displayName: 'Bridge' } as const
    expect(nothing.when(create)).toMatchObject({
      facts: [{ kind: 'deviceCreated', userId, deviceId, displayName: 'Bridge', ts: NOW }],
      reply: { isNew: true },
    })
    expect(nothing.and(create).when(create)).toMatchObject({ facts: [], reply: { isNew: false } })
  })
})

describe('updateDevice', () => {
  test('renames the device', () => {
    expect(phone.when({ kind: 'updateDevice', displayName: 'Old phone' })).toMatchObject({
      facts: [{ kind: 'deviceRenamed', userId, deviceId, displayName: 'Old phone' }],
      effects: [ringUsers([userId], 'device-lists')],
    })
  })

  test.each([['no name is given', null], ['it has this name', 'Phone']])('changes nothing when %s', (_says, displayName) => {
    expect(phone.when({ kind: 'updateDevice', displayName })).toMatchObject({ facts: [], effects: [] })
  })

  test('refuses a device that is not there, and a name that is too long', () => {
    expect(nothing.when({ kind: 'updateDevice', displayName: 'x' }).refused).toBe('M_NOT_FOUND')
    expect(phone.when({ kind: 'updateDevice', displayName: 'x'.repeat(DEVICE_NAME_LIMIT + 1) }).refused).toBe('M_INVALID_PARAM')
    expect(phone.when({ kind: 'updateDevice', displayName: '\u{1f98a}'.repeat(DEVICE_NAME_LIMIT) }).facts).toHaveLength(1)
  })
})

describe('noticeDevice', () => {
  const still = { kind: 'noticeDevice', ipAddress: '192.0.2.1', userAgent: 'test' } as const
  const moved = { ...still, ipAddress: '192.0.2.2' } as const

  test.each([
    ['the same place is recorded seldom', still, SEEN_STILL_MS],
    ['another place is recorded sooner', moved, SEEN_MOVED_MS],
  ] as const)('%s', (_says, command, ms) => {
    expect(phone.when(command, NOW + ms - 1).facts).toEqual([])
    expect(phone.when(command, NOW + ms).facts).toMatchObject([{ kind: 'deviceSeen', ts: NOW + ms, ipAddress: command.ipAddress }])
  })

  test('says nothing of a device that is gone', () => {
    expect(nothing.when(moved).facts).toEqual([])
  })
})

describe('forgetDeviceOrigin', () => {
  test('forgets from where the device was used, and not when', () => {
    const forget = { kind: 'forgetDeviceOrigin', until: NOW } as const
    expect(phone.when(forget).facts).toEqual([{ kind: 'deviceOriginForgotten', userId, deviceId }])
    const forgotten = phone.and(forget)
    expect(forgotten.memory.seen).toEqual({ ts: NOW, ipAddress: null, userAgent: null })
    expect(forgotten.when(forget).facts).toEqual([])
  })

  test('leaves a device alone that was used since, or never', () => {
    expect(phone.when({ kind: 'forgetDeviceOrigin', until: NOW - 1 }).facts).toEqual([])
    expect(nothing.when({ kind: 'forgetDeviceOrigin', until: NOW }).facts).toEqual([])
  })
})

describe('dropStaleDevice', () => {
  test('ends the session of a device that nobody has used since', () => {
    expect(phone.when({ kind: 'dropStaleDevice', until: NOW })).toMatchObject({
      facts: [{ kind: 'deviceDeleted', userId, deviceId }], effects: [ringUsers([userId], 'device-lists')],
    })
  })

  test('leaves a device alone that was used since, or was never logged in on', () => {
    expect(phone.when({ kind: 'dropStaleDevice', until: NOW - 1 }).facts).toEqual([])
    const bare = nothing.and({ kind: 'createDevice', displayName: null })
    expect(bare.when({ kind: 'dropStaleDevice', until: NOW }).facts).toEqual([])
  })
})

describe('endSession', () => {
  test('leaves nothing behind, and may be said twice', () => {
    const ended = phone.and({ kind: 'endSession' })
    expect(phone.when({ kind: 'endSession' }).facts).toEqual([{ kind: 'deviceDeleted', userId, deviceId }])
    expect(ended.memory).toEqual(nothing.memory)
    expect(ended.when({ kind: 'endSession' })).toMatchObject({ facts: [], effects: [] })
  })
})

test('a snapshot gives the same memory back', () => {
  const frozen = JSON.parse(JSON.stringify(device.snapshot.freeze(phone.memory))) as never
  expect(device.snapshot.thaw(frozen, `${userId}/${deviceId}`)).toEqual(phone.memory)
})
