import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'

const refused = (status: number, errcode: string) => ({ status, body: { errcode } })

describe.each<[string, (userId: string) => string]>([
  ['suspended', (userId) => `/v1/admin/suspend/${userId}`],
  ['locked', (userId) => `/v1/admin/lock/${userId}`],
  ['suspended', (userId) => `/unstable/uk.timedout.msc4323/admin/suspend/${userId}`],
  ['locked', (userId) => `/unstable/uk.timedout.msc4323/admin/lock/${userId}`],
])('%s', (key, path) => {

  test('is seen and changed by admins', async () => {
    const { bob, register } = await house()
    const root = await register('root', { isAdmin: true })
    expect(await root.answer('GET', path(bob.userId))).toEqual({ status: 200, body: { [key]: false } })
    for (const value of [true, true, false]) {
      expect(await root.answer('PUT', path(bob.userId), { [key]: value })).toEqual({ status: 200, body: { [key]: value } })
      expect(await root.answer('GET', path(bob.userId))).toEqual({ status: 200, body: { [key]: value } })
    }
  })

  test('is refused to others, for admins, and for users who are not here', async () => {
    const { server, alice, bob, register } = await house()
    const [root, other] = [await register('root', { isAdmin: true }), await register('other', { isAdmin: true })]
    const gone = await register('gone')
    await server.user(gone.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    const put = (who: Caller, userId: string) => who.answer('PUT', path(userId), { [key]: true })
    expect(await put(alice, bob.userId)).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await alice.answer('GET', path(alice.userId))).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await put(root, root.userId)).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await put(root, other.userId)).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await put(root, '@charlie:b.example')).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    expect(await put(root, '@nobody:a.example')).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await put(root, gone.userId)).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await root.answer('PUT', path(bob.userId), { [key]: 'yes' })).toMatchObject(refused(400, 'M_BAD_JSON'))
  })
})

test('a locked account can but log out, and works again when it is unlocked', async () => {
  const { alice, register } = await house()
  const root = await register('root', { isAdmin: true })
  await done(root, 'PUT', `/v1/admin/lock/${alice.userId}`, { locked: true })
  expect(await alice.answer('GET', '/v3/account/whoami')).toEqual({
    status: 401, body: { errcode: 'M_USER_LOCKED', error: expect.any(String), soft_logout: true },
  })
  await done(root, 'PUT', `/v1/admin/lock/${alice.userId}`, { locked: false })
  expect((await alice.answer('GET', '/v3/account/whoami')).status).toBe(200)
  await done(root, 'PUT', `/v1/admin/lock/${alice.userId}`, { locked: true })
  expect((await alice.answer('POST', '/v3/logout', {})).status).toBe(200)
})

describe('whois', () => {
  test('tells users about themselves, and admins about everyone here', async () => {
    const clock = manualClock()
    const { server, alice, register } = await house({}, { clock })
    const root = await register('root', { isAdmin: true })
    clock.advance(60 * 60_000)
    const connection = { ip: '127.0.0.1', last_seen: clock.now() }
    await alice.answer('GET', '/v3/account/whoami')
    await server.settled()
    const expected = { user_id: alice.userId, devices: { PHONE: { sessions: [{ connections: [connection] }] } } }
    for (const who of [alice, root]) expect(await who.answer('GET', `/v3/admin/whois/${alice.userId}`)).toEqual({ status: 200, body: expected })
  })

  test('tells nobody else, and nothing about users of other servers', async () => {
    const { alice, bob, register } = await house()
    const root = await register('root', { isAdmin: true })
    expect(await bob.answer('GET', `/v3/admin/whois/${alice.userId}`)).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await root.answer('GET', '/v3/admin/whois/@charlie:b.example')).toMatchObject(refused(400, 'M_INVALID_PARAM'))
    expect(await root.answer('GET', '/v3/admin/whois/@nobody:a.example')).toMatchObject(refused(404, 'M_NOT_FOUND'))
  })
})
