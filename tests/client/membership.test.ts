import { describe, expect, test } from 'bun:test'
import type { Caller } from '#harness/house.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, setState, stateContent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

const refused = (status: number, errcode: string) => ({ status, body: { errcode } })
const memberOf = (caller: Caller, roomId: RoomId, userId: string) => stateContent(caller, roomId, 'm.room.member', userId)

describe('joining', () => {
  test('takes a room id, in either path, and an alias', async () => {
    const { alice, bob, register } = await house()
    const [carol, dave] = [await register('carol'), await register('dave')]
    const roomId = await makeRoom(alice, { preset: 'public_chat', room_alias_name: 'den' })
    expect(await done(bob, 'POST', inRoom(roomId, '/join'), {})).toEqual({ room_id: roomId })
    expect(await done(carol, 'POST', `/v3/join/${encodeURIComponent(roomId)}?server_name=a.example&via=a.example`, {})).toEqual({ room_id: roomId })
    expect(await done(dave, 'POST', '/v3/join/%23den%3Aa.example')).toEqual({ room_id: roomId })
    expect(await done(dave, 'GET', '/v3/joined_rooms')).toEqual({ joined_rooms: [roomId] })
  })

  test('copies profile, reason and what else the client says, but nothing that is the server’s to say', async () => {
    const { alice, register } = await house()
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    const body = { reason: 'curious', foo: 'bar', membership: 'ban', join_authorised_via_users_server: alice.userId }
    await done(carol, 'POST', inRoom(roomId, '/join'), body)
    expect(await memberOf(alice, roomId, carol.userId)).toEqual({ displayname: 'Carol', foo: 'bar', membership: 'join', reason: 'curious' })
  })

  test('G-74: joining twice makes one event, in a restricted room too', async () => {
    const { alice, bob } = await house()
    const hall = await makeRoom(alice, { preset: 'public_chat' })
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: hall }] })
    await done(bob, 'POST', inRoom(hall, '/join'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const first = await done(bob, 'GET', inRoom(roomId, `/state/m.room.member/${bob.userId}?format=event`))
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const second = await done(bob, 'GET', inRoom(roomId, `/state/m.room.member/${bob.userId}?format=event`))
    expect(second.event_id).toBe(first.event_id)
    expect(first.content).toEqual({ membership: 'join', join_authorised_via_users_server: alice.userId })
  })

  test('lets into a restricted room only those who are in a room that it names', async () => {
    const { alice, bob } = await house()
    const hall = await makeRoom(alice, { preset: 'public_chat' })
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: hall }] })
    expect(await bob.answer('POST', inRoom(roomId, '/join'), {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    await done(bob, 'POST', inRoom(hall, '/join'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
  })

  test('is refused without an invite, when banned, into the unknown, and to guests where there are none', async () => {
    const { alice, bob, register } = await house()
    const closed = await makeRoom(alice)
    const open = await makeRoom(alice, { preset: 'public_chat' })
    await done(alice, 'POST', inRoom(open, '/ban'), { user_id: bob.userId })
    const guest = await register('gast', { isGuest: true })
    expect(await bob.answer('POST', inRoom(closed, '/join'), {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await bob.answer('POST', inRoom(open, '/join'), {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await bob.answer('POST', inRoom('!nowhere:a.example', '/join'), {})).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await bob.answer('POST', '/v3/join/%23none%3Aa.example', {})).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await bob.answer('POST', '/v3/join/nonsense', {})).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    expect(await guest.answer('POST', inRoom(open, '/join'), {})).toMatchObject(refused(403, 'M_GUEST_ACCESS_FORBIDDEN'))
  })

  test('is limited for each user, but not for who is in already', async () => {
    const { alice, bob } = await house({ rc_joins: { local: { per_second: 0.01, burst_count: 1 } } })
    const [one, other] = [await makeRoom(alice, { preset: 'public_chat' }), await makeRoom(alice, { preset: 'public_chat' })]
    await done(bob, 'POST', inRoom(one, '/join'), {})
    await done(bob, 'POST', inRoom(one, '/join'), {})
    expect(await bob.answer('POST', inRoom(other, '/join'), {})).toMatchObject(refused(429, 'M_LIMIT_EXCEEDED'))
  })
})

describe('inviting', () => {
  test('says whom and why, and lets them in', async () => {
    const { alice, register } = await house()
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice)
    expect(await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: carol.userId, reason: 'tea' })).toEqual({})
    expect(await memberOf(alice, roomId, carol.userId)).toEqual({ displayname: 'Carol', membership: 'invite', reason: 'tea' })
    await done(carol, 'POST', inRoom(roomId, '/join'), {})
    expect(await memberOf(alice, roomId, carol.userId)).toEqual({ displayname: 'Carol', membership: 'join' })
  })

  test('keeps the profile out where the server is told to', async () => {
    const { alice, register } = await house({ include_profile_data_on_invite: false })
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice, { invite: [carol.userId] })
    expect(await memberOf(alice, roomId, carol.userId)).toEqual({ membership: 'invite' })
  })

  test.each([
    ['someone who is in the room', 'bob', 403, 'M_FORBIDDEN'],
    ['oneself', 'alice', 403, 'M_FORBIDDEN'],
  ])('of %s is refused', async (_says, name, status, errcode) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    expect(await alice.answer('POST', inRoom(roomId, '/invite'), { user_id: `@${name}:a.example` })).toMatchObject(refused(status, errcode))
  })

  test('of the banned, from outside, of nobody, and by mail is refused', async () => {
    const { alice, bob, register } = await house()
    const carol = await register('carol')
    const roomId = await makeRoom(alice)
    await done(alice, 'POST', inRoom(roomId, '/ban'), { user_id: bob.userId })
    expect(await alice.answer('POST', inRoom(roomId, '/invite'), { user_id: bob.userId })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await carol.answer('POST', inRoom(roomId, '/invite'), { user_id: bob.userId })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await alice.answer('POST', inRoom(roomId, '/invite'), {})).toMatchObject(refused(400, 'M_MISSING_PARAM'))
    expect(await alice.answer('POST', inRoom(roomId, '/invite'), { id_server: 'id.example', id_access_token: 't', medium: 'email', address: 'a@b.example' }))
      .toMatchObject(refused(400, 'M_SERVER_NOT_TRUSTED'))
  })

  test('is only for admins where the server says so', async () => {
    const { alice, bob, register } = await house({ block_non_admin_invites: true })
    const root = await register('root', { isAdmin: true })
    const roomId = await makeRoom(alice, { preset: 'public_chat', power_level_content_override: { invite: 0 } })
    await done(root, 'POST', inRoom(roomId, '/join'), {})
    expect(await alice.answer('POST', inRoom(roomId, '/invite'), { user_id: bob.userId })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    await done(root, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
  })

  test('joins the invited at once where invites are accepted without asking', async () => {
    const { alice, bob, server } = await house({ auto_accept_invites: { enabled: true, only_for_direct_messages: true } })
    const roomId = await makeRoom(alice, { invite: [bob.userId], is_direct: true })
    await server.settled()
    expect(await done(bob, 'GET', '/v3/joined_rooms')).toEqual({ joined_rooms: [roomId] })
  })
})

