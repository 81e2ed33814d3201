import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ManualClock, manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house, type House } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, setState, stateContent } from '#harness/rooms.ts'
import { SCHEDULED_LIMIT } from '#http/delayed-events.ts'
import type { RoomId } from '#schema/identifiers.ts'

const UNSTABLE = '/unstable/org.matrix.msc4140'
const MEMBER = 'org.matrix.msc3401.call.member'
const HELLO = { msgtype: 'm.text', body: 'later' }

type Scene = House & Readonly<{ clock: ManualClock; roomId: RoomId }>

async function scene(options: Record<string, unknown> = {}): Promise<Scene> {
  const clock = manualClock()
  const opened = await house(options, { clock })
  const roomId = await makeRoom(opened.alice, { power_level_content_override: { events: { [MEMBER]: 0 } } })
  await bringIn(opened.alice, roomId, opened.bob)
  return { ...opened, clock, roomId }
}

let transactions = 0
const later = (who: Caller, roomId: RoomId, ms: number, txnId = `d${++transactions}`) =>
  who.answer('PUT', inRoom(roomId, `/send/m.room.message/${txnId}?org.matrix.msc4140.delay=${ms}`), HELLO)
const stateLater = async (who: Caller, roomId: RoomId, ms: number, content: object, key: string = who.userId): Promise<string> =>
  (await done(who, 'PUT', inRoom(roomId, `/state/${MEMBER}/_${key}?org.matrix.msc4140.delay=${ms}`), content)).delay_id as string
const said = async (who: Caller, roomId: RoomId): Promise<unknown[]> =>
  bodiesOf((await done(who, 'GET', inRoom(roomId, '/messages?dir=b&limit=3'))).chunk)
const waiting = async (who: Caller): Promise<unknown[]> => (await done(who, 'GET', `${UNSTABLE}/delayed_events`)).delayed_events as unknown[]
async function pass({ clock, server }: Scene, ms: number): Promise<void> {
  clock.advance(ms)
  await server.settled()
}

