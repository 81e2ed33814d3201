import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
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
    unsigned: { redacted_because: { event_id: redactionId, content: { reason: 'typo', redacts: eventId }, redacts: eventId }, redacted_by: redactionId },
  })
})

test('a reason that is null is none', async () => {
  const { bob, alice, roomId, eventId } = await spoken()
  await done(bob, 'PUT', redact(roomId, eventId), { reason: null })
  expect(await done(alice, 'GET', shown(roomId, eventId))).toMatchObject({ unsigned: { redacted_because: { content: { redacts: eventId } } } })
  expect(await done(alice, 'GET', shown(roomId, eventId))).not.toHaveProperty('unsigned.redacted_because.content.reason')
})

test('a redaction without a transaction id is one each time', async () => {
  const { bob, roomId, eventId } = await spoken()
  const path = inRoom(roomId, `/redact/${encodeURIComponent(eventId)}`)
  const [first, second] = [await done(bob, 'POST', path, { reason: 'typo' }), await done(bob, 'POST', path, {})]
  expect(second.event_id).not.toBe(first.event_id)
  expect(await done(bob, 'GET', shown(roomId, String(first.event_id)))).toMatchObject({ content: { reason: 'typo' }, redacts: eventId })
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

describe('what a redacted event said', () => {
  const WEEK_MS = 7 * 24 * 60 * 60_000
  const asked = (roomId: string, eventId: string, parameter = 'fi.mau.msc2815.include_unredacted_content'): string =>
    `${shown(roomId, eventId)}?${parameter}=true`
  const GONE = { status: 404, body: { errcode: 'FI.MAU.MSC2815_UNREDACTED_CONTENT_DELETED' } }

  async function takenBack(overrides: Record<string, unknown> = {}) {
    const clock = manualClock()
    const world = await house(overrides, { clock })
    const roomId = await makeRoom(world.alice)
    await bringIn(world.alice, roomId, world.bob)
    const eventId = await say(world.bob, roomId, 'oops')
    const { event_id: redactionId } = await done(world.bob, 'PUT', redact(roomId, eventId), {})
    return { ...world, clock, roomId, eventId, redactionId }
  }

  test.each(['fi.mau.msc2815.include_unredacted_content', 'include_unredacted_content'])('is shown to who may redact others, with the redaction (%s)', async (parameter) => {
    const { alice, roomId, eventId, redactionId } = await takenBack()
    expect(await done(alice, 'GET', asked(roomId, eventId, parameter))).toMatchObject({
      event_id: eventId, content: { body: 'oops' }, unsigned: { redacted_because: { event_id: redactionId } },
    })
    expect(await done(alice, 'GET', shown(roomId, eventId))).toMatchObject({ content: {} })
  })

  test('is shown to admins of the server who are in the room', async () => {
    const { alice, register, roomId, eventId } = await takenBack()
    const admin = await register('admin', { isAdmin: true })
    expect(await admin.answer('GET', asked(roomId, eventId))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    await bringIn(alice, roomId, admin)
    expect(await done(admin, 'GET', asked(roomId, eventId))).toMatchObject({ content: { body: 'oops' } })
  })

  test('is shown to nobody else, not even to who said it', async () => {
    const { bob, roomId, eventId } = await takenBack()
    expect(await bob.answer('GET', asked(roomId, eventId))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })

  test('is not shown to a moderator who has left', async () => {
    const { alice, roomId, eventId } = await takenBack()
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    expect(await alice.answer('GET', asked(roomId, eventId))).toMatchObject({ status: 403 })
  })

  test('is gone after redaction_retention_period', async () => {
    const { alice, clock, roomId, eventId, server } = await takenBack()
    clock.advance(WEEK_MS - 1)
    await server.settled()
    expect(await alice.answer('GET', asked(roomId, eventId))).toMatchObject({ status: 200 })
    clock.advance(5 * 60_000)
    await server.settled()
    expect(await alice.answer('GET', asked(roomId, eventId))).toMatchObject({ ...GONE, body: { 'fi.mau.msc2815.content_keep_ms': WEEK_MS } })
    expect(await done(alice, 'GET', shown(roomId, eventId))).toMatchObject({ content: {} })
  })

  test('is kept for ever with null', async () => {
    const { alice, clock, roomId, eventId, server } = await takenBack({ redaction_retention_period: null })
    clock.advance(10 * WEEK_MS)
    await server.settled()
    expect(await done(alice, 'GET', asked(roomId, eventId))).toMatchObject({ content: { body: 'oops' } })
  })

  test('is what it said first, when it is redacted twice', async () => {
    const { alice, roomId, eventId } = await takenBack()
    await done(alice, 'PUT', redact(roomId, eventId, 'again'), {})
    expect(await done(alice, 'GET', asked(roomId, eventId))).toMatchObject({ content: { body: 'oops' } })
  })

  test('is nothing special of an event that was not redacted', async () => {
    const { alice, roomId } = await takenBack()
    const eventId = await say(alice, roomId, 'fine')
    expect(await done(alice, 'GET', asked(roomId, eventId))).toMatchObject({ content: { body: 'fine' } })
  })

  test('is found by no search and in no timeline', async () => {
    const { alice, server, roomId } = await takenBack()
    const everything = JSON.stringify([
      await done(alice, 'GET', '/v3/sync'),
      await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=100')),
      await done(alice, 'POST', '/v3/search', { search_categories: { room_events: { search_term: 'oops' } } }),
    ])
    expect(everything).not.toContain('"body":"oops"')
    expect(everything).toContain('"count":0')
    expect(server.store.db.query('SELECT count(*) AS kept FROM redacted_originals').get()).toEqual({ kept: 1 })
  })
})