describe('leaving', () => {
  test('works for the joined, the invited and those who knock, and once more for those who have left', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    expect(await done(bob, 'POST', inRoom(roomId, '/leave'), { reason: 'no' })).toEqual({})
    expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'leave', reason: 'no' })
    expect(await done(bob, 'POST', inRoom(roomId, '/leave'), {})).toEqual({})
    expect(await done(alice, 'POST', inRoom(roomId, '/leave'))).toEqual({})
  })

  test('is refused to strangers and from rooms that do not exist', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    expect(await bob.answer('POST', inRoom(roomId, '/leave'), {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await bob.answer('POST', inRoom('!nowhere:a.example', '/leave'), {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
  })

  test('an invite can be turned down after everyone else has gone', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { invite: [bob.userId] })
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    expect(await done(bob, 'POST', inRoom(roomId, '/leave'), {})).toEqual({})
  })

  test('forgets the room too where the server is told to', async () => {
    const { alice, bob } = await house({ forget_rooms_on_leave: true })
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    expect(await bob.answer('GET', inRoom(roomId, '/state/m.room.create'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
  })
})

describe('forgetting', () => {
  test('takes away what those who left could still see', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    expect(await bob.answer('POST', inRoom(roomId, '/forget'), {})).toMatchObject(refused(400, 'M_UNKNOWN'))
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    expect(await bob.answer('GET', inRoom(roomId, '/messages?dir=b'))).toMatchObject({ status: 200 })
    expect(await done(bob, 'POST', inRoom(roomId, '/forget'), {})).toEqual({})
    expect(await bob.answer('GET', inRoom(roomId, '/messages?dir=b'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
  })
})

describe('kicking and banning', () => {
  test('a reason that is null is none', async () => {
    const { alice, bob, register } = await house()
    const carol = await register('carol')
    const roomId = await makeRoom(alice)
    const shown = () => memberOf(alice, roomId, carol.userId)
    const byAlice = async (how: string) => (await done(alice, 'POST', inRoom(roomId, `/${how}`), { user_id: carol.userId, reason: null }), shown())
    const byCarol = async (how: string) => (await done(carol, 'POST', inRoom(roomId, `/${how}`), { reason: null }), shown())
    expect(await byAlice('invite')).toEqual({ membership: 'invite' })
    expect(await byCarol('join')).toEqual({ membership: 'join' })
    expect(await byAlice('kick')).toEqual({ membership: 'leave' })
    expect(await byAlice('ban')).toEqual({ membership: 'ban' })
    expect(await byAlice('unban')).toEqual({ membership: 'leave' })
    await bringIn(alice, roomId, bob)
    expect(await done(bob, 'POST', inRoom(roomId, '/leave'), { reason: null })).toEqual({})
    expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'leave' })
  })

  test('a kick removes with a reason', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    expect(await done(alice, 'POST', inRoom(roomId, '/kick'), { user_id: bob.userId, reason: 'noise' })).toEqual({})
    expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'leave', reason: 'noise' })
  })

  test('a ban keeps out until it is lifted', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    expect(await done(alice, 'POST', inRoom(roomId, '/ban'), { user_id: bob.userId, reason: 'spam' })).toEqual({})
    expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'ban', reason: 'spam' })
    expect(await bob.answer('POST', inRoom(roomId, '/join'), {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await done(alice, 'POST', inRoom(roomId, '/unban'), { user_id: bob.userId })).toEqual({})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
  })

  test.each([
    ['a kick by someone without the power', 'bob', 'kick', '@alice:a.example', 403, 'M_FORBIDDEN'],
    ['a ban by someone without the power', 'bob', 'ban', '@alice:a.example', 403, 'M_FORBIDDEN'],
    ['a kick of someone who is not there', 'alice', 'kick', '@carol:a.example', 403, 'M_FORBIDDEN'],
    ['an unban of someone who is not banned', 'alice', 'unban', '@bob:a.example', 403, 'M_BAD_STATE'],
    ['a kick of nobody', 'alice', 'kick', undefined, 400, 'M_MISSING_PARAM'],
    ['a kick of something that is no user', 'alice', 'kick', 'bob', 400, 'M_BAD_JSON'],
  ] as const)('%s is refused', async (_says, who, what, target, status, errcode) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const caller = who === 'alice' ? alice : bob
    expect(await caller.answer('POST', inRoom(roomId, `/${what}`), { user_id: target })).toMatchObject(refused(status, errcode))
  })
})

