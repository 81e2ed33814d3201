import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { hashPassword } from '#errands/hash-password.ts'
import { type Caller, house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent, stateContent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

/** Options of homeserver.yaml that change what a client sees, each named as it is written there. */

const FORBIDDEN = { status: 403, body: { errcode: 'M_FORBIDDEN' } }
const MISSING_TOKEN = { status: 401, body: { errcode: 'M_MISSING_TOKEN' } }
const nameOf = (userId: string): string => `/v3/profile/${userId}/displayname`

type Joined = { timeline: { events: ShownEvent[] } }
type Invited = { invite_state: { events: ShownEvent[] } }
type Synced = { rooms?: { join?: Record<string, Joined>; invite?: Record<string, Invited> } }
const sync = async (who: Caller, filter: object = {}): Promise<Synced> =>
  (await done(who, 'GET', `/v3/sync?filter=${encodeURIComponent(JSON.stringify(filter))}`)) as Synced

describe('hs_disabled', () => {
  const CLOSED = { hs_disabled: true, hs_disabled_message: 'Back at noon', admin_contact: 'mailto:root@a.example', enable_registration: true,
    enable_registration_without_verification: true }
  const refusal = {
    status: 403,
    body: { errcode: 'M_RESOURCE_LIMIT_EXCEEDED', error: 'Back at noon', limit_type: 'hs_disabled', admin_contact: 'mailto:root@a.example' },
  }

  test('keeps everyone out but admins', async () => {
    const { server, alice, stranger, register } = await house(CLOSED)
    const root = await register('root', { isAdmin: true })
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashPassword('sesame', null) }, 'test')
    expect(await alice.answer('GET', '/v3/sync')).toEqual(refusal)
    expect(await stranger.answer('POST', '/v3/login', { type: 'm.login.password', user: 'alice', password: 'sesame' })).toEqual(refusal)
    expect(await stranger.answer('POST', '/v3/register', { username: 'carol', password: 'sesame' })).toEqual(refusal)
    expect((await root.answer('GET', '/v3/sync')).status).toBe(200)
    expect((await alice.answer('POST', '/v3/logout', {})).status).toBe(200)
  })
})

describe('profiles', () => {
  test('require_auth_for_profile_requests hides them from strangers', async () => {
    const { bob, alice, stranger } = await house({ require_auth_for_profile_requests: true })
    expect(await stranger.answer('GET', nameOf(bob.userId))).toMatchObject(MISSING_TOKEN)
    expect(await stranger.answer('GET', `/v3/profile/${bob.userId}`)).toMatchObject(MISSING_TOKEN)
    expect((await alice.answer('GET', `/v3/profile/${bob.userId}`)).status).toBe(200)
  })

  test('limit_profile_requests_to_users_who_share_rooms shows them to those who share one', async () => {
    const { alice, bob } = await house({ limit_profile_requests_to_users_who_share_rooms: true })
    expect(await alice.answer('GET', `/v3/profile/${bob.userId}`)).toMatchObject(FORBIDDEN)
    expect((await alice.answer('GET', `/v3/profile/${alice.userId}`)).status).toBe(200)
    await bringIn(alice, await makeRoom(alice), bob)
    expect((await alice.answer('GET', `/v3/profile/${bob.userId}`)).status).toBe(200)
  })

  test.each([
    ['enable_set_displayname', 'displayname', 'Al'],
    ['enable_set_avatar_url', 'avatar_url', 'mxc://a.example/face'],
  ])('%s false leaves the field to admins', async (option, field, value) => {
    const { alice, register } = await house({ [option]: false })
    const root = await register('root', { isAdmin: true })
    const path = `/v3/profile/${alice.userId}/${field}`
    expect(await alice.answer('PUT', path, { [field]: value })).toMatchObject(FORBIDDEN)
    expect(await root.answer('PUT', path, { [field]: value })).toEqual({ status: 200, body: {} })
    expect(await alice.answer('GET', path)).toEqual({ status: 200, body: { [field]: value } })
  })
})

