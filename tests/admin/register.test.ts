import { describe, expect, test } from 'bun:test'

import { NONCE_LIFETIME_MS, NONCE_LIMIT, register, registrationMac } from '#admin/register.ts'
import { homeserverDoor } from '#admin/homeserver-door.ts'
import { manualClock } from '#actors/kernel/clock.ts'
import { fakeDoor } from '#harness/fake-server.ts'
import { house } from '#harness/house.ts'
import { findSession } from '#store/access-tokens.ts'
import { findProfileField } from '#store/profiles.ts'

const REGISTER = 'http://a.example/_synapse/admin/v1/register'
const SECRET = 'a shared secret'

type Answer = { status: number; body: Record<string, unknown> }
type Fields = { username: string; password: string; admin?: boolean; user_type?: string; [more: string]: unknown }

function endpoint(secret: string | null = SECRET) {
  const clock = { now: 1_000_000 }
  const door = fakeDoor()
  const bugs: unknown[] = []
  const routes = register({ door, secret, now: () => clock.now, bug: (error) => void bugs.push(error) })
  const answerOf = async (response: Response): Promise<Answer> =>
    ({ status: response.status, body: (await response.json()) as Record<string, unknown> })
  const post = async (body: object): Promise<Answer> =>
    answerOf(await routes.handle(new Request(REGISTER, { method: 'POST', body: JSON.stringify(body) })))
  const get = async (): Promise<Answer> => answerOf(await routes.handle(new Request(REGISTER)))
  const nonce = async (): Promise<string> => String((await get()).body['nonce'])
  const send = async (fields: Fields): Promise<Answer> => {
    const signed = { ...fields, nonce: await nonce() }
    return post({ ...signed, mac: registrationMac(SECRET, signed) })
  }
  return { clock, door, bugs, get, nonce, post, send }
}

const alice = { username: 'alice', password: 'correct horse' }

describe('registration by shared secret', () => {
  test('makes an account and logs it in', async () => {
    const { send, door } = endpoint()
    expect(await send({ ...alice, admin: true, displayname: 'Alice', device_id: 'LAPTOP' })).toEqual({
      status: 200,
      body: { user_id: '@alice:a.example', home_server: 'a.example', access_token: 'token', device_id: 'LAPTOP' },
    })
    expect(door.users.get('@alice:a.example')).toMatchObject({ isAdmin: true, displayname: 'Alice', password: 'correct horse' })
  })

  test('makes no admin of who is not signed as one', async () => {
    const { post, nonce, door } = endpoint()
    const fields = { ...alice, nonce: await nonce() }
    const mac = registrationMac(SECRET, fields)
    expect(await post({ ...fields, admin: true, mac })).toEqual({ status: 403, body: { errcode: 'M_FORBIDDEN', error: 'HMAC incorrect' } })
    expect(door.users.size).toBe(0)
  })

  test('does not log in who does not want it', async () => {
    const { send } = endpoint()
    expect((await send({ ...alice, inhibit_login: true })).body).toEqual({ user_id: '@alice:a.example', home_server: 'a.example' })
  })

  test('signs the kind of user too', async () => {
    const { send, door } = endpoint()
    expect((await send({ ...alice, user_type: 'bot' })).status).toBe(200)
    expect(door.users.size).toBe(1)
  })

  test('names are small letters', async () => {
    const { send } = endpoint()
    expect((await send({ ...alice, username: 'Alice' })).body['user_id']).toBe('@alice:a.example')
  })

  test('says when a name is taken', async () => {
    const { send } = endpoint()
    await send(alice)
    expect(await send(alice)).toMatchObject({ status: 400, body: { errcode: 'M_USER_IN_USE' } })
  })

  test('takes a nonce once', async () => {
    const { nonce, post } = endpoint()
    const fields = { ...alice, nonce: await nonce() }
    const signed = { ...fields, mac: registrationMac(SECRET, fields) }
    expect((await post(signed)).status).toBe(200)
    expect((await post(signed)).body).toEqual({ errcode: 'M_UNKNOWN', error: 'This nonce is unknown, used or too old; ask for another' })
  })

  test('takes a nonce for a minute', async () => {
    const { nonce, post, clock } = endpoint()
    const [early, late] = [await nonce(), await nonce()]
    const signed = (given: string, username: string) => {
      const fields = { ...alice, username, nonce: given }
      return { ...fields, mac: registrationMac(SECRET, fields) }
    }
    clock.now += NONCE_LIFETIME_MS
    expect((await post(signed(early, 'alice'))).status).toBe(200)
    clock.now += 1
    expect((await post(signed(late, 'bob'))).status).toBe(400)
  })

  test('forgets the oldest nonce when there are too many', async () => {
    const { nonce, send, post } = endpoint()
    const fields = { ...alice, nonce: await nonce() }
    for (let count = 0; count < NONCE_LIMIT; count++) await nonce()
    expect((await post({ ...fields, mac: registrationMac(SECRET, fields) })).status).toBe(400)
    expect((await send(alice)).status).toBe(200)
  })

  test.each([
    ['no secret is set', null, {}, 'M_UNKNOWN'],
    ['something is missing', SECRET, { username: 'alice' }, 'M_MISSING_PARAM'],
    ['the password is no text', SECRET, { ...alice, password: 7, nonce: '', mac: '' }, 'M_BAD_JSON'],
    ['the nonce is made up', SECRET, { ...alice, nonce: 'made up', mac: '' }, 'M_UNKNOWN'],
  ])('is refused when %s', async (_, secret, body, errcode) => {
    expect(await endpoint(secret).post(body)).toMatchObject({ status: 400, body: { errcode } })
  })

  test('NUL cannot move a role into the name', async () => {
    const { send } = endpoint()
    expect(await send({ username: 'alice\0x', password: 'y' })).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('the HMAC is SHA-1 over the fields parted by NUL', () => {
    const hasher = new Bun.CryptoHasher('sha1', 'key').update('n\0alice\0pass\0notadmin')
    expect(registrationMac('key', { nonce: 'n', username: 'alice', password: 'pass' })).toBe(hasher.digest('hex'))
  })

  test('who is given no other name is called by that of the account', async () => {
    const { server, close } = await house()
    const made = { password: null, admin: false, userType: null }
    await homeserverDoor(server).createUser({ ...made, localpart: 'carol', displayname: null })
    await homeserverDoor(server).createUser({ ...made, localpart: 'dave', displayname: 'Dave' })
    expect((['@carol:a.example', '@dave:a.example'] as const).map((userId) => findProfileField(server.store, userId, 'displayname')))
      .toEqual(['carol', 'Dave'])
    await close()
  })

  test('its token lasts as long as any other', async () => {
    const clock = manualClock()
    const { server, alice: { userId }, close } = await house({ nonrefreshable_access_token_lifetime: '1h' }, { clock })
    const { accessToken } = await homeserverDoor(server).startSession({ userId, deviceId: null, displayName: null })
    expect(findSession(server.store, accessToken)?.expiresTs).toBe(clock.now() + 3_600_000)
    await close()
  })
})
