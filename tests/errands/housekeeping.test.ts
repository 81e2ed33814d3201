import { expect, test } from 'bun:test'
import { SEEN_MOVED_MS } from '#actors/device/devices.ts'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'
import { listDevices } from '#store/devices.ts'

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS

async function kept(overrides: Record<string, unknown>) {
  const clock = manualClock()
  const world = await house(overrides, { clock })
  clock.advance(SEEN_MOVED_MS)
  await done(world.alice, 'GET', '/v3/account/whoami')
  await world.server.settled()
  const wait = async (ms: number) => {
    clock.advance(ms)
    await world.server.settled()
  }
  const devices = () => listDevices(world.server.store, world.alice.userId).map(({ deviceId, lastSeenIp, lastSeenUserAgent }) => [deviceId, lastSeenIp, lastSeenUserAgent])
  return { ...world, clock, wait, devices }
}

test('from where a device was used is known for user_ips_max_age', async () => {
  const { alice, devices, wait } = await kept({})
  const before = await done(alice, 'GET', '/v3/devices/PHONE')
  expect(before.last_seen_ip).toBe('127.0.0.1')
  await wait(28 * DAY_MS - HOUR_MS)
  expect(devices()).toEqual([['PHONE', '127.0.0.1', null]])
  await wait(2 * HOUR_MS)
  expect(devices()).toEqual([['PHONE', null, null]])
  await done(alice, 'GET', '/v3/account/whoami')
  await wait(0)
  expect(devices()).toEqual([['PHONE', '127.0.0.1', null]])
})

test('from where a device was used is known for ever with user_ips_max_age: null', async () => {
  const { devices, wait } = await kept({ user_ips_max_age: null })
  await wait(60 * DAY_MS)
  expect(devices()).toEqual([['PHONE', '127.0.0.1', null]])
})

test('devices that nobody uses are logged out after delete_stale_devices_after, and others are not', async () => {
  const { alice, login, wait, devices } = await kept({ delete_stale_devices_after: '30d', user_ips_max_age: null })
  const tv = await login(alice.userId, 'TV')
  await wait(20 * DAY_MS)
  await done(alice, 'GET', '/v3/account/whoami')
  await wait(11 * DAY_MS)
  expect(devices().map(([deviceId]) => deviceId)).toEqual(['PHONE'])
  expect(await tv.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } })
})

test('devices stay where delete_stale_devices_after says nothing', async () => {
  const { devices, wait } = await kept({})
  await wait(60 * DAY_MS)
  expect(devices().map(([deviceId]) => deviceId)).toEqual(['PHONE'])
})
