import { describe, expect, test } from 'bun:test'
import { hashPassword } from '#errands/hash-password.ts'
import { house, type House } from '#harness/house.ts'

const HASH = hashPassword('sesame', null)
const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'sesame' }

async function withAlice(work: (house: House) => Promise<void>): Promise<void> {
  const opened = await house()
  await opened.server.user(opened.alice.userId).ask({ kind: 'setPassword', passwordHash: await HASH }, 'test')
  await opened.login(opened.alice.userId, 'TV')
  await work(opened)
  await opened.close()
}
const idsOf = async ({ alice }: House) =>
  ((await alice.answer('GET', '/v3/devices')).body.devices as { device_id: string }[]).map(({ device_id }) => device_id)

describe('devices', () => {
  test('are listed, shown and renamed', () => withAlice(async ({ alice }) => {
    expect(await alice.answer('PUT', '/v3/devices/TV', { display_name: 'Telly' })).toEqual({ status: 200, body: {} })
    const television = { device_id: 'TV', user_id: alice.userId, display_name: 'Telly', last_seen_ts: expect.any(Number) }
    expect(await alice.answer('GET', '/v3/devices/TV')).toEqual({ status: 200, body: television })
    expect((await alice.answer('GET', '/v3/devices')).body).toMatchObject({ devices: [{ device_id: 'PHONE' }, television] })
  }))

  test.each([
    ['shown', 'GET', undefined],
    ['renamed', 'PUT', { display_name: 'x' }],
  ])('that are not there cannot be %s', (_says, method, body) => withAlice(async ({ alice }) => {
    expect(await alice.answer(method, '/v3/devices/OTHER', body)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  }))
})

describe('DELETE devices', () => {
  test('wants the password, also where no body is sent', () => withAlice(async (opened) => {
    const { alice } = opened
    expect(await alice.answer('DELETE', '/v3/devices/TV')).toEqual({
      status: 401, body: { flows: [{ stages: ['m.login.password'] }], params: {}, session: expect.any(String) },
    })
    expect(await idsOf(opened)).toEqual(['PHONE', 'TV'])
    expect(await alice.answer('DELETE', '/v3/devices/TV', { auth })).toEqual({ status: 200, body: {} })
    expect(await idsOf(opened)).toEqual(['PHONE'])
    expect(await alice.answer('DELETE', '/v3/devices/TV', { auth })).toEqual({ status: 200, body: {} })
  }))

  test('takes only the owner’s', () => withAlice(async (opened) => {
    await opened.server.user(opened.bob.userId).ask({ kind: 'setPassword', passwordHash: await HASH }, 'test')
    const bobs = { ...auth, identifier: { type: 'm.id.user', user: 'bob' } }
    expect(await opened.alice.answer('DELETE', '/v3/devices/TV', { auth: bobs })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await idsOf(opened)).toEqual(['PHONE', 'TV'])
  }))

  test('G-81: a session for one device does not remove another', () => withAlice(async (opened) => {
    const { body: { session } } = await opened.alice.answer('DELETE', '/v3/devices/TV', {})
    expect(await opened.alice.answer('DELETE', '/v3/devices/PHONE', { auth: { ...auth, session } })).toMatchObject({ status: 403 })
    expect(await idsOf(opened)).toEqual(['PHONE', 'TV'])
  }))
})

describe('delete_devices', () => {
  test('removes several, once the password is given', () => withAlice(async (opened) => {
    const { alice, login } = opened
    await login(alice.userId, 'LAPTOP')
    const devices = ['TV', 'LAPTOP', 'UNKNOWN']
    const { body: { session } } = await alice.answer('POST', '/v3/delete_devices', { devices })
    expect(await alice.answer('POST', '/v3/delete_devices', { devices, auth: { ...auth, session } })).toEqual({ status: 200, body: {} })
    expect(await idsOf(opened)).toEqual(['PHONE'])
  }))

  test('G-81: the list stays as it was agreed to', () => withAlice(async (opened) => {
    const { body: { session } } = await opened.alice.answer('POST', '/v3/delete_devices', { devices: ['TV'] })
    expect(await opened.alice.answer('POST', '/v3/delete_devices', { devices: ['PHONE'], auth: { ...auth, session } })).toMatchObject({ status: 403 })
  }))
})
