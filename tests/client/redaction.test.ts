import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'

const redact = (roomId: string, eventId: string, txnId = '1'): string => inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/${txnId}`)
const shown = (roomId: string, eventId: string): string => inRoom(roomId, `/event/${encodeURIComponent(eventId)}`)

async function spoken() {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  return { ...world, roomId, eventId: await say(world.bob, roomId, 'oops') }
}

test('G-80: the content is gone and the redaction says why', async () => {
  const { bob, alice, roomId, eventId } = await spoken()
  const { event_id: redactionId } = await done(bob, 'PUT', redact(roomId, eventId), { reason: 'typo' })
  expect(await done(alice, 'GET', shown(roomId, eventId))).toMatchObject({
    content: {},
    unsigned: { redacted_because: { event_id: redactionId, content: { reason: 'typo', redacts: eventId }, redacts: eventId } },
  })
})

test('G-70: the same transaction redacts once', async () => {
  const { bob, roomId, eventId } = await spoken()
  expect(await done(bob, 'PUT', redact(roomId, eventId), {})).toEqual(await done(bob, 'PUT', redact(roomId, eventId), {}))
})

test('those with the power redact what others said; those without cannot', async () => {
  const { alice, register, roomId, eventId } = await spoken()
  const carol = await register('carol')
  await bringIn(alice, roomId, carol)
  expect(await carol.answer('PUT', redact(roomId, eventId), {})).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  await done(alice, 'PUT', redact(roomId, eventId), {})
})

test('only what is in the room can be redacted there', async () => {
  const { alice, bob, roomId, eventId } = await spoken()
  expect(await bob.answer('PUT', redact(roomId, '$none'), {})).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  const other = await makeRoom(alice, { preset: 'public_chat' })
  await done(bob, 'POST', inRoom(other, '/join'), {})
  expect(await bob.answer('PUT', redact(other, eventId), {})).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
})
