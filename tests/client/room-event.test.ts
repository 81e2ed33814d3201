import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { done, inRoom, makeRoom, say, setState } from '#harness/rooms.ts'

const NOT_FOUND = { status: 404, body: { errcode: 'M_NOT_FOUND' } }
const at = (roomId: string, eventId: string): string => inRoom(roomId, `/event/${encodeURIComponent(eventId)}`)

test('an event is shown with its room', async () => {
  const { alice } = await house()
  const roomId = await makeRoom(alice)
  const eventId = await say(alice, roomId, 'hello')
  expect(await done(alice, 'GET', at(roomId, eventId))).toMatchObject({
    event_id: eventId, room_id: roomId, sender: alice.userId, type: 'm.room.message', content: { body: 'hello' }, unsigned: { membership: 'join' },
  })
})

test('what is not there, in another room, or not to be seen is 404 alike', async () => {
  const { alice, bob } = await house()
  const roomId = await makeRoom(alice)
  const eventId = await say(alice, roomId, 'hello')
  expect(await alice.answer('GET', at(roomId, '$none'))).toMatchObject(NOT_FOUND)
  expect(await alice.answer('GET', at(await makeRoom(alice), eventId))).toMatchObject(NOT_FOUND)
  expect(await bob.answer('GET', at(roomId, eventId))).toMatchObject(NOT_FOUND)
})

test.each([
  ['GET', '/event/EVENT', undefined, 404],
  ['GET', '/context/EVENT', undefined, 404],
  ['PUT', '/redact/EVENT/t1', {}, 400],
  ['POST', '/receipt/m.read/EVENT', {}, 404],
] as const)('an event is found in its own room only: %s %s', async (method, path, body, status) => {
  const { alice } = await house()
  const eventId = await say(alice, await makeRoom(alice), 'hello')
  const other = await makeRoom(alice)
  expect((await alice.answer(method, inRoom(other, path.replace('EVENT', encodeURIComponent(eventId))), body)).status).toBe(status)
})

test('who joins a room whose history is for members sees only what came after', async () => {
  const { alice, bob } = await house()
  const roomId = await makeRoom(alice, { invite: [bob.userId] })
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' })
  const before = await say(alice, roomId, 'before')
  await done(bob, 'POST', inRoom(roomId, '/join'), {})
  const after = await say(alice, roomId, 'after')
  expect(await bob.answer('GET', at(roomId, before))).toMatchObject(NOT_FOUND)
  expect(await done(bob, 'GET', at(roomId, after))).toMatchObject({ content: { body: 'after' } })
})

test('the invited see an event where the history is open to them, and nobody else does', async () => {
  const { alice, bob, register } = await house()
  const carol = await register('carol')
  const roomId = await makeRoom(alice)
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'invited' })
  const before = await say(alice, roomId, 'before')
  await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
  const after = await say(alice, roomId, 'after')
  expect(await done(bob, 'GET', at(roomId, after))).toMatchObject({ content: { body: 'after' }, unsigned: { membership: 'invite' } })
  expect(await bob.answer('GET', at(roomId, before))).toMatchObject(NOT_FOUND)
  expect(await carol.answer('GET', at(roomId, after))).toMatchObject(NOT_FOUND)
})

test('what was said while anyone could read it stays readable, but not for those who forgot the room', async () => {
  const { alice, bob } = await house()
  const roomId = await makeRoom(alice, { preset: 'public_chat' })
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
  const open = await say(alice, roomId, 'open')
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' })
  const closed = await say(alice, roomId, 'closed')
  expect(await done(bob, 'GET', at(roomId, open))).toMatchObject({ content: { body: 'open' }, unsigned: { membership: 'leave' } })
  expect(await bob.answer('GET', at(roomId, closed))).toMatchObject(NOT_FOUND)
  for (const step of ['/join', '/leave', '/forget']) await done(bob, 'POST', inRoom(roomId, step), {})
  expect(await bob.answer('GET', at(roomId, open))).toMatchObject(NOT_FOUND)
})
