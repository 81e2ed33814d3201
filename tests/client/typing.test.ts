import { expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom } from '#harness/rooms.ts'

async function pair() {
  const clock = manualClock()
  const world = await house({}, { clock })
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  const who = () => world.server.notifier.typingIn(roomId)?.userIds
  return { ...world, clock, roomId, who, path: inRoom(roomId, `/typing/${encodeURIComponent(world.bob.userId)}`) }
}

test('G-89: typing lasts as long as the client says, and ends by itself', async () => {
  const { bob, path, who, clock, server } = await pair()
  expect(await done(bob, 'PUT', path, { typing: true, timeout: 4_000 })).toEqual({})
  clock.advance(3_999)
  await server.settled()
  expect(who()).toEqual([bob.userId])
  clock.advance(2)
  await server.settled()
  expect(who()).toEqual([])
})

test('without a timeout it lasts 30 seconds', async () => {
  const { bob, path, who, clock, server } = await pair()
  await done(bob, 'PUT', path, { typing: true })
  clock.advance(29_999)
  await server.settled()
  expect(who()).toEqual([bob.userId])
  clock.advance(2)
  await server.settled()
  expect(who()).toEqual([])
})

test('it is ended by saying so', async () => {
  const { bob, path, who } = await pair()
  await done(bob, 'PUT', path, { typing: true })
  await done(bob, 'PUT', path, { typing: false })
  expect(who()).toEqual([])
})

test.each([
  ['for someone else', 'alice', { typing: true }, 403, 'M_FORBIDDEN'],
  ['without saying whether', 'bob', {}, 400, 'M_MISSING_PARAM'],
  ['for a negative time', 'bob', { typing: true, timeout: -1 }, 400, 'M_BAD_JSON'],
] as const)('it is refused %s', async (_says, who, body, status, errcode) => {
  const world = await pair()
  expect(await world[who].answer('PUT', world.path, body)).toMatchObject({ status, body: { errcode } })
})

test('it is refused outside the room', async () => {
  const { register, roomId } = await pair()
  const carol = await register('carol')
  expect(await carol.answer('PUT', inRoom(roomId, `/typing/${carol.userId}`), { typing: true })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
})
