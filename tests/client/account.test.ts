import { describe, expect, test } from 'bun:test'
import { hashPassword } from '#errands/hash-password.ts'
import { house, type House } from '#harness/house.ts'
import { findPasswordHash, findUser } from '#store/users.ts'

const HASH = hashPassword('sesame', null)
const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'sesame' }

async function withAlice(work: (house: House) => Promise<void>, overrides = {}): Promise<void> {
  const opened = await house(overrides)
  await opened.server.user(opened.alice.userId).ask({ kind: 'setPassword', passwordHash: await HASH }, 'test')
  await work(opened)
  await opened.close()
}

describe('whoami', () => {
  test('tells user, device and whether it is a guest', () => withAlice(async ({ alice, register, stranger }) => {
    const visitor = await register('visitor', { isGuest: true })
    expect((await alice.answer('GET', '/v3/account/whoami')).body).toEqual({ user_id: alice.userId, device_id: 'PHONE', is_guest: false })
    expect((await visitor.answer('GET', '/v3/account/whoami')).body).toEqual({ user_id: visitor.userId, device_id: 'PHONE', is_guest: true })
    expect(await stranger.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
  }))
})

describe('account/password', () => {
  test('changes the password and logs the other devices out', () => withAlice(async ({ server, alice, login }) => {
    const television = await login(alice.userId, 'TV')
    expect(await alice.answer('POST', '/v3/account/password', { new_password: 'open' })).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } })
    expect(await alice.answer('POST', '/v3/account/password', { new_password: 'open', auth })).toEqual({ status: 200, body: {} })
    expect(await Bun.password.verify('open', findPasswordHash(server.store, alice.userId) ?? '')).toBe(true)
    expect(await alice.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 200 })
    expect(await television.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 401 })
  }))

  test('leaves the others logged in where that is asked for', () => withAlice(async ({ alice, login }) => {
    const television = await login(alice.userId, 'TV')
    await alice.answer('POST', '/v3/account/password', { new_password: 'open', logout_devices: false, auth })
    expect(await television.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 200 })
  }))

  test.each([
    ['a wrong password', { new_password: 'open', auth: { ...auth, password: 'wrong' } }, 401, 'M_FORBIDDEN'],
    ['no new password', { auth }, 400, 'M_MISSING_PARAM'],
    ['an empty new password', { new_password: '', auth }, 400, 'M_WEAK_PASSWORD'],
  ])('refuses %s', (_says, body, status, errcode) => withAlice(async ({ server, alice }) => {
    expect(await alice.answer('POST', '/v3/account/password', body)).toMatchObject({ status, body: { errcode } })
    expect(findPasswordHash(server.store, alice.userId)).toBe(await HASH)
  }))
})

describe('a new password', () => {
  const change = (alice: House['alice'], body: object) => alice.answer('POST', '/v3/account/password', body)

  test('that is too weak is refused before anyone is asked for the old one', () => withAlice(async ({ alice }) => {
    expect(await change(alice, { new_password: '' })).toMatchObject({ status: 400, body: { errcode: 'M_WEAK_PASSWORD' } })
  }))

  test.each([false, 'only_for_reauth'])('is not for servers whose passwords log nobody in: enabled %p', (enabled) =>
    withAlice(async ({ alice }) => {
      expect(await change(alice, { new_password: 'open', auth })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
      const { body } = await alice.answer('GET', '/v3/capabilities')
      expect(body.capabilities).toMatchObject({ 'm.change_password': { enabled: false } })
    }, { password_config: { enabled } }))
})

describe('account/deactivate', () => {
  test('ends the account', () => withAlice(async ({ server, alice, stranger }) => {
    expect(await alice.answer('POST', '/v3/account/deactivate', {})).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } })
    expect(await alice.answer('POST', '/v3/account/deactivate', { auth, erase: true })).toEqual({ status: 200, body: { id_server_unbind_result: 'success' } })
    expect(findUser(server.store, alice.userId)).toMatchObject({ isDeactivated: true, isErased: true })
    expect(await alice.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } })
    expect(await stranger.answer('GET', `/v3/profile/${alice.userId}`)).toMatchObject({ status: 404 })
  }))
})

describe('password_policy', () => {
  test('tells what a password must have', async () => {
    const policy = { enabled: true, minimum_length: 8, require_digit: true }
    const { stranger, close } = await house({ password_config: { policy } })
    expect((await stranger.answer('GET', '/v3/password_policy')).body).toEqual({
      'm.minimum_length': 8, 'm.require_digit': true, 'm.require_symbol': false, 'm.require_lowercase': false, 'm.require_uppercase': false,
    })
    await close()
  })
})
