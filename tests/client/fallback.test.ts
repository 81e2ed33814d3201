import { describe, expect, test } from 'bun:test'
import { hashPassword } from '#errands/hash-password.ts'
import { house, type House } from '#harness/house.ts'

const HASH = hashPassword('sesame', null)
const BY_TOKEN = { enable_registration: true, registration_requires_token: true }
const OPEN = { enable_registration: true, enable_registration_without_verification: true }
const generous = { rc_registration: { per_second: 100, burst_count: 100 } }

async function withHouse(overrides: Record<string, unknown>, work: (house: House) => Promise<void>): Promise<void> {
  const opened = await house({ ...generous, ...overrides })
  await work(opened)
  await opened.close()
}

const addressOf = (stage: string, session: string): string =>
  `/_matrix/client/v3/auth/${stage}/fallback/web?session=${encodeURIComponent(session)}`

type Shown = Readonly<{ status: number; text: string; policy: string }>

const shown = async (response: Response): Promise<Shown> =>
  ({ status: response.status, text: await response.text(), policy: response.headers.get('content-security-policy') ?? '' })
const look = async ({ stranger }: House, stage: string, session: string): Promise<Shown> => shown(await stranger('GET', addressOf(stage, session)))
const fillIn = async ({ app }: House, stage: string, session: string, fields: Record<string, string>): Promise<Shown> =>
  shown(await app.handle(new Request(`http://a.example${addressOf(stage, session)}`, { method: 'POST', body: new URLSearchParams(fields) })))

const sessionOf = async ({ stranger }: House): Promise<string> =>
  (await stranger.answer('POST', '/v3/register', { username: 'carol', password: 'open sesame' })).body.session as string
const finish = ({ stranger }: House, session: string) =>
  stranger.answer('POST', '/v3/register', { username: 'carol', password: 'open sesame', auth: { session } })

const isDone = ({ status, text }: Shown): boolean => status === 200 && text.includes('window.onAuthDone()')

describe('the page of a stage', () => {
  test('takes a registration token, and the client goes on with the session alone', () => withHouse(BY_TOKEN, async (opened) => {
    await opened.server.registration.ask({ kind: 'createRegistrationToken', token: 'secret', usesAllowed: 1, expiresTs: null }, 'test')
    const session = await sessionOf(opened)
    const form = await look(opened, 'm.login.registration_token', session)
    expect([form.status, form.text.includes('name="token"'), isDone(form)]).toEqual([200, true, false])
    const refused = await fillIn(opened, 'm.login.registration_token', session, { token: 'wrong' })
    expect([refused.status, refused.text.includes('This registration token is not valid'), isDone(refused)]).toEqual([401, true, false])
    expect(await finish(opened, session)).toMatchObject({ status: 401 })
    expect(isDone(await fillIn(opened, 'm.login.registration_token', session, { token: 'secret' }))).toBe(true)
    expect(isDone(await look(opened, 'm.login.registration_token', session))).toBe(true)
    expect(await finish(opened, session)).toMatchObject({ status: 200, body: { user_id: '@carol:a.example' } })
  }))

  test('goes through the stage that asks for nothing', () => withHouse(OPEN, async (opened) => {
    const session = await sessionOf(opened)
    expect(isDone(await look(opened, 'm.login.dummy', session))).toBe(false)
    expect(isDone(await fillIn(opened, 'm.login.dummy', session, {}))).toBe(true)
    expect(await finish(opened, session)).toMatchObject({ status: 200 })
  }))

  test('takes the password of whoever has begun, and of nobody else', () => withHouse({}, async (opened) => {
    const { alice, bob, server } = opened
    await opened.login(alice.userId, 'TV')
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await HASH }, 'test')
    await server.user(bob.userId).ask({ kind: 'setPassword', passwordHash: await hashPassword('of bob', null) }, 'test')
    const session = (await alice.answer('DELETE', '/v3/devices/TV')).body.session as string
    expect((await look(opened, 'm.login.password', session)).text).toContain('@alice:a.example')
    const refused = await fillIn(opened, 'm.login.password', session, { username: bob.userId, password: 'of bob' })
    expect([refused.status, refused.text.includes('Wrong user name or password')]).toEqual([403, true])
    expect(isDone(await fillIn(opened, 'm.login.password', session, { password: 'sesame' }))).toBe(true)
    expect(await alice.answer('DELETE', '/v3/devices/TV', { auth: { session } })).toEqual({ status: 200, body: {} })
  }))

  test.each([
    ['a session that there is not', 'm.login.dummy', 'none'],
    ['a stage that is not asked for', 'm.login.registration_token', undefined],
    ['a stage that is not offered at all', 'm.login.recaptcha', undefined],
  ])('says that there is nothing to do for %s', (_says, stage, named) => withHouse(OPEN, async (opened) => {
    const session = named ?? (await sessionOf(opened))
    for (const page of [await look(opened, stage, session), await fillIn(opened, stage, session, {})])
      expect([page.status, page.text.includes('There is nothing to do here')]).toEqual([404, true])
  }))

  test('is gone once the account is made', () => withHouse(OPEN, async (opened) => {
    const session = await sessionOf(opened)
    await fillIn(opened, 'm.login.dummy', session, {})
    await finish(opened, session)
    expect((await look(opened, 'm.login.dummy', session)).status).toBe(404)
  }))

  test('is as strict about its content as pages without a script, but for that one', () => withHouse(OPEN, async (opened) => {
    const session = await sessionOf(opened)
    const form = await look(opened, 'm.login.dummy', session)
    expect(form.policy).toMatch(/^default-src 'none'; style-src 'sha256-[^;]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/)
    const done = await fillIn(opened, 'm.login.dummy', session, {})
    expect(done.policy).toMatch(/^default-src 'none'; style-src 'sha256-[^;]+'; script-src 'sha256-[^;]+'; connect-src 'self'; form-action 'self'; /)
  }))

  test('takes no more tries from an address than rc_registration_token_validity allows', () =>
    withHouse({ ...BY_TOKEN, rc_registration_token_validity: { per_second: 0.1, burst_count: 2 } }, async (opened) => {
      const session = await sessionOf(opened)
      const statuses = []
      for (let tries = 0; tries < 3; tries++) statuses.push((await fillIn(opened, 'm.login.registration_token', session, { token: 'x' })).status)
      expect(statuses).toEqual([401, 401, 429])
    }))

  test('refuses a form that no person has filled in', () => withHouse(OPEN, async (opened) => {
    const session = await sessionOf(opened)
    expect((await fillIn(opened, 'm.login.dummy', session, { x: 'y'.repeat(20_000) })).status).toBe(413)
  }))
})
