import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { done, inRoom, makeRoom } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

const invite = (who: Caller, roomId: RoomId, target: Caller) => who.answer('POST', inRoom(roomId, '/invite'), { user_id: target.userId })
const store = (who: Caller, type: string, content: object) => done(who, 'PUT', `/v3/user/${who.userId}/account_data/${type}`, content)
const invitesOf = async (who: Caller): Promise<string[]> =>
  Object.keys(((await done(who, 'GET', '/v3/sync')).rooms as { invite?: object } | undefined)?.invite ?? {})
const BLOCKED = { status: 403, body: { errcode: 'M_INVITE_BLOCKED' } }

describe('an invite', () => {
  test.each([
    ['m.invite_permission_config', { default_action: 'block' }],
    ['org.matrix.msc4380.invite_permission_config', { default_action: 'block' }],
    ['org.matrix.msc4155.invite_permission_config', { blocked_users: ['@alice:*'] }],
  ])('is refused by %s, whichever way it is made', async (type, content) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await store(bob, type, content)
    expect(await invite(alice, roomId, bob)).toMatchObject(BLOCKED)
    expect(await alice.answer('PUT', inRoom(roomId, `/state/m.room.member/${bob.userId}`), { membership: 'invite' })).toMatchObject(BLOCKED)
    expect(await alice.answer('POST', '/v3/createRoom', { invite: [bob.userId] })).toMatchObject(BLOCKED)
    expect(await invitesOf(bob)).toEqual([])
    await store(bob, type, { default_action: 'allow' })
    expect((await invite(alice, roomId, bob)).status).toBe(200)
  })

  test('that a rule ignores looks as if it had been made', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await store(bob, 'org.matrix.msc4155.invite_permission_config', { ignored_servers: ['a.example'], allowed_users: ['@carol:a.example'] })
    expect(await invite(alice, roomId, bob)).toEqual({ status: 200, body: {} })
    expect(await invitesOf(bob)).toEqual([])
    await store(bob, 'org.matrix.msc4155.invite_permission_config', {})
    expect(await invitesOf(bob)).toEqual([roomId])
  })

  test('G-71: of an ignored user is not shown', async () => {
    const { alice, bob } = await house()
    await store(bob, 'm.ignored_user_list', { ignored_users: { [alice.userId]: {} } })
    await done(alice, 'POST', '/v3/createRoom', { invite: [bob.userId] })
    expect(await invitesOf(bob)).toEqual([])
  })

  test('is for admins alone under block_non_admin_invites', async () => {
    const { alice, bob, register } = await house({ block_non_admin_invites: true })
    const root = await register('root', { isAdmin: true })
    expect(await invite(alice, await makeRoom(alice), bob)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect((await invite(root, await makeRoom(root), bob)).status).toBe(200)
  })
})

describe('G-75: invites are limited', () => {
  const strict = { per_second: 1, burst_count: 1 }
  const open = { per_second: 1_000, burst_count: 1_000 }

  test.each([
    ['by room', { per_room: strict, per_user: open, per_issuer: open }, [200, 429, 200]],
    ['by who is invited', { per_room: open, per_user: strict, per_issuer: open }, [200, 200, 429]],
    ['by who invites', { per_room: open, per_user: open, per_issuer: strict }, [200, 429, 429]],
  ])('%s', async (_says, rcInvites, statuses) => {
    const clock = manualClock()
    const { alice, bob, register } = await house({ rc_invites: rcInvites }, { clock })
    const carol = await register('carol')
    const [one, other] = [await makeRoom(alice), await makeRoom(alice)]
    const seen = [(await invite(alice, one, bob)).status, (await invite(alice, one, carol)).status, (await invite(alice, other, bob)).status]
    expect(seen).toEqual(statuses)
    clock.advance(1_000)
    expect((await invite(alice, other, await register('dave'))).status).toBe(200)
  })
})
