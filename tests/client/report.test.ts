import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import { REASON_LIMIT } from '#schema/client/report.ts'
import { listReports, REPORTS_PER_USER } from '#store/content-reports.ts'

const NOTHING = { position: expect.any(Number), roomId: null, eventId: null, userId: null, score: null, ts: expect.any(Number) }

describe('a report', () => {
  test('of an event, a room and a user is kept for the admins', async () => {
    const { server, alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const eventId = await say(bob, roomId, 'buy now')
    expect(await done(alice, 'POST', inRoom(roomId, `/report/${encodeURIComponent(eventId)}`), { reason: 'spam', score: -50 })).toEqual({})
    expect(await done(alice, 'POST', inRoom(roomId, '/report'), { reason: 'a den of spam' })).toEqual({})
    expect(await done(alice, 'POST', `/v3/users/${bob.userId}/report`, { reason: '' })).toEqual({})
    const reporter = alice.userId
    expect(listReports(server.store, { limit: 10 })).toEqual([
      { ...NOTHING, reporter, about: 'user', userId: bob.userId, reason: '' },
      { ...NOTHING, reporter, about: 'room', roomId, reason: 'a den of spam' },
      { ...NOTHING, reporter, about: 'event', roomId, eventId, userId: bob.userId, reason: 'spam', score: -50 },
    ])
  })

  test('is also taken at the paths of the proposals, and of an event without a reason', async () => {
    const { server, alice, bob } = await house()
    const roomId = await makeRoom(alice)
    const eventId = await say(alice, roomId, 'hm')
    await done(alice, 'POST', inRoom(roomId, `/report/${encodeURIComponent(eventId)}`), {})
    await done(alice, 'POST', `/unstable/org.matrix.msc4151/rooms/${roomId}/report`, { reason: 'x' })
    await done(alice, 'POST', `/unstable/org.matrix.msc4260/users/${bob.userId}/report`, { reason: 'x' })
    expect(listReports(server.store, { limit: 10 }).map(({ about }) => about)).toEqual(['user', 'room', 'event'])
  })

  test('of what is not there, or not to be seen, is answered alike and not kept', async () => {
    const { server, alice, bob } = await house()
    const roomId = await makeRoom(alice)
    const eventId = await say(alice, roomId, 'private')
    for (const [path, body] of [
      [inRoom(roomId, `/report/${encodeURIComponent(eventId)}`), { reason: 'x' }],
      [inRoom('!nowhere:a.example', '/report'), { reason: 'x' }],
      [inRoom('!nowhere:a.example', '/report/$nothing'), {}],
      ['/v3/users/@nobody:a.example/report', { reason: 'x' }],
      ['/v3/users/nobody/report', { reason: 'x' }],
    ] as const) expect(await done(bob, 'POST', path, body)).toEqual({})
    expect(listReports(server.store, { limit: 10 })).toEqual([])
  })

  test('says why, in not too many words', async () => {
    const { alice, bob } = await house()
    const path = `/v3/users/${bob.userId}/report`
    expect(await alice.answer('POST', path, {})).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
    expect((await alice.answer('POST', path, { reason: 'x'.repeat(REASON_LIMIT) })).status).toBe(200)
    expect(await alice.answer('POST', path, { reason: 'x'.repeat(REASON_LIMIT + 1) })).toMatchObject({ status: 400, body: { errcode: 'M_BAD_JSON' } })
  })

  test('G-75: counts against rc_reports, whatever it is about', async () => {
    const clock = manualClock()
    const { alice, bob } = await house({ rc_reports: { per_second: 1, burst_count: 2 } }, { clock })
    const roomId = await makeRoom(alice)
    await done(alice, 'POST', inRoom(roomId, '/report'), { reason: 'x' })
    await done(alice, 'POST', `/v3/users/${bob.userId}/report`, { reason: 'x' })
    const refused = await alice('POST', inRoom(roomId, '/report/$x'), {})
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1_000 })
    clock.advance(1_000)
    await done(alice, 'POST', inRoom(roomId, '/report'), { reason: 'x' })
  })

  test('goes when its reporter has made very many after it', async () => {
    const { server, alice, bob } = await house()
    for (let count = 0; count <= REPORTS_PER_USER; count++)
      await server.user(alice.userId).ask({ kind: 'reportUser', targetId: bob.userId, reason: String(count) }, 'test')
    const reasons = listReports(server.store, { limit: REPORTS_PER_USER * 2 }).map(({ reason }) => reason)
    expect([reasons.length, reasons[0], reasons.at(-1)]).toEqual([REPORTS_PER_USER, String(REPORTS_PER_USER), '1'])
  })
})
