import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ALGORITHMS_PER_DEVICE } from '#actors/device/keys.ts'
import { DEVICE_DATA_LIMIT_BYTES } from '#client/dehydrated-device.ts'
import { deviceKeysOf, oneTimeKeysOf } from '#harness/encryption-keys.ts'
import { type Caller, type House, house } from '#harness/house.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const DEVICE = '/unstable/org.matrix.msc3814.v1/dehydrated_device'
const data = { algorithm: 'org.matrix.msc3814.v2', device_pickle: 'secret' }
const upload = (who: Caller, device_id: string, more: object = {}) => ({
  device_id,
  device_data: data,
  initial_device_display_name: 'Dehydrated device',
  device_keys: deviceKeysOf(who.userId, device_id),
  one_time_keys: oneTimeKeysOf(who.userId, device_id, 1, 2),
  fallback_keys: oneTimeKeysOf(who.userId, device_id, 9, 9, { fallback: true }),
  ...more,
})
const manyAlgorithms = Object.fromEntries(Array.from({ length: ALGORITHMS_PER_DEVICE + 1 }, (_, index) => [`own-${index}:1`, 'key']))
const devicesOf = async (who: Caller): Promise<string[]> =>
  ((await who.answer('GET', '/v3/devices')).body.devices as { device_id: string }[]).map(({ device_id }) => device_id)
const send = (to: Caller, device: string, n: number) =>
  here.bob.answer('PUT', `/v3/sendToDevice/my.type/${to.userId}${n}`, { messages: { [to.userId]: { [device]: { n } } } })
type Page = { events: { content: { n: number } }[]; next_batch?: string }
const numbers = ({ events }: Page): number[] => events.map(({ content }) => content.n)

describe('a dehydrated device', () => {
  test('is stored, shown, and stands among the devices with its keys', async () => {
    const alice = await here.register('stores')
    expect(await alice.answer('GET', DEVICE)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))).toEqual({ status: 200, body: { device_id: 'SLEEPER' } })
    expect((await alice.answer('GET', DEVICE)).body).toEqual({ device_id: 'SLEEPER', device_data: data })
    expect(await devicesOf(alice)).toEqual(['PHONE', 'SLEEPER'])
    const { body } = await here.bob.answer('POST', '/v3/keys/claim', { one_time_keys: { [alice.userId]: { SLEEPER: 'signed_curve25519' } } })
    expect(body.one_time_keys).toEqual({ [alice.userId]: { SLEEPER: oneTimeKeysOf(alice.userId, 'SLEEPER', 1, 1) } })
  })

  test('takes the place of the one before', async () => {
    const alice = await here.register('replaces')
    for (const id of ['ONE', 'TWO', 'TWO']) await alice.answer('PUT', DEVICE, upload(alice, id))
    expect((await alice.answer('GET', DEVICE)).body.device_id).toBe('TWO')
    expect(await devicesOf(alice)).toEqual(['PHONE', 'TWO'])
  })

  test('is deleted with everything that waits for it', async () => {
    const alice = await here.register('deletes')
    await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))
    expect(await alice.answer('DELETE', DEVICE)).toEqual({ status: 200, body: { device_id: 'SLEEPER' } })
    expect(await alice.answer('DELETE', DEVICE)).toMatchObject({ status: 404 })
    expect([await devicesOf(alice), (await alice.answer('GET', DEVICE)).status]).toEqual([['PHONE'], 404])
  })

  test('is gone when it is removed like any other device', async () => {
    const alice = await here.register('loggedout')
    await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))
    await alice.answer('POST', '/v3/logout/all', {})
    expect((await (await here.login(alice.userId, 'NEW')).answer('GET', DEVICE)).status).toBe(404)
  })

  test.each([
    ['the id of a device in use', (who: Caller) => upload(who, who.deviceId), 403, 'M_FORBIDDEN'],
    ['no keys', (who: Caller) => ({ device_id: 'X', device_data: data, who: who.userId }), 400, 'M_MISSING_PARAM'],
    ['keys of another device', (who: Caller) => upload(who, 'X', { device_keys: deviceKeysOf(who.userId, 'Y') }), 400, 'M_BAD_JSON'],
    ['forged keys', (who: Caller) => upload(who, 'X', { device_keys: { ...deviceKeysOf(who.userId, 'X'), more: 1 } }), 400, 'M_INVALID_PARAM'],
    ['more keys than a device may have', (who: Caller) => upload(who, 'X', { one_time_keys: manyAlgorithms }), 400, 'M_INVALID_PARAM'],
    ['a name that is too long', (who: Caller) => upload(who, 'X', { initial_device_display_name: 'x'.repeat(101) }), 400, 'M_INVALID_PARAM'],
    ['data that is too large', (who: Caller) => upload(who, 'X', { device_data: { ...data, more: 'x'.repeat(DEVICE_DATA_LIMIT_BYTES) } }), 413, 'M_TOO_LARGE'],
    ['no data', (who: Caller) => upload(who, 'X', { device_data: undefined }), 400, 'M_MISSING_PARAM'],
  ])('with %s is refused, and the one before stays', async (says, body, status, errcode) => {
    const alice = await here.register(`refused${Bun.hash.crc32(says)}`)
    await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))
    expect(await alice.answer('PUT', DEVICE, body(alice))).toMatchObject({ status, body: { errcode } })
    expect([(await alice.answer('GET', DEVICE)).body.device_id, await devicesOf(alice)]).toEqual(['SLEEPER', ['PHONE', 'SLEEPER']])
  })
})

describe('its messages', () => {
  test('are read page by page, as often as anyone likes, until the device is deleted', async () => {
    const alice = await here.register('rehydrates')
    await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))
    const all = Array.from({ length: 130 }, (_, index) => index)
    for (const n of all) await send(alice, 'SLEEPER', n)
    for (let round = 0; round < 2; round++) {
      const read: number[][] = []
      let next: string | undefined
      do {
        const page: Page = (await alice.answer('POST', `${DEVICE}/SLEEPER/events`, next === undefined ? {} : { next_batch: next })).body as Page
        read.push(numbers(page))
        next = page.next_batch
      } while (read.at(-1)?.length !== 0)
      expect([read.flat(), read.map(({ length }) => length)]).toEqual([all, [100, 30, 0]])
    }
  })

  test('by GET name a next page only when there is one', async () => {
    const alice = await here.register('gets')
    await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))
    for (let n = 0; n < 101; n++) await send(alice, 'SLEEPER', n)
    const first = (await alice.answer('GET', `${DEVICE}/SLEEPER/events`)).body as Page
    const second = (await alice.answer('GET', `${DEVICE}/SLEEPER/events?from=${first.next_batch}`)).body as Page
    expect([first.events.length, numbers(second), second.next_batch]).toEqual([100, [100], undefined])
  })

  test.each([
    ['a device of another user', (path: string) => here.bob.answer('POST', path, {}), 'M_FORBIDDEN'],
    ['a token of something else', async (path: string, who: Caller) => who.answer('POST', path, { next_batch: 's1_2_3' }), 'M_INVALID_PARAM'],
  ])('of %s are not shown', async (says, ask, errcode) => {
    const alice = await here.register(`hidden${Bun.hash.crc32(says)}`)
    await alice.answer('PUT', DEVICE, upload(alice, 'SLEEPER'))
    expect((await ask(`${DEVICE}/SLEEPER/events`, alice)).body.errcode).toBe(errcode)
  })
})
