import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, setState, stateContent, wholeState } from '#harness/rooms.ts'

const refused = (status: number, errcode: string) => ({ status, body: { errcode } })

describe('reading', () => {
  test('the whole state is a list of events with the reader’s membership', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { name: 'The den' })
    const state = await wholeState(alice, roomId)
    expect(state.map(({ type }) => type).toSorted()).toEqual([
      'm.room.create', 'm.room.guest_access', 'm.room.history_visibility', 'm.room.join_rules', 'm.room.member', 'm.room.name', 'm.room.power_levels',
    ])
    expect(state.find(({ type }) => type === 'm.room.name')).toEqual({
      content: { name: 'The den' },
      event_id: expect.stringMatching(/^\$/),
      origin_server_ts: expect.any(Number),
      room_id: roomId,
      sender: alice.userId,
      state_key: '',
      type: 'm.room.name',
      unsigned: { age: expect.any(Number), membership: 'join' },
    } as never)
  })

  test.each([
    ['without a key', '/state/m.room.name'],
    ['with an empty key', '/state/m.room.name/'],
  ])('one piece is found %s', async (_says, path) => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { name: 'The den' })
    expect(await done(alice, 'GET', inRoom(roomId, path))).toEqual({ name: 'The den' })
  })

  test('keys may hold slashes and spaces', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'org.example.thing', { a: 1 }, 'here/and there')
    expect(await stateContent(alice, roomId, 'org.example.thing', 'here/and there')).toEqual({ a: 1 })
  })

  test('format=event gives the event, with what it replaced', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { name: 'One' })
    const eventId = await setState(alice, roomId, 'm.room.name', { name: 'Two' })
    expect(await done(alice, 'GET', inRoom(roomId, '/state/m.room.name?format=event'))).toMatchObject({
      event_id: eventId,
      room_id: roomId,
      state_key: '',
      content: { name: 'Two' },
      unsigned: { prev_content: { name: 'One' }, replaces_state: expect.any(String), membership: 'join' },
    })
  })

  test('what is not there is 404, and a stranger learns nothing', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    expect(await alice.answer('GET', inRoom(roomId, '/state/m.room.name'))).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await alice.answer('GET', inRoom(roomId, '/state/m.room.name?format=event'))).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await bob.answer('GET', inRoom(roomId, '/state'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await bob.answer('GET', inRoom(roomId, '/state/m.room.create'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await bob.answer('GET', inRoom('!nowhere:a.example', '/state'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
  })

  test('the invited see nothing before they join', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { invite: [bob.userId] })
    expect(await bob.answer('GET', inRoom(roomId, '/state'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
  })

  test.each(['leave', 'kick', 'ban'])('after a %s the state is that of the moment', async (how) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { name: 'Before' })
    await bringIn(alice, roomId, bob)
    if (how === 'leave') await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    else await done(alice, 'POST', inRoom(roomId, `/${how}`), { user_id: bob.userId })
    await setState(alice, roomId, 'm.room.name', { name: 'After' })
    await setState(alice, roomId, 'm.room.topic', { topic: 'Gossip' })
    expect(await stateContent(bob, roomId, 'm.room.name')).toEqual({ name: 'Before' })
    expect(await done(bob, 'GET', inRoom(roomId, '/state/m.room.name?format=event'))).toMatchObject({ content: { name: 'Before' } })
    expect(await stateContent(bob, roomId, 'm.room.topic')).toMatchObject({ errcode: 'M_NOT_FOUND' })
    const state = await wholeState(bob, roomId)
    expect(state.map(({ type, content }) => [type, content.name ?? content.topic]).filter(([, text]) => text)).toEqual([['m.room.name', 'Before']])
    expect(state.find(({ state_key: key }) => key === bob.userId)?.content.membership).toBe(how === 'ban' ? 'ban' : 'leave')
  })

  test('a world readable room is open to those outside, guests too', async () => {
    const { alice, bob, register } = await house()
    const guest = await register('gast', { isGuest: true })
    const roomId = await makeRoom(alice, { name: 'Square' })
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    expect(await stateContent(bob, roomId, 'm.room.name')).toEqual({ name: 'Square' })
    expect(await stateContent(guest, roomId, 'm.room.name')).toEqual({ name: 'Square' })
    expect((await wholeState(guest, roomId)).map(({ unsigned }) => unsigned.membership)).not.toContain('join')
  })
})

describe('writing', () => {
  test.each(['/state/m.room.topic', '/state/m.room.topic/'])('at %s answers the event id', async (path) => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    const { event_id: eventId } = await done(alice, 'PUT', inRoom(roomId, path), { topic: 'Digging' })
    expect(await done(alice, 'GET', inRoom(roomId, '/state/m.room.topic?format=event'))).toMatchObject({ event_id: eventId })
  })

  test('G-74: the same content twice is one event', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    expect(await setState(alice, roomId, 'm.room.name', { name: 'Den' })).toBe(await setState(alice, roomId, 'm.room.name', { name: 'Den' }))
  })

  test.each([
    ['a second create event', 'm.room.create', {}, '', 403, 'M_FORBIDDEN'],
    ['state under another user’s name', 'org.example.x', {}, '@bob:a.example', 403, 'M_FORBIDDEN'],
    ['power levels that are text', 'm.room.power_levels', { users: { '@alice:a.example': '100' } }, '', 400, 'M_BAD_JSON'],
    ['power levels for a creator', 'm.room.power_levels', { users: { '@alice:a.example': 100 } }, '', 403, 'M_FORBIDDEN'],
    ['an ACL that shuts out this server', 'm.room.server_acl', { allow: ['b.example'] }, '', 400, 'M_BAD_JSON'],
    ['a float', 'org.example.x', { a: 1.5 }, '', 400, 'M_BAD_JSON'],
    ['a member that is no user', 'm.room.member', { membership: 'join' }, 'bob', 400, 'M_INVALID_PARAM'],
    ['a member without membership', 'm.room.member', {}, '@alice:a.example', 400, 'M_BAD_JSON'],
    ['a membership that does not exist', 'm.room.member', { membership: 'lurk' }, '@alice:a.example', 403, 'M_FORBIDDEN'],
    ['a join for someone else', 'm.room.member', { membership: 'join' }, '@bob:a.example', 403, 'M_FORBIDDEN'],
  ])('refuses %s', async (_says, type, content, key, status, errcode) => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    const path = inRoom(roomId, `/state/${type}/${encodeURIComponent(key)}`)
    expect(await alice.answer('PUT', path, content)).toMatchObject(refused(status, errcode))
  })

  test('refuses those without the power, those outside, and a tombstone that names its own room', async () => {
    const { alice, bob, register } = await house()
    const carol = await register('carol')
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    expect(await bob.answer('PUT', inRoom(roomId, '/state/m.room.name'), { name: 'Mine' })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await carol.answer('PUT', inRoom(roomId, '/state/m.room.name'), { name: 'Mine' })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await alice.answer('PUT', inRoom(roomId, '/state/m.room.tombstone'), { body: 'on', replacement_room: roomId })).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    await setState(alice, roomId, 'm.room.tombstone', { body: 'on', replacement_room: '!other:a.example' })
    await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })
  })
})

