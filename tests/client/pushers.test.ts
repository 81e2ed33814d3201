import { describe, expect, test } from 'bun:test'
import { deviceIdOf } from '#schema/identifiers.ts'
import { type Caller, house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'
import { PUSHER_LIMIT } from '#store/pushers.ts'

const pusher = {
  kind: 'http',
  app_id: 'org.example.app',
  pushkey: 'key',
  app_display_name: 'App',
  device_display_name: 'Phone',
  profile_tag: 'tag',
  lang: 'en',
  data: { url: 'https://push.example/_matrix/push/v1/notify', format: 'event_id_only', custom: [1] },
}
const { kind: _kind, ...rest } = pusher
const shown = { enabled: true, 'org.matrix.msc3881.enabled': true, device_id: 'PHONE', 'org.matrix.msc3881.device_id': 'PHONE' }
const SET = '/v3/pushers/set'
const pushersOf = async (caller: Caller): Promise<unknown> => (await done(caller, 'GET', '/v3/pushers')).pushers

describe('pushers', () => {
  test('are made, changed and deleted', async () => {
    const { alice } = await house()
    expect(await pushersOf(alice)).toEqual([])
    expect(await done(alice, 'POST', SET, pusher)).toEqual({})
    expect(await pushersOf(alice)).toEqual([{ ...pusher, ...shown }])
    await done(alice, 'POST', SET, { ...pusher, lang: 'de', enabled: false })
    expect(await pushersOf(alice)).toEqual([{ ...pusher, ...shown, lang: 'de', enabled: false, 'org.matrix.msc3881.enabled': false }])
    await done(alice, 'POST', SET, { ...pusher, 'org.matrix.msc3881.enabled': true })
    expect(await pushersOf(alice)).toEqual([{ ...pusher, ...shown }])
    await done(alice, 'POST', SET, { kind: null, app_id: pusher.app_id, pushkey: pusher.pushkey })
    expect(await pushersOf(alice)).toEqual([])
  })

  test('of others with the same key go, unless it is added to them', async () => {
    const { alice, bob } = await house()
    await done(alice, 'POST', SET, pusher)
    await done(bob, 'POST', SET, { ...pusher, append: true })
    expect([await pushersOf(alice), await pushersOf(bob)]).toEqual([[{ ...pusher, ...shown }], [{ ...pusher, ...shown }]])
    await done(bob, 'POST', SET, pusher)
    expect([await pushersOf(alice), await pushersOf(bob)]).toEqual([[], [{ ...pusher, ...shown }]])
  })

  test('go with the device that set them', async () => {
    const { alice, server, login } = await house()
    const tablet = await login(alice.userId, deviceIdOf('TABLET'))
    await done(alice, 'POST', SET, pusher)
    await done(tablet, 'POST', SET, { ...pusher, pushkey: 'other' })
    await done(tablet, 'POST', '/v3/logout', {})
    await server.settled()
    expect(await pushersOf(alice)).toEqual([{ ...pusher, ...shown }])
  })

  test('go with the account', async () => {
    const { alice, server } = await house()
    await done(alice, 'POST', SET, pusher)
    await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    expect(server.store.db.query('SELECT count(*) AS count FROM pushers').get()).toEqual({ count: 0 })
  })

  test(`are at most ${PUSHER_LIMIT}: the one set longest ago goes`, async () => {
    const { alice } = await house()
    for (let index = 0; index <= PUSHER_LIMIT; index++) await done(alice, 'POST', SET, { ...pusher, pushkey: `key ${index}` })
    const keys = ((await pushersOf(alice)) as { pushkey: string }[]).map(({ pushkey }) => pushkey)
    expect([keys.length, keys[0], keys.at(-1)]).toEqual([PUSHER_LIMIT, 'key 1', `key ${PUSHER_LIMIT}`])
  })

  test.each([
    ['a pushkey of 513 bytes', { ...pusher, pushkey: `${'ü'.repeat(256)}x` }, 'M_INVALID_PARAM'],
    ['an empty pushkey', { ...pusher, pushkey: '' }, 'M_INVALID_PARAM'],
    ['an app_id of 65 characters', { ...pusher, app_id: 'x'.repeat(65) }, 'M_INVALID_PARAM'],
    ['a kind that is not there', { ...pusher, kind: 'pigeon' }, 'M_INVALID_PARAM'],
    ['mail, which this server does not send', { ...pusher, kind: 'email' }, 'M_INVALID_PARAM'],
    ['no kind', rest, 'M_MISSING_PARAM'],
    ['no language', { ...pusher, lang: undefined }, 'M_MISSING_PARAM'],
    ['no address', { ...pusher, data: {} }, 'M_MISSING_PARAM'],
    ['an address that is none', { ...pusher, data: { url: 'gateway' } }, 'M_INVALID_PARAM'],
    ['an address that is no HTTP', { ...pusher, data: { url: 'ftp://push.example/_matrix/push/v1/notify' } }, 'M_INVALID_PARAM'],
    ['another path', { ...pusher, data: { url: 'https://push.example/notify' } }, 'M_INVALID_PARAM'],
    ['data that are too large', { ...pusher, data: { ...pusher.data, more: 'x'.repeat(9_000) } }, 'M_INVALID_PARAM'],
    ['a number for a name', { ...pusher, app_display_name: 1 }, 'M_BAD_JSON'],
  ])('refuse %s', async (_says, body, errcode) => {
    const { alice } = await house()
    expect(await alice.answer('POST', SET, body)).toMatchObject({ status: 400, body: { errcode } })
    expect(await pushersOf(alice)).toEqual([])
  })

  test('take keys at the limit', async () => {
    const { alice } = await house()
    await done(alice, 'POST', SET, { ...pusher, pushkey: 'ü'.repeat(256), app_id: 'x'.repeat(64) })
    expect(await pushersOf(alice)).toHaveLength(1)
  })
})
