import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Answer, house, type House } from '#harness/house.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { findSession } from '#store/access-tokens.ts'
import { listDeviceIds } from '#store/devices.ts'
import { findRegistrationToken } from '#store/registration-tokens.ts'
import { findUser } from '#store/users.ts'

const OPEN = { enable_registration: true, enable_registration_without_verification: true }
const BY_TOKEN = { enable_registration: true, registration_requires_token: true }
const DUMMY = { auth: { type: 'm.login.dummy' } }
const generous = { rc_registration: { per_second: 100, burst_count: 100 } }

async function withHouse(overrides: Record<string, unknown>, work: (house: House) => Promise<void>): Promise<void> {
  const opened = await house({ ...generous, ...overrides })
  await work(opened)
  await opened.close()
}
const register = ({ stranger }: House, body: object, query = ''): Promise<Answer> => stranger.answer('POST', `/v3/register${query}`, body)

describe('register', () => {
  test('is closed unless it is opened', () => withHouse({}, async (opened) => {
    expect(await register(opened, { username: 'carol', password: 'x' })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await opened.stranger.answer('GET', '/v3/register/available?username=carol')).toMatchObject({ status: 403 })
  }))

  test('asks for a stage, and makes the account when it is done', () => withHouse(OPEN, async (opened) => {
    const asked = await register(opened, { username: 'carol', password: 'sesame' })
    const { session } = asked.body
    expect(asked).toEqual({ status: 401, body: { flows: [{ stages: ['m.login.dummy'] }], params: {}, session } })
    const auth = { type: 'm.login.dummy', session }
    const made = await register(opened, { username: 'carol', password: 'sesame', device_id: 'TV', initial_device_display_name: 'Telly', auth })
    expect(made).toEqual({
      status: 200,
      body: { user_id: '@carol:a.example', access_token: expect.stringMatching(/^wrn_/), device_id: 'TV', home_server: 'a.example' },
    })
    expect((await opened.stranger.answer('GET', '/v3/profile/@carol:a.example')).body).toEqual({ displayname: 'carol' })
    const login = { type: 'm.login.password', user: 'carol', password: 'sesame' }
    expect(await opened.stranger.answer('POST', '/v3/login', login)).toMatchObject({ status: 200 })
  }))

  test('takes a client’s first request without a body', () => withHouse(OPEN, async (opened) => {
    const { body: { session } } = await register(opened, {})
    expect(await register(opened, { username: 'carol', password: 'x', auth: { type: 'm.login.dummy', session } })).toMatchObject({ status: 200 })
  }))

  test('takes the stage without a session', () => withHouse(OPEN, async (opened) => {
    expect(await register(opened, { username: 'carol', password: 'x', ...DUMMY })).toMatchObject({ status: 200 })
  }))

  test('G-77: makes small letters of capitals', () => withHouse(OPEN, async (opened) => {
    expect(await register(opened, { username: 'user-UPPER', password: 'x', ...DUMMY })).toMatchObject({ body: { user_id: '@user-upper:a.example' } })
  }))

  test('makes up a name', () => withHouse(OPEN, async (opened) => {
    expect((await register(opened, { password: 'x', ...DUMMY })).body.user_id).toMatch(/^@[a-z2-9]{12}:a\.example$/)
  }))

  test('logs nobody in with inhibit_login', () => withHouse(OPEN, async (opened) => {
    expect(await register(opened, { username: 'carol', password: 'x', inhibit_login: true, ...DUMMY })).toEqual({
      status: 200, body: { user_id: '@carol:a.example', home_server: 'a.example' },
    })
  }))

  test('gives refresh tokens to who can use them', () => withHouse(OPEN, async (opened) => {
    expect((await register(opened, { username: 'carol', password: 'x', refresh_token: true, ...DUMMY })).body).toMatchObject({
      refresh_token: expect.stringMatching(/^wrr_/), expires_in_ms: 300_000,
    })
  }))

  test.each([
    ['a name that is taken', { username: 'alice', password: 'x' }, 'M_USER_IN_USE'],
    ['a name that is none', { username: 'cärol', password: 'x' }, 'M_INVALID_USERNAME'],
    ['an empty name', { username: '', password: 'x' }, 'M_INVALID_USERNAME'],
    ['an empty password', { username: 'carol', password: '' }, 'M_WEAK_PASSWORD'],
    ['a name that is no text', { username: 1, password: 'x' }, 'M_BAD_JSON'],
    ['an unknown type', { type: 'm.login.face', username: 'carol' }, 'M_UNKNOWN'],
  ])('refuses %s before it asks for anything', (_says, body, errcode) => withHouse(OPEN, async (opened) => {
    expect(await register(opened, body)).toMatchObject({ status: 400, body: { errcode } })
  }))

  test('refuses an account without a password', () => withHouse(OPEN, async (opened) => {
    expect(await register(opened, { username: 'carol', ...DUMMY })).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  }))

  test('refuses an unknown kind', () => withHouse(OPEN, async (opened) => {
    expect(await register(opened, DUMMY, '?kind=robot')).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  }))

  test('inhibit_user_in_use_error hides until the end which names are taken', () =>
    withHouse({ ...OPEN, inhibit_user_in_use_error: true }, async (opened) => {
      expect(await register(opened, { username: 'alice', password: 'x' })).toMatchObject({ status: 401 })
      expect(await opened.stranger.answer('GET', '/v3/register/available?username=alice')).toEqual({ status: 200, body: { available: true } })
      expect(await register(opened, { username: 'alice', password: 'x', ...DUMMY })).toMatchObject({ status: 400, body: { errcode: 'M_USER_IN_USE' } })
    }))

  test('G-75: rc_registration counts accounts that were made, not questions', () =>
    withHouse({ ...OPEN, rc_registration: { per_second: 0.001, burst_count: 1 } }, async (opened) => {
      for (let turn = 0; turn < 3; turn++) expect(await register(opened, {})).toMatchObject({ status: 401, body: { params: {} } })
      expect(await register(opened, { username: 'carol', password: 'x', ...DUMMY })).toMatchObject({ status: 200 })
      expect(await register(opened, { username: 'dave', password: 'x', ...DUMMY })).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } })
    }))
})