describe('m.room.member', () => {
  test('joins, and overrides the profile in this room alone', async () => {
    const { alice, register } = await house()
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await setState(carol, roomId, 'm.room.member', { membership: 'join' }, carol.userId)
    expect(await stateContent(alice, roomId, 'm.room.member', carol.userId)).toEqual({ membership: 'join', displayname: 'Carol' })
    await setState(carol, roomId, 'm.room.member', { membership: 'join', displayname: 'The fox' }, carol.userId)
    expect(await stateContent(alice, roomId, 'm.room.member', carol.userId)).toEqual({ membership: 'join', displayname: 'The fox' })
  })

  test('keeps the profile where the server allows no other', async () => {
    const { alice, register } = await house({ allow_per_room_profiles: false })
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await setState(carol, roomId, 'm.room.member', { membership: 'join', displayname: 'The fox' }, carol.userId)
    expect(await stateContent(alice, roomId, 'm.room.member', carol.userId)).toEqual({ membership: 'join', displayname: 'Carol' })
  })

  test('invites, bans and leaves like the calls of those names', async () => {
    const { alice, register } = await house()
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.member', { membership: 'invite', reason: 'tea' }, carol.userId)
    expect(await stateContent(alice, roomId, 'm.room.member', carol.userId)).toEqual({ membership: 'invite', displayname: 'Carol', reason: 'tea' })
    await setState(carol, roomId, 'm.room.member', { membership: 'join' }, carol.userId)
    await setState(carol, roomId, 'm.room.member', { membership: 'leave' }, carol.userId)
    expect(await stateContent(alice, roomId, 'm.room.member', carol.userId)).toEqual({ membership: 'leave' })
    await setState(alice, roomId, 'm.room.member', { membership: 'ban', reason: 'spam' }, carol.userId)
    expect(await stateContent(alice, roomId, 'm.room.member', carol.userId)).toEqual({ membership: 'ban', reason: 'spam' })
  })

  test('joins a restricted room only with a voucher, and never with one that the client names', async () => {
    const { alice, bob } = await house()
    const hall = await makeRoom(alice, { preset: 'public_chat' })
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: hall }] })
    const path = inRoom(roomId, `/state/m.room.member/${bob.userId}`)
    const forged = { membership: 'join', join_authorised_via_users_server: alice.userId }
    expect(await bob.answer('PUT', path, forged)).toMatchObject(refused(403, 'M_FORBIDDEN'))
    await done(bob, 'POST', inRoom(hall, '/join'), {})
    await done(bob, 'PUT', path, { membership: 'join' })
  })
})

