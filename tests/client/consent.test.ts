import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { house, type House } from '#harness/house.ts'
import { done, inRoom, makeRoom } from '#harness/rooms.ts'
import { findAcceptedTerms } from '#store/consent.ts'

const folder = mkdtempSync(join(tmpdir(), 'warren-consent-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'en'))
const POLICY = `<html><style>p { color: red }</style>
{% if has_consented %}<p>Thank you, {{ user }}.</p>{% else %}<p>Be kind.</p>{% if not public_version %}
<form method="post" action="consent"><input name="v" value="{{ version }}"><input name="u" value="{{ user }}"><input name="h" value="{{ userhmac }}"></form>
{% endif %}{% endif %}</html>`
for (const version of ['1.0', '2.0']) writeFileSync(join(folder, 'en', `${version}.html`), POLICY)
writeFileSync(join(folder, 'en', 'success.html'), '<p>You have accepted.</p>')

const BLOCKS = 'Please accept the terms at %(consent_uri)s first'
const asking = (more: object = {}) =>
  ({ form_secret: 'secret', public_baseurl: 'https://a.example', user_consent: { template_dir: folder, version: '1.0', ...more } })
const atRegistration = (more: object = {}) => ({
  ...asking({ require_at_registration: true }), enable_registration: true, enable_registration_without_verification: true, ...more,
})

async function withHouse(overrides: Record<string, unknown>, work: (house: House) => Promise<void>): Promise<void> {
  const opened = await house(overrides)
  await work(opened)
  await opened.close()
}

const read = async ({ stranger }: House, path: string) => {
  const response = await stranger('GET', path)
  return { status: response.status, text: await response.text(), policy: response.headers.get('content-security-policy') }
}
const accept = async ({ app }: House, fields: Record<string, string>) => {
  const response = await app.handle(new Request('http://a.example/_matrix/consent', { method: 'POST', body: new URLSearchParams(fields) }))
  return { status: response.status, text: await response.text() }
}
/** HMAC-SHA256 of `@alice:a.example` under `secret`, as Synapse puts it into its links. */
const KEY = new Bun.CryptoHasher('sha256', 'secret').update('@alice:a.example').digest('hex')
const LINK = `/_matrix/consent?u=%40alice%3Aa.example&h=${KEY}`

describe('the page of the terms', () => {
  test('shows the version of today to anyone, or another by its name', () => withHouse(asking(), async (opened) => {
    for (const path of ['/_matrix/consent', '/_matrix/consent?v=2.0'])
      expect(await read(opened, path)).toMatchObject({ status: 200, text: expect.stringContaining('Be kind.') })
    expect((await read(opened, '/_matrix/consent')).text).not.toContain('<form')
  }))

  test('has a form for who comes by a link of this server, and remembers that they accept', () => withHouse(asking(), async (opened) => {
    const { text } = await read(opened, LINK)
    expect(text).toContain(`<input name="u" value="@alice:a.example"><input name="h" value="${KEY}">`)
    expect(await accept(opened, { v: '1.0', u: '@alice:a.example', h: KEY })).toEqual({ status: 200, text: '<p>You have accepted.</p>' })
    expect(findAcceptedTerms(opened.server.store, opened.alice.userId)).toBe('1.0')
    expect((await read(opened, LINK)).text).toContain('<p>Thank you, @alice:a.example.</p>')
    expect((await read(opened, `${LINK}&v=2.0`)).text).toContain('Be kind.')
  }))

  test.each([
    ['without a key', { u: '@alice:a.example' }, 403],
    ['with the key of another', { u: '@bob:a.example', h: KEY }, 403],
    ['for a version that there is not', { u: '@alice:a.example', h: KEY, v: '3.0' }, 404],
    ['for a file elsewhere', { u: '@alice:a.example', h: KEY, v: '../../../etc/passwd' }, 404],
  ])('takes nothing %s', (_says, fields, status) => withHouse(asking(), async (opened) => {
    const query = new URLSearchParams(fields as Record<string, string>)
    expect((await read(opened, `/_matrix/consent?${query}`)).status).toBe(status)
    expect((await accept(opened, fields as Record<string, string>)).status).toBe(status)
    for (const { userId } of [opened.alice, opened.bob]) expect(findAcceptedTerms(opened.server.store, userId)).toBeNull()
  }))

  test('knows nobody who is not there, with whatever key', () => withHouse(asking(), async (opened) => {
    const h = new Bun.CryptoHasher('sha256', 'secret').update('nobody').digest('hex')
    expect((await accept(opened, { u: 'nobody', h })).status).toBe(404)
  }))

  test('may have styles of its own, and no script', () => withHouse(asking(), async (opened) => {
    expect((await read(opened, '/_matrix/consent')).policy).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
  }))

  test('is not there where there are no terms', () => withHouse({}, async (opened) => {
    expect((await read(opened, '/_matrix/consent')).status).toBe(404)
  }))
})

describe('block_events_error', () => {
  const refused = {
    status: 403,
    body: {
      errcode: 'M_CONSENT_NOT_GIVEN',
      error: `Please accept the terms at https://a.example${LINK} first`,
      consent_uri: `https://a.example${LINK}`,
    },
  }

  test('keeps an account from saying anything until it has accepted the terms of today', () =>
    withHouse(asking({ block_events_error: BLOCKS }), async (opened) => {
      const { alice, bob, server } = opened
      expect(await alice.answer('POST', '/v3/createRoom', {})).toEqual(refused)
      await server.user(bob.userId).ask({ kind: 'acceptTerms', version: '1.0' }, 'test')
      const roomId = await makeRoom(bob, { preset: 'public_chat' })
      expect(await alice.answer('POST', inRoom(roomId, '/join'), {})).toEqual(refused)
      await accept(opened, { u: alice.userId, h: KEY })
      await done(alice, 'POST', inRoom(roomId, '/join'), {})
      await server.user(alice.userId).ask({ kind: 'acceptTerms', version: '0.9' }, 'test')
      expect(await alice.answer('PUT', inRoom(roomId, '/send/m.room.message/t1'), { body: 'hi', msgtype: 'm.text' })).toEqual(refused)
      expect(await alice.answer('PUT', inRoom(roomId, '/redact/%24x/t2'), {})).toEqual(refused)
      expect(await alice.answer('POST', inRoom(roomId, '/invite'), { user_id: bob.userId })).toEqual(refused)
      expect(await alice.answer('GET', '/v3/sync')).toMatchObject({ status: 200 })
      expect(await alice.answer('POST', inRoom(roomId, '/leave'), {})).toMatchObject({ status: 200 })
    }))

  test('blocks nothing where it is not set', () => withHouse(asking(), async ({ alice }) => {
    expect(await alice.answer('POST', '/v3/createRoom', {})).toMatchObject({ status: 200 })
  }))
})

describe('require_at_registration', () => {
  const POLICIES = {
    privacy_policy: { version: '1.0', en: { name: 'Privacy Policy', url: 'https://a.example/_matrix/consent?v=1.0' } },
  }
  const carol = { username: 'carol', password: 'open sesame' }

  test('asks whoever registers to accept, and remembers the version', () => withHouse(atRegistration(), async (opened) => {
    const asked = await opened.stranger.answer('POST', '/v3/register', carol)
    const { session } = asked.body
    expect(asked).toEqual({
      status: 401, body: { flows: [{ stages: ['m.login.terms'] }], params: { 'm.login.terms': { policies: POLICIES } }, session },
    })
    const made = await opened.stranger.answer('POST', '/v3/register', { ...carol, auth: { type: 'm.login.terms', session } })
    expect(made).toMatchObject({ status: 200, body: { user_id: '@carol:a.example' } })
    expect(findAcceptedTerms(opened.server.store, '@carol:a.example')).toBe('1.0')
  }))

  test('comes after the token, where there is one', () => withHouse({ ...atRegistration(), registration_requires_token: true }, async ({ stranger }) => {
    expect((await stranger.answer('POST', '/v3/register', carol)).body.flows).toEqual([{ stages: ['m.login.registration_token', 'm.login.terms'] }])
  }))

  test('has a page for clients that do not know the stage', () => withHouse(atRegistration(), async (opened) => {
    const { session } = (await opened.stranger.answer('POST', '/v3/register', carol)).body
    const path = `/_matrix/client/v3/auth/m.login.terms/fallback/web?session=${String(session)}`
    const { text } = await read(opened, path)
    expect(text).toContain('<a href="https://a.example/_matrix/consent?v=1.0" target="_blank" rel="noopener">Privacy Policy</a>')
    await opened.app.handle(new Request(`http://a.example${path}`, { method: 'POST', body: new URLSearchParams() }))
    expect(await opened.stranger.answer('POST', '/v3/register', { auth: { session } })).toMatchObject({ status: 200 })
  }))

  test('asks a guest who becomes a user', () => withHouse({ ...atRegistration(), allow_guest_access: true }, async (opened) => {
    const guest = (await opened.stranger.answer('POST', '/v3/register?kind=guest', {})).body
    const name = String(guest.user_id).slice(1, -':a.example'.length)
    const auth = { type: 'm.login.terms' }
    const body = { username: name, password: 'open sesame', guest_access_token: guest.access_token, auth }
    expect(await opened.stranger.answer('POST', '/v3/register', body)).toMatchObject({ status: 200 })
    expect(findAcceptedTerms(opened.server.store, guest.user_id as `@${string}:${string}`)).toBe('1.0')
  }))

  test('brings a user that an admin has made into the first rooms once they accept', () => withHouse(atRegistration({ auto_join_rooms: ['#hall:a.example'] }), async (opened) => {
    const { alice, server } = opened
    const roomId = await makeRoom(alice, { room_alias_name: 'hall', preset: 'public_chat' })
    const { createAccount } = await import('#http/new-account.ts')
    await createAccount(server, { localpart: 'dave', password: null, byAdmin: true }, 'test')
    const members = async () => Object.keys((await done(alice, 'GET', inRoom(roomId, '/joined_members'))).joined as object)
    expect(await members()).toEqual([alice.userId])
    const h = new Bun.CryptoHasher('sha256', 'secret').update('dave').digest('hex')
    expect((await accept(opened, { u: 'dave', h })).status).toBe(200)
    expect(await members()).toEqual([alice.userId, '@dave:a.example'])
  }))
})