describe('registration tokens', () => {
  const withToken = (work: (house: House) => Promise<void>) => withHouse(BY_TOKEN, async (opened) => {
    await opened.server.registration.ask({ kind: 'createRegistrationToken', token: 'secret', usesAllowed: 1, expiresTs: null }, 'test')
    await work(opened)
  })
  const isValid = async ({ stranger }: House, token: string) =>
    (await stranger.answer('GET', `/v1/register/m.login.registration_token/validity?token=${token}`)).body

  test('one use makes one account', () => withToken(async (opened) => {
    const auth = { type: 'm.login.registration_token', token: 'secret' }
    expect(await isValid(opened, 'secret')).toEqual({ valid: true })
    expect((await register(opened, {})).body.flows).toEqual([{ stages: ['m.login.registration_token'] }])
    expect(await register(opened, { username: 'carol', password: 'x', auth })).toMatchObject({ status: 200 })
    expect(findRegistrationToken(opened.server.store, 'secret')?.completed).toBe(1)
    expect(await isValid(opened, 'secret')).toEqual({ valid: false })
    expect(await register(opened, { username: 'dave', password: 'x', auth })).toMatchObject({ status: 401, body: { errcode: 'M_UNAUTHORIZED', completed: [] } })
  }))

  test('a session makes one account only', () => withToken(async (opened) => {
    const { body: { session } } = await register(opened, {})
    const auth = { type: 'm.login.registration_token', token: 'secret', session }
    expect(await register(opened, { username: 'carol', password: 'x', auth })).toMatchObject({ status: 200 })
    expect(await register(opened, { username: 'dave', password: 'x', auth: { session } })).toMatchObject({ status: 401, body: { params: {} } })
  }))

  test.each([
    ['an unknown token', { type: 'm.login.registration_token', token: 'other' }, 'M_UNAUTHORIZED'],
    ['no token', { type: 'm.login.registration_token' }, 'M_MISSING_PARAM'],
    ['a stage that is not asked for', { type: 'm.login.dummy' }, 'M_UNRECOGNIZED'],
  ])('refuse %s', (_says, auth, errcode) => withToken(async (opened) => {
    expect(await register(opened, { username: 'carol', password: 'x', auth })).toMatchObject({ status: 401, body: { errcode } })
    expect(findUser(opened.server.store, '@carol:a.example')).toBeUndefined()
  }))

  test('are not told about where nobody registers with them', () => withHouse(OPEN, async ({ stranger }) => {
    expect(await stranger.answer('GET', '/v1/register/m.login.registration_token/validity?token=secret')).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  }))

  test('are not for guessing', async () => {
    const opened = await house({ ...BY_TOKEN, rc_registration_token_validity: { per_second: 1, burst_count: 1 } }, { clock: manualClock() })
    expect(await isValid(opened, 'guess')).toEqual({ valid: false })
    expect(await isValid(opened, 'guess')).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1_000 })
    await opened.close()
  })
})

