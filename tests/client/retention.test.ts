import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent, stateContent, wholeState } from '#harness/rooms.ts'
import { findEvent } from '#store/events.ts'

const PATH = '/unstable/org.matrix.msc1763/retention/configuration'
const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS
/** By then every round has come by every room of a small server. */
const ROUND_MS = 60_000

describe('what the server says of retention', () => {
  test('is nothing but what the rooms say', async () => {
    const { alice, stranger } = await house()
    expect(await done(alice, 'GET', PATH)).toEqual({ policies: {}, limits: {} })
    expect(await stranger.answer('GET', PATH)).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
  })

  test('is its policy and its limits, where it has them', async () => {
    const retention = { enabled: true, default_policy: { max_lifetime: '1w', min_lifetime: '1d' }, allowed_lifetime_min: '1h', allowed_lifetime_max: '1y' }
    const { alice } = await house({ retention })
    expect(await done(alice, 'GET', PATH)).toEqual({
      policies: { '*': { min_lifetime: DAY_MS, max_lifetime: 7 * DAY_MS } },
      limits: { max_lifetime: { min: HOUR_MS, max: 365 * DAY_MS } },
    })
  })
})

describe('the policy of a room', () => {
  test('is kept as it is, if it makes sense', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.retention', { max_lifetime: DAY_MS })
    expect(await stateContent(alice, roomId, 'm.room.retention')).toEqual({ max_lifetime: DAY_MS })
    expect(await alice.answer('PUT', inRoom(roomId, '/state/m.room.retention'), { max_lifetime: '1d' })).toMatchObject({
      status: 400, body: { errcode: 'M_BAD_JSON' },
    })
  })
})

