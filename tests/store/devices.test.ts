import { expect, test } from 'bun:test'
import { SEEN_STILL_MS } from '#actors/device/devices.ts'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { findDevice, listDeviceIds, listDevices } from '#store/devices.ts'

const phone = deviceIdOf('PHONE')
const bridge = deviceIdOf('BRIDGE')

test('devices are listed with what is known of them', async () => {
  const clock = manualClock()
  const { server, alice, close } = await house({}, { clock })
  const createdTs = clock.now()
  await server.device(alice.userId, bridge).ask({ kind: 'createDevice', displayName: 'Bridge' }, 'test')
  await server.device(alice.userId, phone).ask({ kind: 'updateDevice', displayName: 'My phone' }, 'test')
  clock.advance(SEEN_STILL_MS)
  await server.device(alice.userId, phone).ask({ kind: 'noticeDevice', ipAddress: '192.0.2.7', userAgent: 'test' }, 'test')
  const rows = [
    { deviceId: bridge, displayName: 'Bridge', createdTs, lastSeenTs: null, lastSeenIp: null, lastSeenUserAgent: null },
    { deviceId: phone, displayName: 'My phone', createdTs, lastSeenTs: clock.now(), lastSeenIp: '192.0.2.7', lastSeenUserAgent: 'test' },
  ]
  expect(listDevices(server.store, alice.userId)).toEqual(rows)
  expect(findDevice(server.store, alice.userId, bridge)).toEqual(rows[0])
  await close()
})

test('a device that is gone is not there', async () => {
  const { server, alice, close } = await house()
  await server.device(alice.userId, phone).ask({ kind: 'endSession' }, 'test')
  expect(findDevice(server.store, alice.userId, phone)).toBeUndefined()
  expect(listDeviceIds(server.store, alice.userId)).toEqual([])
  expect(listDevices(server.store, '@nobody:a.example')).toEqual([])
  await close()
})

test('a second login keeps when the device was made and its name', async () => {
  const clock = manualClock()
  const { server, alice, login, close } = await house({}, { clock })
  const before = findDevice(server.store, alice.userId, phone)
  clock.advance(1_000)
  await login(alice.userId, 'PHONE')
  expect(findDevice(server.store, alice.userId, phone)).toEqual({
    deviceId: phone, displayName: null, createdTs: before?.createdTs ?? 0, lastSeenTs: clock.now(), lastSeenIp: null, lastSeenUserAgent: null,
  })
  await close()
})