describe('m.room.canonical_alias', () => {
  test('G-76: checks the aliases that are new, and only those', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { room_alias_name: 'den' })
    await makeRoom(alice, { room_alias_name: 'other' })
    const put = (content: object) => alice.answer('PUT', inRoom(roomId, '/state/m.room.canonical_alias'), content)
    expect(await put({ alias: '#den:a.example', alt_aliases: ['#den:a.example'] })).toMatchObject({ status: 200 })
    expect(await put({ alias: '#none:a.example' })).toMatchObject(refused(400, 'M_BAD_ALIAS'))
    expect(await put({ alias: '#den:a.example', alt_aliases: ['#other:a.example'] })).toMatchObject(refused(400, 'M_BAD_ALIAS'))
    expect(await put({ alias: '%den:a.example' })).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    expect(await put({ alt_aliases: ['den'] })).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    expect(await put({ alt_aliases: '#den:a.example' })).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    await done(alice, 'DELETE', '/v3/directory/room/%23other%3Aa.example')
    expect(await put({ alias: '#den:a.example', topic: 'still there' })).toMatchObject({ status: 200 })
    expect(await put({})).toMatchObject({ status: 200 })
  })
})

describe('guests leave when the room takes no more of them', () => {
  async function withGuest() {
    const { alice, register } = await house()
    const guest = await register('gast', { isGuest: true })
    const roomId = await makeRoom(alice, { initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'public' } }] })
    await done(guest, 'POST', inRoom(roomId, '/join'), {})
    return { alice, roomId, guestMember: () => stateContent(alice, roomId, 'm.room.member', guest.userId) }
  }

  test('because somebody says so', async () => {
    const { alice, roomId, guestMember } = await withGuest()
    await setState(alice, roomId, 'm.room.guest_access', { guest_access: 'forbidden' })
    expect(await guestMember()).toEqual({ membership: 'leave' })
  })

  test.each([
    ['redact', (target: string) => ['PUT', `/redact/${target}/t1`, {}] as const],
    ['send', (target: string) => ['PUT', '/send/m.room.redaction/t1', { redacts: decodeURIComponent(target) }] as const],
  ])('because what welcomed them is redacted (%s)', async (_how, request) => {
    const { alice, roomId, guestMember } = await withGuest()
    const { event_id: welcome } = await done(alice, 'GET', inRoom(roomId, '/state/m.room.guest_access/?format=event'))
    const [method, path, body] = request(encodeURIComponent(String(welcome)))
    await done(alice, method, inRoom(roomId, path), body)
    expect(await guestMember()).toEqual({ membership: 'leave' })
  })
})