describe('messages', () => {
  async function keeping(retention: object, policy?: object) {
    const clock = manualClock()
    const world = await house({ retention: { enabled: true, ...retention } }, { clock })
    const { alice, bob, server } = world
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    if (policy) await setState(alice, roomId, 'm.room.retention', policy)
    const wait = async (ms: number) => {
      clock.advance(ms)
      await server.settled()
    }
    const shown = async () => {
      const { chunk } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=100'))
      return bodiesOf((chunk as ShownEvent[]).filter(({ state_key: key }) => key === undefined))
    }
    return { ...world, clock, roomId, wait, shown }
  }
  const at = (roomId: string, path: string, eventId: string): string => inRoom(roomId, `${path}/${encodeURIComponent(eventId)}`)
  const NOT_FOUND = { status: 404, body: { errcode: 'M_NOT_FOUND' } }

  test('go when they are older than their room keeps them, and no younger ones', async () => {
    const { alice, roomId, wait, shown } = await keeping({}, { max_lifetime: DAY_MS })
    await say(alice, roomId, 'old')
    await wait(DAY_MS / 2)
    await say(alice, roomId, 'young')
    await wait(DAY_MS / 2 - ROUND_MS)
    expect(await shown()).toEqual(['young', 'old'])
    await wait(2 * ROUND_MS)
    expect(await shown()).toEqual(['young'])
    await wait(DAY_MS)
    expect(await shown()).toEqual([])
  })

  test('are found nowhere then, and what they said is not on the disk', async () => {
    const { alice, bob, roomId, wait, server } = await keeping({}, { max_lifetime: DAY_MS })
    const root = await say(alice, roomId, 'secret root')
    const answer = await say(bob, roomId, 'secret answer', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
    await wait(DAY_MS + ROUND_MS)
    for (const path of ['/event', '/context', '/relations']) {
      const whole = path === '/relations' ? `/v1/rooms/${roomId}/relations/${encodeURIComponent(root)}` : at(roomId, path, root)
      expect(await alice.answer('GET', whole)).toMatchObject(NOT_FOUND)
    }
    const everything = JSON.stringify([
      await done(alice, 'GET', '/v3/sync'),
      await done(alice, 'GET', `/v1/rooms/${roomId}/threads`),
      await done(bob, 'GET', '/v3/notifications'),
      await done(alice, 'POST', '/v4/sync', { lists: { all: { range: [0, 9], timeline_limit: 20, required_state: { include: [] } } } }),
      await done(alice, 'POST', '/v3/search', { search_categories: { room_events: { search_term: 'secret' } } }),
    ])
    expect([everything.includes('secret root'), everything.includes(root), everything.includes(answer)]).toEqual([false, false, false])
    const { db } = server.store
    const tables = db.query<{ name: string }, []>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'`).all()
    const found = tables.filter(({ name }) => JSON.stringify(db.query(`SELECT * FROM "${name}"`).all()).includes('secret'))
    expect(found).toEqual([])
    expect(db.query(`SELECT rowid FROM search.words WHERE words MATCH 'secret'`).all()).toEqual([])
  })

  test('stop counting as unread, and may still be named by who says how far they have read', async () => {
    const { alice, bob, roomId, wait } = await keeping({}, { max_lifetime: DAY_MS })
    const old = await say(alice, roomId, 'old')
    await wait(DAY_MS / 2)
    await say(alice, roomId, 'young')
    const counted = async () => {
      const { rooms } = await done(bob, 'GET', '/v3/sync')
      return (rooms as { join: Record<string, { unread_notifications: { notification_count: number } }> }).join[roomId]?.unread_notifications.notification_count
    }
    expect(await counted()).toBe(2)
    await wait(DAY_MS / 2 + ROUND_MS)
    expect(await counted()).toBe(1)
    await done(bob, 'POST', at(roomId, '/receipt/m.read', old), {})
    expect(await counted()).toBe(1)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
  })

  test('leave the state of the room as it is', async () => {
    const { alice, roomId, wait } = await keeping({}, { max_lifetime: HOUR_MS })
    await setState(alice, roomId, 'm.room.name', { name: 'Attic' })
    const before = await wholeState(alice, roomId)
    await wait(DAY_MS)
    expect((await wholeState(alice, roomId)).map(({ event_id: id }) => id)).toEqual(before.map(({ event_id: id }) => id))
  })

  test('of a room that says nothing go as the server says', async () => {
    const { alice, roomId, wait, shown } = await keeping({ default_policy: { max_lifetime: '2d' } })
    await say(alice, roomId, 'hello')
    await wait(DAY_MS)
    expect(await shown()).toEqual(['hello'])
    await wait(DAY_MS + ROUND_MS)
    expect(await shown()).toEqual([])
  })

  test('of a room that says too little go as the server allows', async () => {
    const { alice, roomId, wait, shown } = await keeping({ allowed_lifetime_min: '2d' }, { max_lifetime: HOUR_MS })
    await say(alice, roomId, 'hello')
    await wait(DAY_MS)
    expect(await shown()).toEqual(['hello'])
    await wait(DAY_MS + ROUND_MS)
    expect(await shown()).toEqual([])
  })

  test.each([
    ['where retention is off', { enabled: false }, { max_lifetime: HOUR_MS }],
    ['where nobody says anything', {}, undefined],
  ])('stay %s', async (_says, retention, policy) => {
    const { alice, roomId, wait, shown } = await keeping(retention, policy)
    await say(alice, roomId, 'hello')
    await wait(DAY_MS)
    expect(await shown()).toEqual(['hello'])
  })

  test('can be built upon, redacted and answered though they are gone, also after a restart of the room', async () => {
    const { alice, bob, roomId, wait, shown, server } = await keeping({}, { max_lifetime: HOUR_MS })
    const gone = await say(alice, roomId, 'gone')
    await wait(HOUR_MS + ROUND_MS)
    expect(findEvent(server.store, gone)?.pdu).toMatchObject({ type: 'm.room.message', content: {} })
    await server.system.settled()
    server.system.kill({ kind: 'room', id: roomId })
    await say(bob, roomId, 'next', { 'm.relates_to': { 'm.in_reply_to': { event_id: gone } } })
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(gone)}/t1`), {})
    expect((await shown()).slice(0, 2)).toEqual(['m.room.redaction', 'next'])
  })
})
