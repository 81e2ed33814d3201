import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom } from '#harness/rooms.ts'

test('joined_rooms lists the rooms someone is in, not those they left or are invited to', async () => {
  const { alice, bob } = await house()
  const [joined, left, invited] = [await makeRoom(alice), await makeRoom(alice), await makeRoom(alice, { invite: [bob.userId] })]
  await bringIn(alice, joined, bob)
  await bringIn(alice, left, bob)
  await done(bob, 'POST', inRoom(left, '/leave'), {})
  expect(await done(bob, 'GET', '/v3/joined_rooms')).toEqual({ joined_rooms: [joined] })
  expect(invited).toBeString()
})

test('old clients find it under r0', async () => {
  const { alice } = await house()
  expect(await done(alice, 'GET', '/_matrix/client/r0/joined_rooms')).toEqual({ joined_rooms: [] })
})