describe('rooms', () => {
  test('allow_public_rooms_without_auth opens the directory to strangers', async () => {
    const closed = await house()
    expect(await closed.stranger.answer('GET', '/v3/publicRooms')).toMatchObject(MISSING_TOKEN)
    const open = await house({ allow_public_rooms_without_auth: true })
    expect((await open.stranger.answer('GET', '/v3/publicRooms')).status).toBe(200)
  })

  test('default_room_version makes rooms of that version', async () => {
    const { alice } = await house({ default_room_version: '9' })
    expect(await stateContent(alice, await makeRoom(alice), 'm.room.create')).toMatchObject({ room_version: '9' })
    expect(await stateContent(alice, await makeRoom(alice, { room_version: '11' }), 'm.room.create')).toMatchObject({ room_version: '11' })
  })

  test.each([
    ['all', 'public_chat', true],
    ['all', 'private_chat', true],
    ['invite', 'public_chat', false],
    ['invite', 'private_chat', true],
    ['off', 'private_chat', false],
  ])('encryption_enabled_by_default_for_room_type %s and a %s: %p', async (kind, preset, isEncrypted) => {
    const { alice } = await house({ encryption_enabled_by_default_for_room_type: kind })
    const roomId = await makeRoom(alice, { preset })
    expect((await alice.answer('GET', inRoom(roomId, '/state/m.room.encryption'))).status).toBe(isEncrypted ? 200 : 404)
  })

  test('default_power_level_content_override changes the levels of its preset, and the request changes them again', async () => {
    const { alice } = await house({ default_power_level_content_override: { public_chat: { invite: 99, events_default: 10 }, private_chat: null } })
    const levels = async (body: object) => stateContent(alice, await makeRoom(alice, body), 'm.room.power_levels')
    expect(await levels({ preset: 'public_chat' })).toMatchObject({ invite: 99, events_default: 10, state_default: 50 })
    expect(await levels({ preset: 'private_chat' })).toMatchObject({ invite: 0, events_default: 0 })
    expect(await levels({ preset: 'public_chat', power_level_content_override: { invite: 1 } })).toMatchObject({ invite: 1, events_default: 10 })
  })

  test('require_membership_for_aliases false lets those outside name a room', async () => {
    for (const [required, status] of [[true, 403], [false, 200]] as const) {
      const { alice, bob } = await house({ require_membership_for_aliases: required })
      const roomId = await makeRoom(alice)
      expect((await bob.answer('PUT', '/v3/directory/room/%23x:a.example', { room_id: roomId })).status).toBe(status)
    }
  })

  test('alias_creation_rules decide who names what', async () => {
    const { alice, bob } = await house({ alias_creation_rules: [{ user_id: '@bob:*', action: 'deny' }, { alias: '#free*', action: 'allow' }] })
    const statuses = async (who: Caller, alias: string) => (await who.answer('POST', '/v3/createRoom', { room_alias_name: alias })).status
    expect([await statuses(alice, 'free1'), await statuses(alice, 'other'), await statuses(bob, 'free2')]).toEqual([200, 403, 403])
  })

  test('room_list_publication_rules decide who publishes', async () => {
    const publish = async (who: Caller, roomId: RoomId) => (await who.answer('PUT', `/v3/directory/list/room/${roomId}`, { visibility: 'public' })).status
    const closed = await house()
    expect(await publish(closed.alice, await makeRoom(closed.alice))).toBe(403)
    const open = await house({ room_list_publication_rules: [{ user_id: '@alice:*', action: 'allow' }] })
    expect(await publish(open.alice, await makeRoom(open.alice))).toBe(200)
    expect(await publish(open.bob, await makeRoom(open.bob))).toBe(403)
  })

  test('forget_rooms_on_leave forgets what is left', async () => {
    const { alice } = await house({ forget_rooms_on_leave: true })
    const roomId = await makeRoom(alice)
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    expect((await alice.answer('GET', inRoom(roomId, '/messages?dir=b'))).status).toBe(403)
  })
})

describe('sync', () => {
  test('exclude_rooms_from_sync leaves rooms out, which are there all the same', async () => {
    const hidden: RoomId = '!hidden:a.example'
    const { server, alice } = await house({ exclude_rooms_from_sync: [hidden] })
    await server.room(hidden).ask({
      kind: 'createRoom', userId: alice.userId, version: '11', ts: 1, createContent: { room_version: '11' }, isPublished: false,
      events: [{ type: 'm.room.member', sender: alice.userId, stateKey: alice.userId, content: { membership: 'join' } }],
    }, 'test')
    const shown = await makeRoom(alice)
    expect(Object.keys((await sync(alice)).rooms?.join ?? {})).toEqual([shown])
    expect((await done(alice, 'GET', '/v3/joined_rooms')).joined_rooms).toContain(hidden)
  })

  test.each([
    [2, 2],
    [100, 5],
    [-1, 5],
  ])('filter_timeline_limit %p cuts a timeline of 5 to %p', async (limit, seen) => {
    const { alice } = await house({ filter_timeline_limit: limit })
    const roomId = await makeRoom(alice)
    for (const text of ['1', '2', '3', '4', '5']) await say(alice, roomId, text)
    const { rooms } = await sync(alice, { room: { timeline: { limit: 5 } } })
    expect(bodiesOf(rooms?.join?.[roomId]?.timeline.events)).toEqual(['1', '2', '3', '4', '5'].slice(-seen))
  })

  test('room_prejoin_state says what the invited are told', async () => {
    const { alice, bob } = await house({
      room_prejoin_state: { disable_default_event_types: true, additional_event_types: ['org.example.all', ['org.example.one', 'b']] },
    })
    const roomId = await makeRoom(alice, { name: 'secret' })
    for (const [type, key] of [['org.example.all', 'a'], ['org.example.all', 'b'], ['org.example.one', 'a'], ['org.example.one', 'b']] as const)
      await setState(alice, roomId, type, {}, key)
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    const told = (await sync(bob)).rooms?.invite?.[roomId]?.invite_state.events.map(({ type, state_key: key }) => `${type} ${key}`)
    expect(told?.toSorted()).toEqual([
      `m.room.member ${alice.userId}`, `m.room.member ${bob.userId}`, 'org.example.all a', 'org.example.all b', 'org.example.one b',
    ])
  })
})

