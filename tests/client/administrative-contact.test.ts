import { describe, expect, test } from 'bun:test'
import { hashPassword } from '#errands/hash-password.ts'
import { house } from '#harness/house.ts'

const PROOF = { client_secret: 'secret', sid: '1' }
const ADDRESS = { medium: 'email', address: 'alice@mail.example' }

describe('addresses of an account', () => {
  test('are none', async () => {
    const { alice } = await house()
    expect(await alice.answer('GET', '/v3/account/3pid')).toEqual({ status: 200, body: { threepids: [] } })
  })

  test('cannot be added, because none was proven', async () => {
    const { server, alice } = await house()
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashPassword('sesame', null) }, 'test')
    const asked = await alice.answer('POST', '/v3/account/3pid/add', PROOF)
    expect(asked.status).toBe(401)
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'sesame', session: asked.body.session }
    expect(await alice.answer('POST', '/v3/account/3pid/add', { ...PROOF, auth })).toMatchObject({ status: 400, body: { errcode: 'M_THREEPID_AUTH_FAILED' } })
    expect(await alice.answer('POST', '/v3/account/3pid', { three_pid_creds: PROOF })).toMatchObject({ status: 403, body: { errcode: 'M_THREEPID_AUTH_FAILED' } })
  })

  test('are bound at no identity server', async () => {
    const { alice } = await house()
    const body = { ...PROOF, id_server: 'id.example', id_access_token: 'x' }
    expect(await alice.answer('POST', '/v3/account/3pid/bind', body)).toMatchObject({ status: 400, body: { errcode: 'M_SERVER_NOT_TRUSTED' } })
  })

  test('that are not there are removed without anyone being told', async () => {
    const { alice } = await house()
    const answer = { status: 200, body: { id_server_unbind_result: 'no-support' } }
    expect(await alice.answer('POST', '/v3/account/3pid/delete', ADDRESS)).toEqual(answer)
    expect(await alice.answer('POST', '/v3/account/3pid/unbind', ADDRESS)).toEqual(answer)
  })

  test('are not changed where enable_3pid_changes is off', async () => {
    const { alice } = await house({ enable_3pid_changes: false })
    for (const [path, body] of [
      ['/v3/account/3pid/add', PROOF],
      ['/v3/account/3pid', { three_pid_creds: PROOF }],
      ['/v3/account/3pid/delete', ADDRESS],
    ] as const) expect(await alice.answer('POST', path, body)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })
})

describe('proof of an address', () => {
  const mail = { client_secret: 'secret', send_attempt: 1, email: 'alice@mail.example' }
  const text = { client_secret: 'secret', send_attempt: 1, country: 'GB', phone_number: '07700900001' }

  test.each([
    ['/v3/account/3pid/email/requestToken', mail],
    ['/v3/account/3pid/msisdn/requestToken', text],
    ['/v3/account/password/email/requestToken', mail],
    ['/v3/account/password/msisdn/requestToken', text],
    ['/v3/register/email/requestToken', mail],
    ['/v3/register/msisdn/requestToken', text],
  ])('is not sent by %s', async (path, body) => {
    const { stranger } = await house()
    expect(await stranger.answer('POST', path, body)).toMatchObject({ status: 400, body: { errcode: 'M_THREEPID_MEDIUM_NOT_SUPPORTED' } })
    expect(await stranger.answer('POST', path, {})).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
    expect(await stranger.answer('POST', path, { ...body, client_secret: 'not/valid' })).toMatchObject({ status: 400, body: { errcode: 'M_BAD_JSON' } })
  })
})