describe('knocking', () => {
  test.each(['/v3/knock/', '/unstable/xyz.amorgan.knock/knock/'])('asks to be let in at %s', async (prefix) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }] })
    expect(await done(bob, 'POST', prefix + encodeURIComponent(roomId), { reason: 'please' })).toEqual({ room_id: roomId })
    expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'knock', reason: 'please' })
    await bringIn(alice, roomId, bob)
  })

  test('is refused where the rule is another, to the invited, and on rooms that do not exist', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    expect(await bob.answer('POST', `/v3/knock/${roomId}`, {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await bob.answer('POST', '/v3/knock/!nowhere:a.example', {})).toMatchObject(refused(404, 'M_NOT_FOUND'))
    const open = await makeRoom(alice, { initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }], invite: [bob.userId] })
    expect(await bob.answer('POST', `/v3/knock/${open}`, {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
  })
})

test('the suspended can leave but not join, invite, knock or kick', async () => {
  const { alice, bob, server } = await house()
  const roomId = await makeRoom(alice, { preset: 'public_chat' })
  await done(bob, 'POST', inRoom(roomId, '/join'), {})
  await server.user(bob.userId).ask({ kind: 'suspendUser', isSuspended: true }, 'test')
  for (const [what, body] of [['join', {}], ['invite', { user_id: '@carol:a.example' }], ['kick', { user_id: alice.userId }]] as const)
    expect(await bob.answer('POST', inRoom(roomId, `/${what}`), body)).toMatchObject(refused(403, 'M_USER_SUSPENDED'))
  expect(await bob.answer('POST', `/v3/knock/${roomId}`, {})).toMatchObject(refused(403, 'M_USER_SUSPENDED'))
  expect(await done(bob, 'POST', inRoom(roomId, '/leave'), {})).toEqual({})
})

test('null says as much as nothing where a client may say why', async () => {
  const { alice, bob } = await house()
  const roomId = await makeRoom(alice, { preset: 'public_chat' })
  const aboutBob = { user_id: bob.userId, reason: null }
  await done(alice, 'POST', inRoom(roomId, '/invite'), aboutBob)
  await done(bob, 'POST', inRoom(roomId, '/join'), { reason: null })
  expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'join' })
  await done(alice, 'POST', inRoom(roomId, '/kick'), aboutBob)
  await done(alice, 'POST', inRoom(roomId, '/ban'), aboutBob)
  expect(await memberOf(alice, roomId, bob.userId)).toEqual({ membership: 'ban' })
  await done(alice, 'POST', inRoom(roomId, '/unban'), aboutBob)
  await done(bob, 'POST', inRoom(roomId, '/leave'), { reason: null })
})
