import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { findFilter } from '#store/filters.ts'

test('a filter is found by its owner and id', async () => {
  const { server, alice, bob, close } = await house()
  const filter = { room: { timeline: { limit: 5 } } }
  const { filterId } = await server.user(alice.userId).ask({ kind: 'defineFilter', filter }, 'test')
  expect(findFilter(server.store, alice.userId, filterId)).toEqual(filter)
  expect(findFilter(server.store, alice.userId, '17')).toBeUndefined()
  expect(findFilter(server.store, bob.userId, filterId)).toBeUndefined()
  await close()
})
