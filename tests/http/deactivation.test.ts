import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { deactivateAccount } from '#http/deactivation.ts'
import { listDeviceIds } from '#store/devices.ts'
import { listRoomsOf } from '#store/memberships.ts'
import { findUser } from '#store/users.ts'

test('who is deactivated is out of every room and logged in nowhere', async () => {
  const { server, alice, bob, login, close } = await house()
  await login(bob.userId, 'TV')
  const [joined, invited] = [
    await alice.answer('POST', '/v3/createRoom', { preset: 'public_chat' }),
    await alice.answer('POST', '/v3/createRoom', { invite: [bob.userId] }),
  ].map(({ body }) => body.room_id as `!${string}`)
  await bob.answer('POST', `/v3/rooms/${joined}/join`, {})
  expect([listRoomsOf(server.store, bob.userId, 'join'), listRoomsOf(server.store, bob.userId, 'invite')]).toEqual([[joined], [invited]] as never)
  await deactivateAccount(server, bob.userId, true, 'test')
  expect(listRoomsOf(server.store, bob.userId, 'leave').toSorted()).toEqual([joined, invited].toSorted() as never)
  expect(listDeviceIds(server.store, bob.userId)).toEqual([])
  expect(findUser(server.store, bob.userId)).toMatchObject({ isDeactivated: true, isErased: true })
  await close()
})
