import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bodiesOf, done, inRoom, makeRoom, type ShownEvent, stateContent, wholeState } from '#harness/rooms.ts'

const typesOf = (events: unknown): string[] => (events as ShownEvent[]).map(({ type }) => type)

describe('createRoom', () => {
  test('makes the events of a room in the order of the specification', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, {
      preset: 'public_chat',
      room_alias_name: 'den',
      name: 'The den',
      topic: 'Digging',
      initial_state: [{ type: 'm.room.avatar', content: { url: 'mxc://a.example/burrow' } }],
      invite: [bob.userId],
    })
    const { chunk } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=f&limit=50'))
    expect(typesOf(chunk)).toEqual([
      'm.room.create', 'm.room.member', 'm.room.power_levels', 'm.room.canonical_alias', 'm.room.join_rules',
      'm.room.history_visibility', 'm.room.guest_access', 'm.room.avatar', 'm.room.name', 'm.room.topic', 'm.room.member',
    ])
    expect((chunk as ShownEvent[]).at(-1)).toMatchObject({ state_key: bob.userId, content: { membership: 'invite' } })
  })

  test.each([
    ['private_chat', { join_rule: 'invite' }, { guest_access: 'can_join' }],
    ['trusted_private_chat', { join_rule: 'invite' }, { guest_access: 'can_join' }],
    ['public_chat', { join_rule: 'public' }, { guest_access: 'forbidden' }],
  ])('%s sets its join rule, history visibility and guest access', async (preset, joinRules, guestAccess) => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { preset })
    expect(await stateContent(alice, roomId, 'm.room.join_rules')).toEqual(joinRules)
    expect(await stateContent(alice, roomId, 'm.room.guest_access')).toEqual(guestAccess)
    expect(await stateContent(alice, roomId, 'm.room.history_visibility')).toEqual({ history_visibility: 'shared' })
  })

  test('takes the preset from the visibility when none is named', async () => {
    const { alice } = await house()
    const [open, closed] = [await makeRoom(alice, { visibility: 'public' }), await makeRoom(alice, { visibility: 'private' })]
    expect(await stateContent(alice, open, 'm.room.join_rules')).toEqual({ join_rule: 'public' })
    expect(await stateContent(alice, closed, 'm.room.join_rules')).toEqual({ join_rule: 'invite' })
  })

  test('writes the topic both as text and as m.topic', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { topic: 'Digging' })
    expect(await stateContent(alice, roomId, 'm.room.topic')).toEqual({ topic: 'Digging', 'm.topic': { 'm.text': [{ body: 'Digging' }] } })
  })

  test('makes invitees of a trusted chat creators in version 12 and gives them level 100 before', async () => {
    const { alice, bob } = await house()
    const body = { preset: 'trusted_private_chat', invite: [bob.userId], is_direct: true }
    const [modern, older] = [await makeRoom(alice, body), await makeRoom(alice, { ...body, room_version: '11' })]
    expect(await stateContent(alice, modern, 'm.room.create')).toEqual({ additional_creators: [bob.userId], room_version: '12' })
    expect(await stateContent(alice, older, 'm.room.power_levels')).toMatchObject({ users: { [alice.userId]: 100, [bob.userId]: 100 } })
    expect(await stateContent(alice, modern, 'm.room.member', bob.userId)).toEqual({ is_direct: true, membership: 'invite' })
  })

  test('names rooms of version 12 by their create event and older ones by this server', async () => {
    const { alice } = await house()
    const [modern, older] = [await makeRoom(alice), await makeRoom(alice, { room_version: '10' })]
    const create = (await wholeState(alice, modern)).find(({ type }) => type === 'm.room.create')
    expect(modern).toBe(`!${create?.event_id.slice(1)}` as typeof modern)
    expect(older).toMatch(/^![A-Za-z0-9_-]{18}:a\.example$/)
  })

  test('never gives two rooms of one moment the same id', async () => {
    const { alice } = await house()
    const ids = await Promise.all(Array.from({ length: 5 }, () => makeRoom(alice)))
    expect(new Set(ids).size).toBe(5)
  })

  test.each(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'])('makes a room of version %s in which people can talk', async (version) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { room_version: version, preset: 'public_chat' })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await done(bob, 'PUT', inRoom(roomId, '/send/m.room.message/1'), { body: 'hello' })
    const { chunk } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=1'))
    expect(bodiesOf(chunk)).toEqual(['hello'])
  })

  test('keeps creation_content but not a version or creator that it claims', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { creation_content: { type: 'm.space', room_version: '1', creator: '@mallory:a.example', 'm.federate': false } })
    expect(await stateContent(alice, roomId, 'm.room.create')).toEqual({ type: 'm.space', room_version: '12', 'm.federate': false })
  })

  test('merges power_level_content_override into the default levels', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { power_level_content_override: { events_default: 7 } })
    expect(await stateContent(alice, roomId, 'm.room.power_levels')).toMatchObject({ events_default: 7, state_default: 50 })
  })

  test('reads null as nothing where other servers do', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { visibility: null, is_direct: null, power_level_content_override: null })
    expect(await stateContent(alice, roomId, 'm.room.join_rules')).toEqual({ join_rule: 'invite' })
  })

  test('copies the profile of the creator and of whom they invite', async () => {
    const { register } = await house()
    const [carol, dave] = [await register('carol', { displayname: 'Carol' }), await register('dave', { displayname: 'Dave' })]
    const roomId = await makeRoom(carol, { invite: [dave.userId] })
    expect(await stateContent(carol, roomId, 'm.room.member', carol.userId)).toEqual({ displayname: 'Carol', membership: 'join' })
    expect(await stateContent(carol, roomId, 'm.room.member', dave.userId)).toEqual({ displayname: 'Dave', membership: 'invite' })
  })

  test('names the room by the alias that it was asked for', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { room_alias_name: 'den' })
    expect(await done(alice, 'GET', '/v3/directory/room/%23den%3Aa.example')).toMatchObject({ room_id: roomId })
    expect(await stateContent(alice, roomId, 'm.room.canonical_alias')).toEqual({ alias: '#den:a.example' })
  })

  test('gives the alias back when the room cannot be made', async () => {
    const { alice } = await house()
    const body = { room_alias_name: 'den', initial_state: [{ type: 'm.room.tombstone', state_key: '@bob:a.example', content: {} }] }
    expect(await alice.answer('POST', '/v3/createRoom', body)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await alice.answer('GET', '/v3/directory/room/%23den%3Aa.example')).toMatchObject({ status: 404 })
    expect(await makeRoom(alice, { room_alias_name: 'den' })).toBeString()
  })

  test('makes but does not list a public room of someone who may not publish', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { visibility: 'public' })
    expect(await done(alice, 'GET', `/v3/directory/list/room/${roomId}`)).toEqual({ visibility: 'private' })
  })

  test('lists a public room where the rules let it be published', async () => {
    const { alice } = await house({ room_list_publication_rules: [{ action: 'allow' }] })
    const roomId = await makeRoom(alice, { visibility: 'public' })
    expect(await done(alice, 'GET', `/v3/directory/list/room/${roomId}`)).toEqual({ visibility: 'public' })
  })

  test('encrypts new private rooms where the server wants it', async () => {
    const { alice } = await house({ encryption_enabled_by_default_for_room_type: 'invite' })
    const [closed, open] = [await makeRoom(alice), await makeRoom(alice, { preset: 'public_chat' })]
    expect(await stateContent(alice, closed, 'm.room.encryption')).toEqual({ algorithm: 'm.megolm.v1.aes-sha2' })
    expect(await stateContent(alice, open, 'm.room.encryption')).toMatchObject({ errcode: 'M_NOT_FOUND' })
  })

  test.each([
    ['a version that nobody knows', { room_version: 'agjkyh' }, 400, 'M_UNSUPPORTED_ROOM_VERSION'],
    ['a version that is a number', { room_version: 1 }, 400, 'M_BAD_JSON'],
    ['a create event among the initial state', { initial_state: [{ type: 'm.room.create', content: {} }] }, 400, 'M_INVALID_ROOM_STATE'],
    ['power levels for a creator in version 12', { power_level_content_override: { users: { '@alice:a.example': 100 } } }, 400, 'M_INVALID_ROOM_STATE'],
    ['power levels that leave the creator out', { room_version: '11', power_level_content_override: { users: {} } }, 400, 'M_INVALID_ROOM_STATE'],
    ['a power level that is text', { power_level_content_override: { ban: '50' } }, 400, 'M_BAD_JSON'],
    ['an alias with a colon', { room_alias_name: 'a:b' }, 400, 'M_INVALID_PARAM'],
    ['an alias with a space', { room_alias_name: 'a b' }, 400, 'M_INVALID_PARAM'],
    ['an alias that is too long', { room_alias_name: 'a'.repeat(250) }, 400, 'M_INVALID_PARAM'],
    ['an invite to nobody', { invite: ['bob'] }, 400, 'M_INVALID_PARAM'],
    ['an invite by mail address', { invite_3pid: [{ id_server: 'id.example', id_access_token: 't', medium: 'email', address: 'a@b.example' }] }, 400, 'M_SERVER_NOT_TRUSTED'],
    ['additional creators that are no users', { creation_content: { additional_creators: ['bob'] } }, 400, 'M_INVALID_PARAM'],
    ['a preset that does not exist', { preset: 'loud_chat' }, 400, 'M_BAD_JSON'],
    ['an alias list with a foreign alias', { initial_state: [{ type: 'm.room.canonical_alias', content: { alias: '#other:a.example' } }] }, 400, 'M_BAD_ALIAS'],
  ])('refuses %s', async (_says, body, status, errcode) => {
    const { alice } = await house()
    expect(await alice.answer('POST', '/v3/createRoom', body)).toMatchObject({ status, body: { errcode } })
    expect(await done(alice, 'GET', '/v3/joined_rooms')).toEqual({ joined_rooms: [] })
  })

  test('refuses an alias that is taken with M_ROOM_IN_USE', async () => {
    const { alice, bob } = await house()
    await makeRoom(alice, { room_alias_name: 'den' })
    expect(await bob.answer('POST', '/v3/createRoom', { room_alias_name: 'den' })).toMatchObject({ status: 400, body: { errcode: 'M_ROOM_IN_USE' } })
  })

  test('gives one alias to one of two rooms that ask for it at once', async () => {
    const { alice, bob } = await house()
    const answers = await Promise.all([alice, bob].map((each) => each.answer('POST', '/v3/createRoom', { room_alias_name: 'den' })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400])
  })

  test('refuses guests, the suspended, and invites to those who want none', async () => {
    const { alice, bob, register, server } = await house()
    const guest = await register('gast', { isGuest: true })
    expect(await guest.answer('POST', '/v3/createRoom', {})).toMatchObject({ status: 403, body: { errcode: 'M_GUEST_ACCESS_FORBIDDEN' } })
    await server.user(bob.userId).ask({ kind: 'setAccountData', roomId: null, type: 'm.invite_permission_config', content: { default_action: 'block' } }, 'test')
    expect(await alice.answer('POST', '/v3/createRoom', { invite: [bob.userId] })).toMatchObject({ status: 403, body: { errcode: 'M_INVITE_BLOCKED' } })
    await server.user(alice.userId).ask({ kind: 'suspendUser', isSuspended: true }, 'test')
    expect(await alice.answer('POST', '/v3/createRoom', {})).toMatchObject({ status: 403, body: { errcode: 'M_USER_SUSPENDED' } })
  })

  test('K-09: makes no more rooms than the rate allows, though the answer is documented nowhere', async () => {
    const { alice } = await house({ rc_room_creation: { per_second: 0.01, burst_count: 1 } })
    await makeRoom(alice)
    expect(await alice.answer('POST', '/v3/createRoom', {})).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } })
  })
})
