import { describe, expect, test } from 'bun:test'
import { device } from '#actors/device/device.ts'
import { CONNECTION_LIMIT_MS, CONNECTIONS_PER_DEVICE } from '#actors/device/sliding-sync.ts'
import { given, NOW } from '#harness/given.ts'
import { deviceIdOf } from '#schema/identifiers.ts'

const [userId, deviceId] = ['@alice:a.example', deviceIdOf('PHONE')] as const
const phone = given(device, `${userId}/${deviceId}`, { kind: 'deviceCreated', userId, deviceId, displayName: null, ts: 1 })

const move = (connId: string, from = 0) => ({
  kind: 'moveConnection', connId, start: 's', from, version: from + 1, rooms: [], wishes: ['w'], globalAccountData: -1,
} as const)
const names = (memory: typeof phone.memory): string[] => [...memory.connections.keys()]

describe('moveConnection', () => {
  test('records how far the connection has come', () => {
    const { kind: _kind, ...moved } = move('room-list')
    expect(phone.when(move('room-list'))).toMatchObject({
      facts: [{ kind: 'connectionMoved', userId, deviceId, ...moved, ts: NOW }], effects: [],
    })
  })

  test('records nothing for a device that is gone', () => {
    expect(given(device, `${userId}/${deviceId}`).when(move('room-list')).facts).toEqual([])
  })

  test('drops the connection that was used longest ago when there are too many', () => {
    let many = phone
    for (let count = 0; count < CONNECTIONS_PER_DEVICE; count++) many = many.and(move(`c${count}`), NOW + count)
    many = many.and(move('c0', 1), NOW + 100)
    expect(many.when(move('new')).facts).toMatchObject([{ kind: 'connectionsDropped', connIds: ['c1'] }, { kind: 'connectionMoved', connId: 'new' }])
    expect(many.when(move('c5', 1)).facts).toMatchObject([{ kind: 'connectionMoved', connId: 'c5' }])
    expect(names(many.and(move('new')).memory)).toHaveLength(CONNECTIONS_PER_DEVICE)
  })
})

describe('connections that are not used', () => {
  const two = phone.and(move('old'), NOW - CONNECTION_LIMIT_MS).and(move('new'), NOW)

  test('go when another one moves, and when they are looked for', () => {
    expect(two.when(move('new', 1), NOW + 1).facts).toMatchObject([{ kind: 'connectionsDropped', connIds: ['old'] }, { kind: 'connectionMoved' }])
    expect(names(two.and({ kind: 'dropIdleConnections' }, NOW + 1).memory)).toEqual(['new'])
    expect(two.when({ kind: 'dropIdleConnections' }, NOW).facts).toEqual([])
  })

  test('go with the device, and stay with a snapshot', () => {
    expect(names(two.and({ kind: 'endSession' }).memory)).toEqual([])
    const { freeze, thaw } = device.snapshot
    expect(thaw(freeze(two.memory) as never, `${userId}/${deviceId}`)).toEqual(two.memory)
  })
})