describe('a delayed event', () => {
  test('is sent when its delay is over, and not before', async () => {
    const here = await scene()
    const { alice, bob, roomId } = here
    const { status, body } = await later(alice, roomId, 10_000)
    expect({ status, body }).toEqual({ status: 200, body: { delay_id: expect.any(String) } })
    await pass(here, 9_999)
    expect(await said(bob, roomId)).not.toContain('later')
    await pass(here, 1)
    expect((await said(bob, roomId))[0]).toBe('later')
    expect(await waiting(alice)).toEqual([])
  })

  test('is listed for its owner while it waits', async () => {
    const { alice, bob, clock, roomId } = await scene()
    const delayId = await stateLater(alice, roomId, 5_000, { left: true })
    const listed = {
      delay_id: delayId, room_id: roomId, type: MEMBER, state_key: `_${alice.userId}`, content: { left: true },
      delay: 5_000, delay_ms: 5_000, running_since: clock.now(), delayed_since_ts: clock.now(),
    }
    expect(await waiting(alice)).toEqual([listed])
    expect(await done(alice, 'GET', `${UNSTABLE}/delayed_events/${delayId}`)).toEqual(listed)
    expect(await bob.answer('GET', `/v1/delayed_events/${delayId}`)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect((await done(alice, 'GET', '/v1/delayed_events')).delayed_events).toHaveLength(1)
    expect(await waiting(bob)).toEqual([])
  })

  test('begins anew when it is restarted, is called off, or is sent at once, without a token', async () => {
    const here = await scene()
    const { alice, stranger, roomId } = here
    const restarted = await stateLater(alice, roomId, 1_000, { n: 1 }, 'a')
    const cancelled = await stateLater(alice, roomId, 1_000, { n: 2 }, 'b')
    const sent = await stateLater(alice, roomId, 1_000, { n: 3 }, 'c')
    await pass(here, 900)
    expect(await stranger.answer('POST', `${UNSTABLE}/delayed_events/${restarted}`, { action: 'restart' })).toEqual({ status: 200, body: {} })
    expect(await stranger.answer('POST', `${UNSTABLE}/delayed_events/${cancelled}/cancel`)).toEqual({ status: 200, body: {} })
    expect(await alice.answer('POST', `/v1/delayed_events/${sent}/send`, {})).toEqual({ status: 200, body: {} })
    expect(await stateContent(alice, roomId, MEMBER, '_c')).toEqual({ n: 3 })
    await pass(here, 900)
    expect(await stateContent(alice, roomId, MEMBER, '_a')).toMatchObject({ errcode: 'M_NOT_FOUND' })
    await pass(here, 100)
    expect(await stateContent(alice, roomId, MEMBER, '_a')).toEqual({ n: 1 })
    expect(await stateContent(alice, roomId, MEMBER, '_b')).toMatchObject({ errcode: 'M_NOT_FOUND' })
    for (const id of [restarted, cancelled, sent, 'd_unknown'])
      expect(await stranger.answer('POST', `${UNSTABLE}/delayed_events/${id}/restart`)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  })

  test('is called off by state that someone else sets in its place, and not by one’s own', async () => {
    const here = await scene()
    const { alice, bob, roomId } = here
    await setState(alice, roomId, 'm.room.power_levels', {
      ...await stateContent(alice, roomId, 'm.room.power_levels'), users: { [bob.userId]: 100 },
    })
    await stateLater(alice, roomId, 1_000, { from: 'alice' }, 'x')
    await setState(alice, roomId, MEMBER, { from: 'alice before' }, '_x')
    expect(await waiting(alice)).toHaveLength(1)
    await setState(bob, roomId, MEMBER, { from: 'bob' }, '_other')
    expect(await waiting(alice)).toHaveLength(1)
    await setState(bob, roomId, MEMBER, { from: 'bob' }, '_x')
    expect(await waiting(alice)).toEqual([])
    await pass(here, 1_000)
    expect(await stateContent(alice, roomId, MEMBER, '_x')).toEqual({ from: 'bob' })
  })

  test('tells its id to the device that scheduled it, and to no other', async () => {
    const here = await scene()
    const { alice, bob, login, roomId } = here
    const tablet = await login(alice.userId, 'TABLET')
    const { body } = await later(alice, roomId, 0)
    await pass(here, 1)
    const unsignedFor = async (who: Caller): Promise<unknown> =>
      ((await done(who, 'GET', inRoom(roomId, '/messages?dir=b&limit=1'))).chunk as { unsigned: unknown }[])[0]?.unsigned
    expect(await unsignedFor(alice)).toEqual({ 'age': expect.any(Number), 'membership': 'join', 'org.matrix.msc4140.delay_id': body.delay_id })
    for (const who of [tablet, bob]) expect(await unsignedFor(who)).not.toHaveProperty('org.matrix.msc4140.delay_id')
  })

  test('is the same one when the request comes again', async () => {
    const { alice, bob, roomId } = await scene()
    const first = await later(alice, roomId, 10_000, 'once')
    expect(await later(alice, roomId, 10_000, 'once')).toEqual(first)
    expect(await waiting(alice)).toHaveLength(1)
    expect((await later(bob, roomId, 10_000, 'once')).body.delay_id).not.toBe(first.body.delay_id)
  })

  test('is scheduled in the accepted form too', async () => {
    const here = await scene()
    const { alice, roomId } = here
    await done(alice, 'PUT', inRoom(roomId, '/delayed_event/m.room.message/t1'), { delay: 100, content: HELLO })
    await done(alice, 'PUT', `${UNSTABLE}/rooms/${roomId}/delayed_event/${MEMBER}/t2`, { delay_ms: 100, state_key: '_k', content: { n: 1 } })
    await pass(here, 100)
    expect(await said(alice, roomId)).toContain('later')
    expect(await stateContent(alice, roomId, MEMBER, '_k')).toEqual({ n: 1 })
    expect(await alice.answer('PUT', inRoom(roomId, '/delayed_event/m.room.message/t3'), { content: HELLO })).toMatchObject({
      status: 400, body: { errcode: 'M_MISSING_PARAM' },
    })
  })

  test('redacts what it names', async () => {
    const here = await scene()
    const { alice, roomId } = here
    const { event_id: target } = await done(alice, 'PUT', inRoom(roomId, '/send/m.room.message/burn'), { msgtype: 'm.text', body: 'burn' })
    await done(alice, 'PUT', inRoom(roomId, '/send/m.room.redaction/after?org.matrix.msc4140.delay=50'), { redacts: target })
    await pass(here, 50)
    expect((await done(alice, 'GET', inRoom(roomId, `/event/${encodeURIComponent(String(target))}`))).content).toEqual({})
  })

  test('is given up when by then the room refuses it', async () => {
    const here = await scene()
    const { alice, bob, roomId } = here
    await stateLater(bob, roomId, 1_000, { n: 1 })
    await done(alice, 'POST', inRoom(roomId, '/kick'), { user_id: bob.userId })
    await pass(here, 1_000)
    expect(await waiting(bob)).toEqual([])
    expect(await stateContent(alice, roomId, MEMBER, `_${bob.userId}`)).toMatchObject({ errcode: 'M_NOT_FOUND' })
  })

  test('that the room refuses when it is to be sent at once goes on waiting', async () => {
    const { alice, bob, roomId } = await scene()
    const delayId = await stateLater(bob, roomId, 1_000, { n: 1 })
    await done(alice, 'POST', inRoom(roomId, '/kick'), { user_id: bob.userId })
    expect(await bob.answer('POST', `${UNSTABLE}/delayed_events/${delayId}/send`)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await waiting(bob)).toHaveLength(1)
  })
})

describe('scheduling is refused', () => {
  test('for longer than max_event_delay_duration, in the words that clients understand', async () => {
    const { alice, roomId } = await scene({ max_event_delay_duration: '1s' })
    expect((await later(alice, roomId, 1_000)).status).toBe(200)
    expect(await later(alice, roomId, 1_001)).toEqual({
      status: 400,
      body: {
        'errcode': 'M_UNKNOWN', 'error': expect.any(String),
        'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': 1_000,
      },
    })
  })

  test('where there are no delayed events: nothing is sent at once instead', async () => {
    const { alice, roomId } = await scene({ max_event_delay_duration: null })
    expect(await later(alice, roomId, 1)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await said(alice, roomId)).not.toContain('later')
  })

  test('beyond a number, also when all requests come at once', async () => {
    const { alice, bob, roomId } = await scene()
    const answers = await Promise.all(Array.from({ length: SCHEDULED_LIMIT + 3 }, () => later(alice, roomId, 60_000)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(SCHEDULED_LIMIT)
    expect(answers.find(({ status }) => status !== 200)).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } })
    expect(await waiting(alice)).toHaveLength(SCHEDULED_LIMIT)
    expect((await later(bob, roomId, 60_000)).status).toBe(200)
  })

  test.each([
    ['a negative delay', '/send/m.room.message/x?org.matrix.msc4140.delay=-1', HELLO, 400, 'M_INVALID_PARAM'],
    ['a delay that is no number', '/send/m.room.message/x?org.matrix.msc4140.delay=soon', HELLO, 400, 'M_INVALID_PARAM'],
    ['a membership', '/state/m.room.member/@alice:a.example?org.matrix.msc4140.delay=1', { membership: 'leave' }, 403, 'M_FORBIDDEN'],
    ['a redaction of nothing', '/send/m.room.redaction/x?org.matrix.msc4140.delay=1', {}, 400, 'M_INVALID_PARAM'],
    ['too much', '/send/m.room.message/x?org.matrix.msc4140.delay=1', { body: 'x'.repeat(65_536) }, 413, 'M_TOO_LARGE'],
  ])('for %s', async (_says, rest, body, status, errcode) => {
    const { alice, roomId } = await scene()
    expect(await alice.answer('PUT', inRoom(roomId, rest), body)).toMatchObject({ status, body: { errcode } })
    expect(await waiting(alice)).toEqual([])
  })

  test('to strangers, and to the suspended', async () => {
    const { server, alice, register, roomId } = await scene()
    expect(await later(await register('carol'), roomId, 1)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    await server.user(alice.userId).ask({ kind: 'suspendUser', isSuspended: true }, 'test')
    expect(await later(alice, roomId, 1)).toMatchObject({ status: 403, body: { errcode: 'M_USER_SUSPENDED' } })
  })
})

test('an action must be one that there is', async () => {
  const { alice, roomId } = await scene()
  const delayId = await stateLater(alice, roomId, 1_000, {})
  expect(await alice.answer('POST', `${UNSTABLE}/delayed_events/${delayId}`, { action: 'hurry' })).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  expect(await alice.answer('POST', `${UNSTABLE}/delayed_events/${delayId}`, {})).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  expect(await alice.answer('POST', `${UNSTABLE}/delayed_events/${delayId}/hurry`, {})).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
})

test('G-75: rc_delayed_event_mgmt counts per user, or per address where there is no token', async () => {
  const here = await scene({ rc_delayed_event_mgmt: { per_second: 1, burst_count: 2 } })
  const { alice, stranger, roomId } = here
  const delayId = await stateLater(alice, roomId, 60_000, {})
  const restart = async (who: Caller) => (await who.answer('POST', `${UNSTABLE}/delayed_events/${delayId}/restart`)).status
  expect([await restart(alice), await restart(alice), await restart(alice)]).toEqual([200, 200, 429])
  expect([await restart(stranger), await restart(stranger), await restart(stranger)]).toEqual([200, 200, 429])
  await pass(here, 1_000)
  expect([await restart(alice), await restart(alice)]).toEqual([200, 429])
})

test('delayed events survive a restart: what is due is sent, the rest goes on waiting', async () => {
  const file = join(tmpdir(), `warren-delayed-${process.pid}.db`)
  const database = { name: 'sqlite3', args: { database: file } }
  try {
    const clock = manualClock()
    const first = await house({ database }, { clock })
    const roomId = await makeRoom(first.alice)
    await later(first.alice, roomId, 1_000)
    const delayId = await stateLater(first.alice, roomId, 10_000, { n: 1 }, 'k')
    await first.close()

    clock.advance(2_000)
    const second = await house({ database }, { clock, isNew: false })
    await pass({ ...second, clock, roomId }, 0)
    expect((await said(second.alice, roomId)).filter((body) => body === 'later')).toEqual(['later'])
    expect(await waiting(second.alice)).toMatchObject([{ delay_id: delayId }])
    await pass({ ...second, clock, roomId }, 8_000)
    expect(await stateContent(second.alice, roomId, MEMBER, '_k')).toEqual({ n: 1 })
    await second.close()
  } finally {
    for (const suffix of ['', '-wal', '-shm', '.reserve']) rmSync(file + suffix, { force: true })
  }
})
