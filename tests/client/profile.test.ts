import { describe, expect, test } from 'bun:test'
import { house, type House } from '#harness/house.ts'

async function withHouse(work: (house: House) => Promise<void>, overrides = {}): Promise<void> {
  const opened = await house(overrides)
  await work(opened)
  await opened.close()
}
const ALICE = '/v3/profile/@alice:a.example'

describe('profile fields', () => {
  test.each([
    ['displayname', 'Alice', { status: 200, body: {} }],
    ['avatar_url', 'mxc://a.example/face', { status: 200, body: {} }],
    ['m.tz', 'Europe/Berlin', { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'This profile has no such field' } }],
    ['org.example.pets', [{ name: 'Rex' }], { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'This profile has no such field' } }],
  ])('%s is set, shown to everyone, and removed', (field, value, unset) => withHouse(async ({ alice, stranger }) => {
    expect(await alice.answer('PUT', `${ALICE}/${field}`, { [field]: value })).toEqual({ status: 200, body: {} })
    expect(await stranger.answer('GET', `${ALICE}/${field}`)).toEqual({ status: 200, body: { [field]: value } })
    expect(await stranger.answer('GET', ALICE)).toEqual({ status: 200, body: { [field]: value } })
    expect(await alice.answer('DELETE', `${ALICE}/${field}`)).toEqual({ status: 200, body: {} })
    expect(await stranger.answer('GET', `${ALICE}/${field}`)).toEqual(unset)
  }))

  test('are served under their unstable name too', () => withHouse(async ({ alice }) => {
    const path = '/unstable/uk.tcpip.msc4133/profile/@alice:a.example/m.tz'
    expect(await alice.answer('PUT', path, { 'm.tz': 'UTC' })).toMatchObject({ status: 200 })
    expect((await alice.answer('GET', path)).body).toEqual({ 'm.tz': 'UTC' })
    expect(await alice.answer('DELETE', path)).toMatchObject({ status: 200 })
  }))

  test('an empty name is no name', () => withHouse(async ({ alice }) => {
    await alice.answer('PUT', `${ALICE}/displayname`, { displayname: 'Alice' })
    await alice.answer('PUT', `${ALICE}/displayname`, { displayname: '' })
    expect((await alice.answer('GET', ALICE)).body).toEqual({})
  }))

  test.each([
    ['the key is missing', 'displayname', { name: 'x' }, 400, 'M_MISSING_PARAM'],
    ['the name is no text', 'displayname', { displayname: 1 }, 400, 'M_INVALID_PARAM'],
    ['the body is a list', 'displayname', ['x'], 400, 'M_BAD_JSON'],
    ['the field is outside the grammar', 'Pets', { Pets: 1 }, 400, 'M_INVALID_PARAM'],
    ['the field name is too long', 'x'.repeat(256), { ['x'.repeat(256)]: 1 }, 400, 'M_KEY_TOO_LARGE'],
    ['the profile gets too large', 'org.example.big', { 'org.example.big': 'x'.repeat(65_536) }, 400, 'M_PROFILE_TOO_LARGE'],
  ])('are refused when %s', (_says, field, body, status, errcode) => withHouse(async ({ alice }) => {
    expect(await alice.answer('PUT', `${ALICE}/${field}`, body)).toMatchObject({ status, body: { errcode } })
  }))
})

describe('who may write', () => {
  test('nobody but the owner and admins', () => withHouse(async ({ bob, register }) => {
    const admin = await register('root', { isAdmin: true })
    const body = { displayname: 'Not Alice' }
    expect(await bob.answer('PUT', `${ALICE}/displayname`, body)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await bob.answer('DELETE', `${ALICE}/displayname`)).toMatchObject({ status: 403 })
    expect(await admin.answer('PUT', `${ALICE}/displayname`, body)).toMatchObject({ status: 200 })
    expect(await admin.answer('PUT', '/v3/profile/@charlie:b.example/displayname', body)).toMatchObject({ status: 403 })
  }))

  test('guests may change their name and nothing else', () => withHouse(async ({ register }) => {
    const visitor = await register('visitor', { isGuest: true })
    const path = `/v3/profile/${visitor.userId}`
    expect(await visitor.answer('PUT', `${path}/displayname`, { displayname: 'V' })).toMatchObject({ status: 200 })
    expect(await visitor.answer('PUT', `${path}/m.tz`, { 'm.tz': 'UTC' })).toMatchObject({ status: 403, body: { errcode: 'M_GUEST_ACCESS_FORBIDDEN' } })
  }))

  test('enable_set_displayname keeps names as they are, but for admins', () => withHouse(async ({ alice, register }) => {
    const admin = await register('root', { isAdmin: true })
    expect(await alice.answer('PUT', `${ALICE}/displayname`, { displayname: 'Al' })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await admin.answer('PUT', `${ALICE}/displayname`, { displayname: 'Al' })).toMatchObject({ status: 200 })
    expect(await alice.answer('PUT', `${ALICE}/avatar_url`, { avatar_url: 'mxc://a.example/x' })).toMatchObject({ status: 200 })
  }, { enable_set_displayname: false }))

  test('a suspended user may not', () => withHouse(async ({ server, alice }) => {
    await server.user(alice.userId).ask({ kind: 'suspendUser', isSuspended: true }, 'test')
    expect(await alice.answer('PUT', `${ALICE}/displayname`, { displayname: 'Al' })).toMatchObject({ status: 403, body: { errcode: 'M_USER_SUSPENDED' } })
  }))
})

describe('who may read', () => {
  test('there is no profile of users that are not there or are gone', () => withHouse(async ({ server, alice, stranger }) => {
    expect(await stranger.answer('GET', '/v3/profile/@nobody:a.example')).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    expect(await stranger.answer('GET', ALICE)).toMatchObject({ status: 404 })
  }))

  test('require_auth_for_profile_requests keeps strangers out', () => withHouse(async ({ bob, stranger }) => {
    expect(await stranger.answer('GET', ALICE)).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
    expect(await bob.answer('GET', ALICE)).toMatchObject({ status: 200 })
  }, { require_auth_for_profile_requests: true }))

  test('limit_profile_requests_to_users_who_share_rooms lets those in who do', () => withHouse(async ({ alice, bob, stranger }) => {
    expect(await alice.answer('GET', ALICE)).toMatchObject({ status: 200 })
    for (const reader of [bob, stranger]) expect(await reader.answer('GET', ALICE)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    const { body } = await alice.answer('POST', '/v3/createRoom', { preset: 'public_chat' })
    await bob.answer('POST', `/v3/rooms/${String(body.room_id)}/join`, {})
    expect(await bob.answer('GET', ALICE)).toMatchObject({ status: 200 })
  }, { limit_profile_requests_to_users_who_share_rooms: true }))
})

test('a new name goes to every room', () => withHouse(async ({ alice, bob }) => {
  const { body } = await alice.answer('POST', '/v3/createRoom', { preset: 'public_chat' })
  const room = String(body.room_id)
  await bob.answer('POST', `/v3/rooms/${room}/join`, {})
  await alice.answer('PUT', `${ALICE}/displayname`, { displayname: 'Al' })
  expect((await bob.answer('GET', `/v3/rooms/${room}/state/m.room.member/@alice:a.example`)).body).toMatchObject({ membership: 'join', displayname: 'Al' })
}))
