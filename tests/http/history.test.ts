import { expect, test } from 'bun:test'
import { NO_EVENT_FILTER } from '#core/sync/filter.ts'
import { house } from '#harness/house.ts'
import { makeRoom, say } from '#harness/rooms.ts'
import { readHistory, SCAN_LIMIT } from '#http/history.ts'
import { roomReader } from '#http/room-reader.ts'
import type { DeviceId } from '#schema/identifiers.ts'
import { placeAt } from '#store/timeline.ts'

test('G-78: looks at no more than so many hidden events at once, and says where to go on', async () => {
  const { alice, server } = await house()
  const roomId = await makeRoom(alice)
  for (let sent = 0; sent < SCAN_LIMIT + 500; sent += 500)
    await Promise.all(Array.from({ length: 500 }, (_, number) => say(alice, roomId, `m${sent + number}`)))
  const reader = roomReader(server, roomId, {
    userId: alice.userId, deviceId: alice.deviceId as DeviceId, isGuest: false, isAdmin: false, isSuspended: false,
  })
  let looked = 0
  const blind = {
    ...reader,
    maySee() {
      looked++
      return false
    },
  }
  const from = placeAt(server.store, roomId, Number.MAX_SAFE_INTEGER)
  const first = readHistory(server.store, blind, { from, dir: 'b', limit: 10, filter: NO_EVENT_FILTER })
  expect(first).toMatchObject({ events: [], isLast: false })
  expect(looked).toBeGreaterThanOrEqual(SCAN_LIMIT)
  expect(looked).toBeLessThan(SCAN_LIMIT + SCAN_LIMIT / 10 + 10)
  const second = readHistory(server.store, blind, { from: first.end, dir: 'b', limit: 10, filter: NO_EVENT_FILTER })
  expect(second).toMatchObject({ events: [], isLast: true })
})