describe('G-75: rates', () => {
  const strict = { per_second: 1, burst_count: 2 }

  test('rc_message counts messages, state, redactions and what is sent later together', async () => {
    const clock = manualClock()
    const { alice, bob } = await house({ rc_message: strict }, { clock })
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const eventId = await say(alice, roomId, 'one')
    await setState(alice, roomId, 'm.room.topic', { topic: 'x' })
    const statuses = async () => [
      (await alice.answer('PUT', inRoom(roomId, '/send/m.room.message/r1'), { body: 'x' })).status,
      (await alice.answer('PUT', inRoom(roomId, '/state/m.room.topic'), { topic: 'y' })).status,
      (await alice.answer('PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/r2`), {})).status,
      (await alice.answer('PUT', inRoom(roomId, '/send/m.room.message/r3?org.matrix.msc4140.delay=1'), { body: 'x' })).status,
    ]
    expect(await statuses()).toEqual([429, 429, 429, 429])
    await say(bob, roomId, 'others are free')
    clock.advance(1_000)
    expect(await statuses()).toEqual([200, 429, 429, 429])
  })

  test('rc_message does not count a request that comes again', async () => {
    const { alice } = await house({ rc_message: { per_second: 0.001, burst_count: 1 } }, { clock: manualClock() })
    const roomId = await makeRoom(alice)
    const again = async () => (await alice.answer('PUT', inRoom(roomId, '/send/m.room.message/same'), { body: 'x' })).status
    expect([await again(), await again(), await again()]).toEqual([200, 200, 200])
  })

  test('rc_admin_redaction counts what admins of a room take back of others', async () => {
    const { alice, bob } = await house({ rc_message: { per_second: 0.001, burst_count: 3 }, rc_admin_redaction: { per_second: 0.001, burst_count: 1 } },
      { clock: manualClock() })
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const [hers, his, hisOther] = [await say(alice, roomId, 'a'), await say(bob, roomId, 'b'), await say(bob, roomId, 'c')]
    const redact = async (eventId: string) =>
      (await alice.answer('PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/${eventId.slice(1, 9)}`), {})).status
    expect([await redact(his), await redact(hisOther), await redact(hers)]).toEqual([200, 429, 200])
  })

  test('rc_joins counts by user, rc_joins_per_room by room', async () => {
    const clock = manualClock()
    const { alice, bob, register } = await house({ rc_joins: { local: strict, remote: strict }, rc_joins_per_room: { per_second: 1, burst_count: 1 } }, { clock })
    const carol = await register('carol')
    const rooms = [await makeRoom(alice, { preset: 'public_chat' }), await makeRoom(alice, { preset: 'public_chat' }), await makeRoom(alice, { preset: 'public_chat' })]
    const join = async (who: Caller, at: number) => (await who.answer('POST', inRoom(rooms[at] ?? '', '/join'), {})).status
    expect([await join(bob, 0), await join(carol, 0), await join(bob, 1), await join(bob, 2), await join(bob, 0)]).toEqual([200, 429, 200, 429, 200])
    clock.advance(1_000)
    expect([await join(carol, 0), await join(bob, 2)]).toEqual([200, 200])
  })

  test('rc_room_creation counts new rooms', async () => {
    const clock = manualClock()
    const { alice, bob } = await house({ rc_room_creation: strict }, { clock })
    const create = async (who: Caller) => (await who.answer('POST', '/v3/createRoom', {})).status
    expect([await create(alice), await create(alice), await create(alice), await create(bob)]).toEqual([200, 200, 429, 200])
    clock.advance(1_000)
    expect(await create(alice)).toBe(200)
  })

  test('whoever is refused is told how long to wait, in whole seconds rounded up in the header', async () => {
    const { alice } = await house({ rc_room_creation: { per_second: 0.4, burst_count: 1 } }, { clock: manualClock() })
    await makeRoom(alice)
    const refused = await alice('POST', '/v3/createRoom', {})
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3'])
    expect(await refused.json()).toEqual({ errcode: 'M_LIMIT_EXCEEDED', error: expect.any(String), retry_after_ms: 2_500 })
  })
})

test('web_client_location is where the front page leads', async () => {
  const { stranger } = await house({ web_client_location: 'https://app.example/' })
  const response = await stranger('GET', '/_/../')
  expect([response.status, response.headers.get('location')]).toEqual([302, 'https://app.example/'])
})
