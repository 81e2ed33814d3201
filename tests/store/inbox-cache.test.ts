import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type House, house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { EMPTY_INBOX, findDeviceInbox } from '#store/device-inboxes.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

test('a device has the row that it has in the table, after every change of it, and the same one in between', async () => {
  const { server, alice, bob } = here
  const device = deviceIdOf(alice.deviceId)
  const before = server.inbox(alice.userId, device)
  expect(server.inbox(alice.userId, device)).toBe(before)
  await done(bob, 'PUT', '/v3/sendToDevice/m.dummy/t1', { messages: { [alice.userId]: { [device]: {} } } })
  expect(server.inbox(alice.userId, device)).toEqual({ ...before, oldestMessage: expect.any(Number) as number })
  const { next_batch: since } = await done(alice, 'GET', '/v3/sync')
  await done(alice, 'GET', `/v3/sync?since=${since}`)
  expect(server.inbox(alice.userId, device)).toEqual(findDeviceInbox(server.store, alice.userId, device))
  expect(server.inbox(alice.userId, device)).toMatchObject({ oldestMessage: null })
})

test('what is no device has an empty one', () => {
  expect(here.server.inbox(here.alice.userId, null)).toEqual(EMPTY_INBOX)
  expect(here.server.inbox(here.alice.userId, deviceIdOf('NONE'))).toEqual(EMPTY_INBOX)
})
