import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { hashPassword } from '#errands/hash-password.ts'
import { house, type House } from '#harness/house.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { findDevice } from '#store/devices.ts'

const HASH = hashPassword('sesame', null)
const byPassword = (user: string, more: object = {}) =>
  ({ type: 'm.login.password', identifier: { type: 'm.id.user', user }, password: 'sesame', ...more })

async function withAlice(work: (house: House) => Promise<void>, options?: Parameters<typeof house>): Promise<void> {
  const opened = await house(...(options ?? []))
  await opened.server.user(opened.alice.userId).ask({ kind: 'setPassword', passwordHash: await HASH }, 'test')
  await work(opened)
  await opened.close()
}

describe('GET login', () => {
  test.each([
    ['offers passwords', {}, [{ type: 'm.login.password' }]],
    ['offers none where there are no passwords', { password_config: { enabled: false } }, []],
    ['offers none where passwords only prove who is asking', { password_config: { enabled: 'only_for_reauth' } }, []],
  ])('%s', async (_says, overrides, flows) => {
    const { stranger, close } = await house(overrides)
    expect(await stranger.answer('GET', '/v3/login')).toEqual({ status: 200, body: { flows } })
    await close()
  })
})

describe('POST login', () => {
  test('gives a token that works, on the device that is named', () => withAlice(async ({ stranger, app }) => {
    const { status, body } = await stranger.answer('POST', '/v3/login', byPassword('alice', { device_id: 'TV', initial_device_display_name: 'Telly' }))
    expect(status).toBe(200)
    expect(body).toEqual({
      user_id: '@alice:a.example',
      access_token: expect.stringMatching(/^wrn_/),
      device_id: 'TV',
      home_server: 'a.example',
      well_known: { 'm.homeserver': { base_url: 'https://a.example' } },
    })
    const request = new Request('http://a.example/_matrix/client/v3/account/whoami', { headers: { authorization: `Bearer ${body.access_token}` } })
    expect(await (await app.handle(request)).json()).toEqual({ user_id: '@alice:a.example', device_id: 'TV', is_guest: false })
  }))

  test.each([
    ['an unknown type', { type: 'm.login.face' }, 400, 'M_UNKNOWN'],
    ['no type', { password: 'sesame' }, 400, 'M_MISSING_PARAM'],
    ['a wrong password', byPassword('alice', { password: 'wrong' }), 403, 'M_FORBIDDEN'],
    ['a user that is not there', byPassword('nobody'), 403, 'M_FORBIDDEN'],
    ['a user of another server', byPassword('@alice:b.example'), 403, 'M_FORBIDDEN'],
    ['a mail address', { type: 'm.login.password', identifier: { type: 'm.id.thirdparty' }, password: 'sesame' }, 403, 'M_FORBIDDEN'],
    ['nobody', { type: 'm.login.password', password: 'sesame' }, 400, 'M_MISSING_PARAM'],
    ['no password', { type: 'm.login.password', user: 'alice' }, 400, 'M_MISSING_PARAM'],
    ['a password that is no text', byPassword('alice', { password: 1 }), 400, 'M_BAD_JSON'],
  ])('refuses %s', (_says, body, status, errcode) => withAlice(async ({ stranger }) => {
    expect(await stranger.answer('POST', '/v3/login', body)).toMatchObject({ status, body: { errcode } })
  }))

  test('tells a deactivated user', () => withAlice(async ({ server, alice, stranger }) => {
    await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    expect(await stranger.answer('POST', '/v3/login', byPassword('alice'))).toMatchObject({ status: 403, body: { errcode: 'M_USER_DEACTIVATED' } })
  }))

  test('tells a locked user, but only who knows the password', () => withAlice(async ({ server, alice, stranger }) => {
    await server.user(alice.userId).ask({ kind: 'lockUser', isLocked: true }, 'test')
    expect(await stranger.answer('POST', '/v3/login', byPassword('alice'))).toMatchObject({ status: 401, body: { errcode: 'M_USER_LOCKED', soft_logout: true } })
    expect(await stranger.answer('POST', '/v3/login', byPassword('alice', { password: 'wrong' }))).toMatchObject({ status: 403 })
  }))

  test('takes names in capitals and in the form of old clients', () => withAlice(async ({ stranger }) => {
    for (const who of [{ user: 'ALICE' }, { user: '@alice:a.example' }, { identifier: { type: 'm.id.user', user: 'Alice' } }])
      expect(await stranger.answer('POST', '/v3/login', { type: 'm.login.password', password: 'sesame', ...who })).toMatchObject({ status: 200 })
  }, [{ rc_login: { address: { burst_count: 10 }, account: { burst_count: 10 } } }]))

  test.each([['address'], ['account']])('G-75: rc_login.%s limits how often, and says how long to wait', (key) => withAlice(async ({ stranger }) => {
    expect(await stranger.answer('POST', '/v3/login', byPassword('alice'))).toMatchObject({ status: 200 })
    const response = await stranger('POST', '/v3/login', byPassword('alice'))
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('2')
    expect(await response.json()).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 2_000 })
  }, [{ rc_login: { [key]: { per_second: 0.5, burst_count: 1 } } }, { clock: manualClock() }]))
})

