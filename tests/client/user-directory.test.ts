import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, makeRoom, setState } from '#harness/rooms.ts'

const search = (who: Caller, term: string, more: object = {}) =>
  who.answer('POST', '/v3/user_directory/search', { search_term: term, ...more })
const found = async (who: Caller, term: string): Promise<unknown[]> =>
  ((await search(who, term)).body.results as { user_id: string }[]).map(({ user_id }) => user_id)

describe('a search of the user directory', () => {
  test('finds those with whom a room is shared, by the begin of name or id, whatever the case', async () => {
    const { alice, register } = await house()
    const carol = await register('carol', { displayname: 'Caroline Müller' })
    await done(carol, 'PUT', `/v3/profile/${carol.userId}/avatar_url`, { avatar_url: 'mxc://a.example/face' })
    expect(await found(alice, 'carol')).toEqual([])
    await bringIn(alice, await makeRoom(alice), carol)
    for (const term of ['carol', 'CAROL', 'mull', 'müll', 'line mü', '@carol:a.example', '@carol:', 'caroline müller'])
      expect([term, await found(alice, term)]).toEqual([term, term === 'line mü' ? [] : [carol.userId]])
    expect(await search(alice, 'caro')).toEqual({
      status: 200,
      body: { results: [{ user_id: carol.userId, display_name: 'Caroline Müller', avatar_url: 'mxc://a.example/face' }], limited: false },
    })
  })

  test('finds whoever is in a room that is open to all, and not who is in closed ones', async () => {
    const { alice, bob, register } = await house()
    const carol = await register('carol')
    const roomId = await makeRoom(bob, { preset: 'public_chat' })
    expect(await found(alice, 'bob')).toEqual([bob.userId])
    await setState(bob, roomId, 'm.room.join_rules', { join_rule: 'invite' })
    expect(await found(alice, 'bob')).toEqual([])
    await setState(bob, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    expect(await found(alice, 'bob')).toEqual([bob.userId])
    await setState(bob, roomId, 'm.room.history_visibility', { history_visibility: 'shared' })
    expect(await found(alice, 'bob')).toEqual([])
    expect(await found(carol, 'carol')).toEqual([])
  })

  test('follows a name that changes, and forgets the old one', async () => {
    const { alice, bob } = await house()
    await makeRoom(bob, { preset: 'public_chat' })
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'Robert' })
    expect(await found(alice, 'robert')).toEqual([bob.userId])
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: '山田太郎' })
    expect(await found(alice, 'robert')).toEqual([])
    expect(await found(alice, '太郎')).toEqual([bob.userId])
  })

  test('knows a local user by the profile, not by the name in a room', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(bob, { preset: 'public_chat' })
    await setState(bob, roomId, 'm.room.member', { membership: 'join', displayname: 'Zorro' }, bob.userId)
    expect(await found(alice, 'zorro')).toEqual([])
    expect(await found(alice, 'bob')).toEqual([bob.userId])
  })

  test('leaves out the deactivated and, unless they are to be shown, the locked', async () => {
    for (const [shows, locked] of [[false, []], [true, ['@bob:a.example']]] as const) {
      const { server, alice, bob, register } = await house({ user_directory: { show_locked_users: shows } })
      const carol = await register('carol')
      for (const each of [bob, carol]) await makeRoom(each, { preset: 'public_chat' })
      await server.user(bob.userId).ask({ kind: 'lockUser', isLocked: true }, 'test')
      await server.user(carol.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
      expect(await found(alice, 'bob')).toEqual([...locked])
      expect(await found(alice, 'carol')).toEqual([])
    }
  })

  test('finds everyone, or no one, where the configuration says so', async () => {
    const open = await house({ user_directory: { search_all_users: true } })
    expect(await found(open.alice, 'bob')).toEqual([open.bob.userId])
    const closed = await house({ user_directory: { enabled: false, search_all_users: true } })
    expect(await search(closed.alice, 'bob')).toEqual({ status: 200, body: { results: [], limited: false } })
  })

  test('shows as many as are wanted, the exact match first, and says when there are more', async () => {
    const { alice, register } = await house({ user_directory: { search_all_users: true } })
    await register('carola', { displayname: 'Carol' })
    for (const name of ['carolin', 'carolus']) await register(name)
    const { body } = await search(alice, 'carol', { limit: 2 })
    expect(body).toEqual({
      results: [{ user_id: '@carola:a.example', display_name: 'Carol' }, { user_id: '@carolin:a.example' }], limited: true,
    })
    expect((await search(alice, 'carol', { limit: 3 })).body.limited).toBe(false)
    expect(await search(alice, 'carol', { limit: -1 })).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
    expect(await search(alice, '')).toEqual({ status: 200, body: { results: [], limited: false } })
  })

  test('G-75: is limited by rc_user_directory', async () => {
    const clock = manualClock()
    const { alice, bob } = await house({ rc_user_directory: { per_second: 0.5, burst_count: 2 } }, { clock })
    const statuses = async (who: Caller) => (await search(who, 'x')).status
    expect([await statuses(alice), await statuses(alice), await statuses(alice), await statuses(bob)]).toEqual([200, 200, 429, 200])
    clock.advance(2_000)
    expect(await statuses(alice)).toBe(200)
  })

  test('wants a term', async () => {
    const { alice } = await house()
    expect(await alice.answer('POST', '/v3/user_directory/search', {})).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  })
})
