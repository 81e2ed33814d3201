import { describe, expect, test } from 'bun:test'
import { hashPassword } from '#errands/hash-password.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom } from '#harness/rooms.ts'

/** Answers that the specification names for an operation, where no other test comes by them. */

const SESSION = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} }
const BACKUP = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'abc', signatures: {} } }

type Case = readonly [method: string, path: string, body: unknown, status: number, errcode: string]

test.each<Case>([
  ['GET', '/v1/admin/suspend/@bob:b.example', undefined, 400, 'M_INVALID_PARAM'],
  ['GET', '/v1/admin/suspend/@nobody:a.example', undefined, 404, 'M_NOT_FOUND'],
  ['GET', '/v1/admin/lock/@bob:b.example', undefined, 400, 'M_INVALID_PARAM'],
  ['GET', '/v1/admin/lock/@nobody:a.example', undefined, 404, 'M_NOT_FOUND'],
  ['GET', '/v3/user/@admin:a.example/rooms/nonsense/account_data/x', undefined, 400, 'M_INVALID_PARAM'],
  ['GET', '/v3/directory/room/nonsense', undefined, 400, 'M_INVALID_PARAM'],
  ['GET', '/v3/rooms/nonsense/aliases', undefined, 400, 'M_INVALID_PARAM'],
  ['POST', '/v3/rooms/ROOM/invite', { user_id: 7 }, 400, 'M_BAD_JSON'],
  ['GET', '/v3/pushrules/global/override/nobody/enabled', undefined, 404, 'M_NOT_FOUND'],
  ['GET', '/v3/pushrules/global/override/nobody/actions', undefined, 404, 'M_NOT_FOUND'],
  ['GET', '/v1/rooms/ROOM/relations/%24none/m.thread', undefined, 404, 'M_NOT_FOUND'],
  ['GET', '/v1/rooms/ROOM/relations/%24none/m.thread/m.room.message', undefined, 404, 'M_NOT_FOUND'],
  ['PUT', '/v3/rooms/ROOM/state/m.room.canonical_alias/', { alias: '#none:a.example' }, 400, 'M_BAD_ALIAS'],
  ['DELETE', '/v3/room_keys/keys/ROOM/s?version=7', undefined, 404, 'M_NOT_FOUND'],
  ['PUT', '/v3/room_keys/keys/ROOM?version=7', { sessions: { s: SESSION } }, 404, 'M_NOT_FOUND'],
  ['GET', '/v3/room_keys/keys/ROOM?version=7', undefined, 404, 'M_NOT_FOUND'],
  ['DELETE', '/v3/room_keys/keys/ROOM?version=7', undefined, 404, 'M_NOT_FOUND'],
  ['PUT', '/v3/room_keys/keys?version=7', { rooms: {} }, 404, 'M_NOT_FOUND'],
  ['DELETE', '/v3/room_keys/keys?version=7', undefined, 404, 'M_NOT_FOUND'],
])('an admin is answered %s %s with %p: %d %s', async (method, path, body, status, errcode) => {
  const { register } = await house()
  const admin = await register('admin', { isAdmin: true })
  const roomId = await makeRoom(admin)
  expect(await admin.answer(method, path.replace('ROOM', encodeURIComponent(roomId)), body)).toMatchObject({ status, body: { errcode } })
})

test.each<Case>([
  ['PUT', '/v3/room_keys/keys/ROOM?version=1', { sessions: { s: SESSION } }, 403, 'M_WRONG_ROOM_KEYS_VERSION'],
  ['PUT', '/v3/room_keys/keys?version=1', { rooms: {} }, 403, 'M_WRONG_ROOM_KEYS_VERSION'],
])('an old version of the backup is answered %s %s with %p: %d %s', async (method, path, body, status, errcode) => {
  const { alice } = await house()
  for (let times = 0; times < 2; times++) await done(alice, 'POST', '/v3/room_keys/version', BACKUP)
  expect(await alice.answer(method, path.replace('ROOM', '!x'), body)).toMatchObject({ status, body: { errcode } })
})