describe('refresh', () => {
  const refreshWith = (opened: House, token: unknown) => opened.stranger.answer('POST', '/v3/refresh', { refresh_token: token })

  test('gives new tokens; a lost answer may be asked for again', () => withAlice(async (opened) => {
    const { body } = await opened.stranger.answer('POST', '/v3/login', byPassword('alice', { refresh_token: true }))
    expect(body.expires_in_ms).toBe(300_000)
    const [second, again] = [await refreshWith(opened, body.refresh_token), await refreshWith(opened, body.refresh_token)]
    expect([second.status, Object.keys(second.body), again.status]).toEqual([200, ['access_token', 'refresh_token', 'expires_in_ms'], 200])
    expect(again.body.access_token).not.toBe(second.body.access_token)
    expect(await refreshWith(opened, again.body.refresh_token)).toMatchObject({ status: 200 })
    expect(await refreshWith(opened, body.refresh_token)).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false } })
  }))

  test('the first use of the new access token makes the old tokens void', () => withAlice(async (opened) => {
    const { server, app, stranger } = opened
    const whoIs = (token: unknown) =>
      app.handle(new Request('http://a.example/_matrix/client/v3/account/whoami', { headers: { authorization: `Bearer ${token}` } }))
    const { body: first } = await stranger.answer('POST', '/v3/login', byPassword('alice', { refresh_token: true }))
    const { body: second } = await refreshWith(opened, first.refresh_token)
    expect((await whoIs(first.access_token)).status).toBe(200)
    expect((await whoIs(second.access_token)).status).toBe(200)
    await server.settled()
    expect((await whoIs(first.access_token)).status).toBe(401)
    expect((await refreshWith(opened, first.refresh_token)).status).toBe(401)
    expect((await refreshWith(opened, second.refresh_token)).status).toBe(200)
  }))

  test('an expired access token is to be refreshed, which is a soft logout', async () => {
    const clock = manualClock()
    await withAlice(async ({ stranger, app }) => {
      const { body } = await stranger.answer('POST', '/v3/login', byPassword('alice', { refresh_token: true }))
      clock.advance(300_000)
      const response = await app.handle(new Request('http://a.example/_matrix/client/v3/account/whoami', {
        headers: { authorization: `Bearer ${body.access_token}` },
      }))
      expect([response.status, await response.json()]).toMatchObject([401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true }])
    }, [{}, { clock }])
  })

  test('an expired access token still logs out: who is asked to log in again may say no', async () => {
    const clock = manualClock()
    await withAlice(async ({ app, server, stranger }) => {
      for (const path of ['/v3/logout', '/v3/logout/all']) {
        const { body } = await stranger.answer('POST', '/v3/login', byPassword('alice', { device_id: 'TV', refresh_token: true }))
        clock.advance(300_000)
        const headers = { authorization: `Bearer ${body.access_token}` }
        expect((await app.handle(new Request(`http://a.example/_matrix/client${path}`, { method: 'POST', headers }))).status).toBe(200)
        expect(findDevice(server.store, '@alice:a.example', deviceIdOf('TV'))).toBeUndefined()
      }
    }, [{}, { clock }])
  })

  test('an expired refresh token is a soft logout', async () => {
    const clock = manualClock()
    await withAlice(async (opened) => {
      const { body } = await opened.stranger.answer('POST', '/v3/login', byPassword('alice', { refresh_token: true }))
      clock.advance(60_000)
      expect(await refreshWith(opened, body.refresh_token)).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true } })
    }, [{ refresh_token_lifetime: '1m' }, { clock }])
  })

  test('refuses what is no refresh token', () => withAlice(async (opened) => {
    expect(await refreshWith(opened, opened.alice.token)).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } })
    expect(await refreshWith(opened, undefined)).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  }))
})

describe('logout', () => {
  test('ends this session and no other', () => withAlice(async ({ alice, login }) => {
    const television = await login(alice.userId, 'TV')
    expect(await alice.answer('POST', '/v3/logout')).toEqual({ status: 200, body: {} })
    expect(await alice.answer('POST', '/v3/logout')).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } })
    expect((await television.answer('GET', '/v3/devices')).body.devices).toMatchObject([{ device_id: 'TV' }])
  }))

  test('all ends every session', () => withAlice(async ({ alice, bob, login }) => {
    const television = await login(alice.userId, 'TV')
    expect(await alice.answer('POST', '/v3/logout/all')).toEqual({ status: 200, body: {} })
    expect(await television.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 401 })
    expect(await bob.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 200 })
  }))

  test('is open to a locked user, who may do nothing else', () => withAlice(async ({ server, alice }) => {
    await server.user(alice.userId).ask({ kind: 'lockUser', isLocked: true }, 'test')
    expect(await alice.answer('GET', '/v3/account/whoami')).toMatchObject({ status: 401, body: { errcode: 'M_USER_LOCKED', soft_logout: true } })
    expect(await alice.answer('POST', '/v3/logout')).toMatchObject({ status: 200 })
  }))
})
