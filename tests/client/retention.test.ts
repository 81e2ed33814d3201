import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { done, makeRoom, setState, stateContent } from '#harness/rooms.ts'

const PATH = '/unstable/org.matrix.msc1763/retention/configuration'

test('there is no policy but those of the rooms', async () => {
  const { alice, stranger } = await house()
  expect(await done(alice, 'GET', PATH)).toEqual({ policies: {}, limits: {} })
  expect(await stranger.answer('GET', PATH)).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
})

test('the policy of a room is kept as it is', async () => {
  const { alice } = await house()
  const roomId = await makeRoom(alice)
  await setState(alice, roomId, 'm.room.retention', { max_lifetime: 86_400_000 })
  expect(await stateContent(alice, roomId, 'm.room.retention')).toEqual({ max_lifetime: 86_400_000 })
})
