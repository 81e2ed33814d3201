import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import { findAccountData } from '#store/account-data.ts'

async function talk() {
  const world = await house()
  const { alice, bob, server } = world
  const roomId = await makeRoom(alice)
  await bringIn(alice, roomId, bob)
  const [first, second] = [await say(alice, roomId, 'first'), await say(alice, roomId, 'second')]
  const marker = () => findAccountData(server.store, bob.userId, roomId, 'm.fully_read')
  const receipts = () => server.store.db.query('SELECT type, thread FROM receipts ORDER BY type').values()
  return { ...world, roomId, first, second, marker, receipts, path: inRoom(roomId, '/read_markers') }
}

test('one call sets the marker and both receipts', async () => {
  const { bob, path, first, second, marker, receipts } = await talk()
  expect(await done(bob, 'POST', path, { 'm.fully_read': first, 'm.read': second, 'm.read.private': second })).toEqual({})
  expect(marker()).toEqual({ event_id: first })
  expect(receipts()).toEqual([['m.read', ''], ['m.read.private', '']])
})

test('none of them has to be there', async () => {
  const { bob, path, marker, receipts } = await talk()
  expect(await done(bob, 'POST', path, {})).toEqual({})
  expect(await done(bob, 'POST', path, { 'm.fully_read': null, 'm.read': null, 'm.read.private': null })).toEqual({})
  expect([marker(), receipts()]).toEqual([undefined, []])
})

test('the marker never moves back', async () => {
  const { bob, path, first, second, marker } = await talk()
  await done(bob, 'POST', path, { 'm.fully_read': second })
  await done(bob, 'POST', path, { 'm.fully_read': first })
  expect(marker()).toEqual({ event_id: second })
})

test.each(['allow_backward', 'com.beeper.allow_backward'])('the marker moves back where the client says so (%s), and no receipt does', async (key) => {
  const { bob, roomId, path, first, second, marker, server } = await talk()
  await done(bob, 'POST', path, { 'm.fully_read': second, 'm.read': second })
  await done(bob, 'POST', path, { 'm.fully_read': first, 'm.read': first, [key]: true })
  expect(marker()).toEqual({ event_id: first })
  const read = server.store.db.query('SELECT e.event_id FROM receipts r JOIN events e ON e.num = r.event').get() as { event_id: Uint8Array }
  expect(`$${read.event_id.toBase64({ alphabet: 'base64url', omitPadding: true })}`).toBe(second)
  await done(bob, 'POST', path, { 'm.fully_read': second })
  await done(bob, 'POST', inRoom(roomId, `/receipt/m.fully_read/${encodeURIComponent(first)}`), { [key]: true })
  expect(marker()).toEqual({ event_id: first })
})

test('strangers, unknown events and nonsense are refused', async () => {
  const { bob, register, path, first, marker } = await talk()
  const carol = await register('carol')
  expect(await carol.answer('POST', path, { 'm.fully_read': first })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  expect(await bob.answer('POST', path, { 'm.fully_read': '$none' })).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  expect(await bob.answer('POST', path, { 'm.fully_read': 'none' })).toMatchObject({ status: 400, body: { errcode: 'M_BAD_JSON' } })
  expect(marker()).toBeUndefined()
})