test('who may not ban may not unban', async () => {
  const { alice, bob, register } = await house()
  const [roomId, carol] = [await makeRoom(alice), await register('carol')]
  await bringIn(alice, roomId, bob, carol)
  await done(alice, 'POST', inRoom(roomId, '/ban'), { user_id: carol.userId })
  expect(await bob.answer('POST', inRoom(roomId, '/unban'), { user_id: carol.userId })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
})

test('a room by its address may refuse a join', async () => {
  const { alice, bob } = await house()
  await makeRoom(alice, { room_alias_name: 'den', preset: 'private_chat' })
  expect(await bob.answer('POST', '/v3/join/%23den%3Aa.example', {})).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
})

test('one field of a profile is shown to those who share a room alone, where the admin wants that', async () => {
  const { alice, bob } = await house({ limit_profile_requests_to_users_who_share_rooms: true })
  expect(await bob.answer('GET', `/v3/profile/${alice.userId}/displayname`)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
})

describe('a body that is no JSON is refused by', () => {
  test.each([
    ['createRoom', 'POST', '/v3/createRoom', {}],
    ['inviteUser', 'POST', '/v3/rooms/!x/invite', {}],
    ['generateLoginToken', 'POST', '/v1/login/get_token', { login_via_existing_session: { enabled: true } }],
  ])('%s', async (_operation, method, path, options) => {
    const { app, alice } = await house(options)
    const headers = { authorization: `Bearer ${alice.token}` }
    const response = await app.handle(new Request(`http://a.example/_matrix/client${path}`, { method, headers, body: '{' }))
    expect([response.status, await response.json()]).toMatchObject([400, { errcode: 'M_NOT_JSON' }])
  })
})

describe('too much at once is refused by', () => {
  const ONCE = { per_second: 0.001, burst_count: 1 }
  const LIMITED = { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: expect.any(Number) } }

  test('joinRoom', async () => {
    const { alice, bob } = await house({ rc_joins: { local: ONCE } })
    for (const name of ['one', 'two']) await makeRoom(alice, { room_alias_name: name, preset: 'public_chat' })
    await done(bob, 'POST', '/v3/join/%23one%3Aa.example', {})
    expect(await bob.answer('POST', '/v3/join/%23two%3Aa.example', {})).toMatchObject(LIMITED)
  })

  test.each([
    ['reportRoom', '/v3/rooms/!x/report'],
    ['reportUser', '/v3/users/@bob:a.example/report'],
  ])('%s', async (_operation, path) => {
    const { alice } = await house({ rc_reports: ONCE })
    await done(alice, 'POST', path, { reason: 'x' })
    expect(await alice.answer('POST', path, { reason: 'x' })).toMatchObject(LIMITED)
  })

  test('checkUsernameAvailability', async () => {
    const { stranger } = await house({ enable_registration: true, enable_registration_without_verification: true })
    const statuses = []
    for (let tries = 0; tries < 21; tries++) statuses.push((await stranger.answer('GET', `/v3/register/available?username=x${tries}`)).status)
    expect([statuses.filter((status) => status === 200).length, statuses.at(-1)]).toEqual([20, 429])
  })

  test.each([
    ['changePassword', '/v3/account/password', { new_password: 'another one' }],
    ['deactivateAccount', '/v3/account/deactivate', {}],
    ['add3PID', '/v3/account/3pid/add', { sid: 'x', client_secret: 'x' }],
  ])('%s, of wrong passwords', async (_operation, path, body) => {
    const { alice, server } = await house({ rc_login: { failed_attempts: ONCE } })
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashPassword('sesame', null) }, 'test')
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'wrong' }
    expect((await alice.answer('POST', path, { ...body, auth })).status).toBe(401)
    expect(await alice.answer('POST', path, { ...body, auth })).toMatchObject(LIMITED)
  })
})