describe('guests', () => {
  test('are refused unless they are let in', () => withHouse(OPEN, async (opened) => {
    expect(await register(opened, {}, '?kind=guest')).toMatchObject({ status: 403, body: { errcode: 'M_GUEST_ACCESS_FORBIDDEN' } })
  }))

  test('get an account at once, and nothing else of what they ask for', () => withHouse({ allow_guest_access: true }, async (opened) => {
    const { status, body } = await register(opened, { username: 'carol', password: 'x', device_id: 'TV', initial_device_display_name: 'Telly' }, '?kind=guest')
    expect(status).toBe(200)
    expect(body.user_id).not.toBe('@carol:a.example')
    expect(body.device_id).not.toBe('TV')
    expect(findUser(opened.server.store, body.user_id as '@x:y')).toMatchObject({ isGuest: true })
  }))

  test('may stay on their device when they become users', () => withHouse({ ...OPEN, allow_guest_access: true }, async (opened) => {
    const { body: { user_id: userId, device_id, access_token } } = await register(opened, {}, '?kind=guest')
    const username = String(userId).slice(1, String(userId).indexOf(':'))
    const { body } = await register(opened, { username, device_id, password: 'sesame', guest_access_token: access_token, ...DUMMY })
    expect(body).toMatchObject({ user_id: userId, device_id })
    expect(body.access_token).not.toBe(access_token)
    expect(findSession(opened.server.store, String(access_token))).toBeUndefined()
    expect(listDeviceIds(opened.server.store, userId as '@x:y')).toEqual([deviceIdOf(String(device_id))])
  }))

  test('become users under the same name', () => withHouse({ ...OPEN, allow_guest_access: true }, async (opened) => {
    const { body } = await register(opened, {}, '?kind=guest')
    const userId = body.user_id as '@x:y'
    const upgrade = { password: 'sesame', guest_access_token: body.access_token, ...DUMMY }
    expect(await register(opened, { ...upgrade, username: 'carol' })).toMatchObject({ status: 403 })
    expect(await register(opened, { ...upgrade, username: userId.slice(1, userId.indexOf(':')) })).toMatchObject({ status: 200, body: { user_id: userId } })
    expect(findUser(opened.server.store, userId)).toMatchObject({ isGuest: false })
    expect(findSession(opened.server.store, String(body.access_token))).toBeUndefined()
    expect(listDeviceIds(opened.server.store, userId)).toHaveLength(1)
    expect(await register(opened, { ...upgrade, username: 'alice', guest_access_token: opened.alice.token })).toMatchObject({ status: 403 })
  }))
})

describe('register/available', () => {
  test.each([
    ['carol', 200, { available: true }],
    ['alice', 400, { errcode: 'M_USER_IN_USE' }],
    ['Carol', 400, { errcode: 'M_INVALID_USERNAME' }],
  ])('%s', (username, status, body) => withHouse(OPEN, async ({ stranger }) => {
    expect(await stranger.answer('GET', `/v3/register/available?username=${username}`)).toMatchObject({ status, body })
  }))

  test('wants a name', () => withHouse(OPEN, async ({ stranger }) => {
    expect(await stranger.answer('GET', '/v3/register/available')).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  }))
})
