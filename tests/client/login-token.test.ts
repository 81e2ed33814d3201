import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { LOGIN_TOKEN_LIMIT } from '#actors/user/login-token.ts'
import { hashPassword } from '#errands/hash-password.ts'
import { house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'

const OPEN = { login_via_existing_session: { enabled: true, require_ui_auth: false, token_timeout: '2m' } }
const byToken = (token: unknown) => ({ type: 'm.login.token', token, device_id: 'TV' })
const refused = { status: 403, body: { errcode: 'M_FORBIDDEN' } }

describe('a login token', () => {
  test('logs another device in, once', async () => {
    const { alice, stranger } = await house(OPEN)
    const issued = await done(alice, 'POST', '/v1/login/get_token', {})
    expect(issued).toEqual({ login_token: expect.any(String), expires_in_ms: 120_000 })
    expect(await stranger.answer('POST', '/v3/login', byToken(issued.login_token))).toMatchObject({
      status: 200, body: { user_id: alice.userId, device_id: 'TV', access_token: expect.any(String) },
    })
    expect(await stranger.answer('POST', '/v3/login', byToken(issued.login_token))).toMatchObject(refused)
  })

  test('lasts as long as it says', async () => {
    const clock = manualClock()
    const { server, alice, stranger } = await house(OPEN, { clock })
    const { login_token: token } = await done(alice, 'POST', '/v1/login/get_token', {})
    clock.advance(120_000)
    expect(await stranger.answer('POST', '/v3/login', byToken(token))).toMatchObject(refused)
    await done(alice, 'POST', '/v1/login/get_token', {})
    expect(server.store.db.query('SELECT count(*) AS total FROM login_tokens').get()).toEqual({ total: 1 })
  })

  test('is given to whoever proves by password who they are, where that is wanted', async () => {
    const { server, alice } = await house({ login_via_existing_session: { enabled: true } })
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashPassword('sesame', null) }, 'test')
    const asked = await alice.answer('POST', '/v1/login/get_token', {})
    expect(asked).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } })
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'sesame', session: asked.body.session }
    expect(await alice.answer('POST', '/v1/login/get_token', { auth })).toMatchObject({ status: 200, body: { expires_in_ms: 300_000 } })
  })

  test('is a way of logging in that is named only where it is one', async () => {
    const opened = await house(OPEN)
    expect((await opened.stranger.answer('GET', '/v3/login')).body).toEqual({
      flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }],
    })
    const closed = await house()
    expect(await closed.alice.answer('POST', '/v1/login/get_token', {})).toMatchObject({ status: 404, body: { errcode: 'M_UNRECOGNIZED' } })
    expect(await closed.stranger.answer('POST', '/v3/login', byToken('x'))).toMatchObject({ status: 400, body: { errcode: 'M_UNKNOWN' } })
  })

  test.each([
    ['is missing', undefined, 400, 'M_MISSING_PARAM'],
    ['was never given out', 'wrl_guess', 403, 'M_FORBIDDEN'],
  ])('that %s opens nothing', async (_says, token, status, errcode) => {
    const { stranger } = await house(OPEN)
    expect(await stranger.answer('POST', '/v3/login', byToken(token))).toMatchObject({ status, body: { errcode } })
  })

  test('does not help a locked account', async () => {
    const { server, alice, stranger } = await house(OPEN)
    const { login_token: token } = await done(alice, 'POST', '/v1/login/get_token', {})
    await server.user(alice.userId).ask({ kind: 'lockUser', isLocked: true }, 'test')
    expect(await stranger.answer('POST', '/v3/login', byToken(token))).toMatchObject({ status: 401, body: { errcode: 'M_USER_LOCKED' } })
  })

  test('waits beside not too many others', async () => {
    const { server, alice } = await house(OPEN)
    for (let count = 0; count < LOGIN_TOKEN_LIMIT; count++)
      await server.user(alice.userId).ask({ kind: 'generateLoginToken', lifetimeMs: 1_000_000 }, 'test')
    expect(await alice.answer('POST', '/v1/login/get_token', {})).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } })
  })
})
