import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house, type House } from '#harness/house.ts'
import { done, inRoom, makeRoom } from '#harness/rooms.ts'
import { countMonthlyUsers, NOTICED_AGAIN_MS } from '#http/monthly-users.ts'
import { listMonthlyUsers, MONTH_MS } from '#store/monthly-users.ts'

const DAY_MS = 24 * 60 * 60_000
const limited = (value: number, more: object = {}) => ({
  limit_usage_by_mau: true, max_mau_value: value, admin_contact: 'mailto:admin@a.example', ...more,
})
const REFUSED = {
  status: 403,
  body: {
    errcode: 'M_RESOURCE_LIMIT_EXCEEDED',
    error: 'This server has reached its limit of active users this month',
    limit_type: 'monthly_active_user',
    admin_contact: 'mailto:admin@a.example',
  },
}

const aClock = () => manualClock(1_700_000_000_000)
const OPEN = { enable_registration: true, enable_registration_without_verification: true }
const register = ({ stranger }: House, username: string) =>
  stranger.answer('POST', '/v3/register', { username, password: 'x', auth: { type: 'm.login.dummy' } })

describe('the limit of active users', () => {
  test('keeps out whoever comes when it is reached, and nobody who was there', async () => {
    const opened = await house(limited(1))
    const { alice, bob } = opened
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    expect(await bob.answer('GET', '/v3/sync')).toEqual(REFUSED)
    expect(await bob.answer('POST', '/unstable/org.matrix.simplified_msc3575/sync', {})).toEqual(REFUSED)
    expect(await bob.answer('POST', '/v4/sync', {})).toEqual(REFUSED)
    expect(await bob.answer('POST', '/v3/createRoom', {})).toEqual(REFUSED)
    expect(await bob.answer('POST', inRoom(roomId, '/join'), {})).toEqual(REFUSED)
    expect(await alice.answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
    await done(alice, 'PUT', inRoom(roomId, '/send/m.room.message/t1'), { body: 'hi', msgtype: 'm.text' })
    expect(countMonthlyUsers(opened.server)).toBe(1)
  })

  test('lets those outside read and log out', async () => {
    const { alice, bob } = await house(limited(1))
    await makeRoom(alice)
    expect(await bob.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 200 })
    expect(await bob.answer('POST', '/v3/logout', {})).toMatchObject({ status: 200 })
  })

  test('keeps out those who are in a room already, when they speak or take back', async () => {
    const clock = aClock()
    const opened = await house(limited(2), { clock })
    const { alice, bob } = opened
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const sent = await done(bob, 'PUT', inRoom(roomId, '/send/m.room.message/t1'), { body: 'hi', msgtype: 'm.text' })
    clock.advance(MONTH_MS)
    const carol = await opened.register('carol')
    await done(alice, 'GET', '/v3/sync')
    await done(carol, 'GET', '/v3/sync')
    expect(await bob.answer('PUT', inRoom(roomId, '/send/m.room.message/t2'), { body: 'hi', msgtype: 'm.text' })).toEqual(REFUSED)
    expect(await bob.answer('PUT', inRoom(roomId, `/redact/${encodeURIComponent(String(sent.event_id))}/t3`), {})).toEqual(REFUSED)
    expect(await bob.answer('PUT', inRoom(roomId, '/state/m.room.member/%40bob%3Aa.example'), { membership: 'join', displayname: 'B' })).toEqual(REFUSED)
    expect(await bob.answer('POST', inRoom(roomId, '/leave'), {})).toMatchObject({ status: 200 })
  })

  test('closes registration and logins', async () => {
    const opened = await house({ ...limited(2), ...OPEN })
    expect(await register(opened, 'carol')).toMatchObject({ status: 200 })
    for (const { answer } of [opened.alice, opened.bob]) await answer('GET', '/v3/account/whoami')
    expect(await register(opened, 'dave')).toEqual(REFUSED)
    expect(await opened.stranger.answer('POST', '/v3/login', { type: 'm.login.password', user: 'carol', password: 'x' })).toEqual(REFUSED)
  })

  test('gives a place free when somebody was not seen for thirty days', async () => {
    const clock = aClock()
    const { alice, bob, server } = await house(limited(1), { clock })
    await done(alice, 'GET', '/v3/sync')
    clock.advance(MONTH_MS - 1)
    expect(await bob.answer('GET', '/v3/sync')).toEqual(REFUSED)
    clock.advance(1)
    expect(await bob.answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
    expect(await alice.answer('GET', '/v3/sync')).toEqual(REFUSED)
    await server.settled()
    expect(listMonthlyUsers(server.store, 0)).toEqual([{ userId: bob.userId, seenTs: clock.now() }])
  })

  test('does not count guests, and keeps them out', async () => {
    const opened = await house({ ...limited(1), allow_guest_access: true })
    const guest = await opened.register('guest', { isGuest: true })
    expect(await guest.answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
    expect(countMonthlyUsers(opened.server)).toBe(0)
    await done(opened.alice, 'GET', '/v3/sync')
    expect(await guest.answer('GET', '/v3/sync')).toEqual(REFUSED)
  })

  test('does not count accounts on trial, and lets them in', async () => {
    const clock = aClock()
    const { alice, bob, server } = await house(limited(1, { mau_trial_days: 2 }), { clock })
    for (const { answer } of [alice, bob]) expect(await answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
    expect(countMonthlyUsers(server)).toBe(0)
    clock.advance(2 * DAY_MS)
    expect(await alice.answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
    expect(await bob.answer('GET', '/v3/sync')).toEqual(REFUSED)
  })

  test('is not told an admin contact where there is none', async () => {
    const { alice, bob } = await house({ limit_usage_by_mau: true, max_mau_value: 1 })
    await done(alice, 'GET', '/v3/sync')
    expect((await bob.answer('GET', '/v3/sync')).body).not.toHaveProperty('admin_contact')
  })

  test('is written down once an hour for each user, and known after a restart', async () => {
    const clock = aClock()
    const { alice, server } = await house(limited(1), { clock })
    const begin = clock.now()
    const seen = async () => {
      await done(alice, 'GET', '/v3/account/whoami')
      await server.settled()
      return listMonthlyUsers(server.store, 0)[0]?.seenTs
    }
    expect(await seen()).toBe(begin)
    clock.advance(NOTICED_AGAIN_MS - 1)
    expect(await seen()).toBe(begin)
    clock.advance(1)
    expect(await seen()).toBe(begin + NOTICED_AGAIN_MS)
    // What another process finds: the same store, and nothing in memory.
    expect(countMonthlyUsers({ ...server })).toBe(1)
  })

  test('that was lowered leaves the place to those who were seen last', async () => {
    const clock = aClock()
    const { alice, bob, server } = await house(limited(2), { clock })
    await done(alice, 'GET', '/v3/sync')
    clock.advance(1)
    await done(bob, 'GET', '/v3/sync')
    await server.settled()
    expect(countMonthlyUsers({ ...server, config: { ...server.config, maxMauValue: 1 } })).toBe(1)
  })
})

describe('active users', () => {
  test('are counted without a limit where mau_stats_only says so', async () => {
    const { alice, bob, server } = await house({ mau_stats_only: true, max_mau_value: 1 })
    for (const { answer } of [alice, bob]) expect(await answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
    expect(countMonthlyUsers(server)).toBe(2)
  })

  test('are not counted, nor written down, where nobody asks', async () => {
    const { alice, server } = await house()
    await done(alice, 'GET', '/v3/sync')
    await server.settled()
    expect([countMonthlyUsers(server), listMonthlyUsers(server.store, 0)]).toEqual([null, []])
  })
})
