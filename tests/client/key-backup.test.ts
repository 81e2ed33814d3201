import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { BACKED_UP_KEY_LIMIT_BYTES, KEYS_PER_REQUEST } from '#client/key-backup.ts'
import { type Caller, type House, house } from '#harness/house.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const VERSION = '/v3/room_keys/version'
const KEYS = '/v3/room_keys/keys'
const ROOM = '!den:a.example'
const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'
const create = async (who: Caller, auth_data: object = { public_key: 'abc' }): Promise<string> =>
  (await who.answer('POST', VERSION, { algorithm, auth_data })).body.version as string
const session = (first_message_index: number, data: unknown = 'secret') =>
  ({ first_message_index, forwarded_count: 0, is_verified: false, session_data: { ciphertext: data } })
const put = (who: Caller, version: string, path: string, body: object) => who.answer('PUT', `${KEYS}${path}?version=${version}`, body)
const get = (who: Caller, version: string, path = '') => who.answer('GET', `${KEYS}${path}?version=${version}`)
const remove = (who: Caller, version: string, path = '') => who.answer('DELETE', `${KEYS}${path}?version=${version}`)

describe('backups', () => {
  test('are made, shown, changed and deleted; the newest is the current one', async () => {
    const alice = await here.register('versions')
    expect(await alice.answer('GET', VERSION)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    const [first, second] = [await create(alice), await create(alice)]
    const shown = { algorithm, auth_data: { public_key: 'abc' }, count: 0, etag: '0' }
    expect((await alice.answer('GET', VERSION)).body).toEqual({ ...shown, version: second })
    expect((await alice.answer('GET', `${VERSION}/${first}`)).body).toEqual({ ...shown, version: first })
    const changed = { algorithm, auth_data: { public_key: 'def' }, version: second }
    expect(await alice.answer('PUT', `${VERSION}/${second}`, changed)).toEqual({ status: 200, body: {} })
    expect((await alice.answer('GET', VERSION)).body.auth_data).toEqual({ public_key: 'def' })
    for (let count = 0; count < 2; count++) expect((await alice.answer('DELETE', `${VERSION}/${second}`)).status).toBe(200)
    expect((await alice.answer('GET', `${VERSION}/${second}`)).status).toBe(404)
    expect((await alice.answer('GET', VERSION)).body.version).toBe(first)
  })

  test.each([
    ['another algorithm', { algorithm: 'm.other', auth_data: {} }, 400, 'M_INVALID_PARAM'],
    ['the version of another one', { algorithm, auth_data: {}, version: '9' }, 400, 'M_INVALID_PARAM'],
    ['no auth data', { algorithm }, 400, 'M_MISSING_PARAM'],
  ])('cannot be given %s', async (_says, body, status, errcode) => {
    const alice = await here.register(`change${errcode.length}${status}${Object.keys(body).length}${body.algorithm.length}`)
    const version = await create(alice)
    expect(await alice.answer('PUT', `${VERSION}/${version}`, body)).toMatchObject({ status, body: { errcode } })
  })

  test.each(['GET', 'PUT', 'DELETE'])('that are not there cannot be reached by %s', async (method) => {
    const body = method === 'PUT' ? { algorithm, auth_data: {} } : undefined
    for (const version of ['9', 'bogus']) expect((await here.alice.answer(method, `${VERSION}/${version}`, body)).body.errcode).toBe('M_NOT_FOUND')
  })

  test('of others are out of reach', async () => {
    const alice = await here.register('private')
    const version = await create(alice)
    expect((await get(here.bob, version)).status).toBe(404)
  })
})

describe('keys', () => {
  test('are stored by one, by room and all at once, and read back likewise', async () => {
    const alice = await here.register('stores')
    const version = await create(alice)
    const slashed = 'session/with+slash'
    expect((await put(alice, version, `/${ROOM}/${encodeURIComponent(slashed)}`, session(1))).body).toEqual({ etag: '1', count: 1 })
    expect((await put(alice, version, `/${ROOM}`, { sessions: { s2: session(2), s3: session(3) } })).body).toEqual({ etag: '2', count: 3 })
    expect((await put(alice, version, '', { rooms: { '!other': { sessions: { s4: session(4) } } } })).body).toEqual({ etag: '3', count: 4 })
    expect((await get(alice, version, `/${ROOM}/${encodeURIComponent(slashed)}`)).body).toEqual(session(1))
    const den = { sessions: { [slashed]: session(1), s2: session(2), s3: session(3) } }
    expect((await get(alice, version, `/${ROOM}`)).body).toEqual(den)
    expect((await get(alice, version)).body).toEqual({ rooms: { [ROOM]: den, '!other': { sessions: { s4: session(4) } } } })
    expect((await alice.answer('GET', VERSION)).body).toMatchObject({ etag: '3', count: 4 })
  })

  test('are read back whole, however many there are, and room by room', async () => {
    const alice = await here.register('large')
    const version = await create(alice)
    const sessions = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`s${String(index).padStart(4, '0')}`, session(index)]))
    const rooms = Object.fromEntries(['!a', '!b', '!c'].map((roomId) => [roomId, { sessions }]))
    expect((await put(alice, version, '', { rooms })).body).toEqual({ etag: '1', count: 1_800 })
    expect((await get(alice, version)).body).toEqual({ rooms })
    expect((await get(alice, version, '/!b')).body).toEqual({ sessions })
  })

  test('come in so many at once and no more', async () => {
    const alice = await here.register('flood')
    const version = await create(alice)
    const sessions = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, session(0, '')]))
    expect(await put(alice, version, '/!a', { sessions: sessions(KEYS_PER_REQUEST + 1) })).toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } })
    expect((await put(alice, version, '/!a', { sessions: sessions(KEYS_PER_REQUEST) })).body).toEqual({ etag: '1', count: KEYS_PER_REQUEST })
  })

  test('are replaced by better ones only, and the etag says whether anything changed', async () => {
    const alice = await here.register('better')
    const version = await create(alice)
    const at = async (index: number, more: object = {}) => (await put(alice, version, `/${ROOM}/s`, { ...session(index), ...more })).body
    expect(await at(2)).toEqual({ etag: '1', count: 1 })
    expect(await at(3)).toEqual({ etag: '1', count: 1 })
    expect(await at(1)).toEqual({ etag: '2', count: 1 })
    expect(await at(5, { is_verified: true })).toEqual({ etag: '3', count: 1 })
    expect((await get(alice, version, `/${ROOM}/s`)).body).toMatchObject({ first_message_index: 5, is_verified: true })
  })

  test('that come at the same time from many devices are all there, the best of each', async () => {
    const alice = await here.register('parallel')
    const version = await create(alice)
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) =>
      put(alice, version, `/${ROOM}`, { sessions: { shared: session(index), [`own${index}`]: session(0) } })))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect((await alice.answer('GET', VERSION)).body.count).toBe(13)
    expect((await get(alice, version, `/${ROOM}/shared`)).body).toEqual(session(0))
  })

  test('are deleted by one, by room and all at once', async () => {
    const alice = await here.register('deletes')
    const version = await create(alice)
    await put(alice, version, '', { rooms: { [ROOM]: { sessions: { a: session(1), b: session(1), c: session(1) } }, '!other': { sessions: { d: session(1) } } } })
    expect((await remove(alice, version, `/${ROOM}/a`)).body).toEqual({ etag: '2', count: 3 })
    expect((await remove(alice, version, `/${ROOM}/a`)).body).toEqual({ etag: '2', count: 3 })
    expect((await remove(alice, version, `/${ROOM}`)).body).toEqual({ etag: '3', count: 1 })
    expect((await remove(alice, version)).body).toEqual({ etag: '4', count: 0 })
    expect((await get(alice, version)).body).toEqual({ rooms: {} })
  })

  test('of an empty backup are none, and a single one is not found', async () => {
    const alice = await here.register('empty')
    const version = await create(alice)
    expect((await get(alice, version)).body).toEqual({ rooms: {} })
    expect((await get(alice, version, '/!none')).body).toEqual({ sessions: {} })
    expect(await get(alice, version, '/!none/s')).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  })

  test('go into the current backup only', async () => {
    const alice = await here.register('current')
    const [first, second] = [await create(alice), await create(alice)]
    expect(await put(alice, first, `/${ROOM}/s`, session(1))).toEqual({
      status: 403,
      body: { errcode: 'M_WRONG_ROOM_KEYS_VERSION', error: expect.any(String), current_version: second },
    })
    expect(await put(alice, '9', `/${ROOM}/s`, session(1))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  })

  test('are gone with their backup; the next one is empty', async () => {
    const alice = await here.register('recreates')
    const first = await create(alice)
    await put(alice, first, `/${ROOM}/s`, session(1))
    await alice.answer('DELETE', `${VERSION}/${first}`)
    const second = await create(alice)
    expect([second === first, (await get(alice, second)).body]).toEqual([false, { rooms: {} }])
  })

  test.each([
    ['without version', `/${ROOM}/s`, session(1), 'M_MISSING_PARAM', false],
    ['without data', `/${ROOM}/s`, { first_message_index: 1 }, 'M_MISSING_PARAM', true],
    ['with an index that is no number', `/${ROOM}/s`, { ...session(1), first_message_index: 'x' }, 'M_BAD_JSON', true],
    ['whose id is empty', `/${ROOM}`, { sessions: { '': session(1) } }, 'M_INVALID_PARAM', true],
    ['whose id is too long', `/${ROOM}`, { sessions: { ['x'.repeat(256)]: session(1) } }, 'M_INVALID_PARAM', true],
    ['that are more than a key may be', `/${ROOM}/s`, session(1, 'x'.repeat(BACKED_UP_KEY_LIMIT_BYTES)), 'M_TOO_LARGE', true],
    ['of what is no room', '', { rooms: { den: { sessions: { s: session(1) } } } }, 'M_INVALID_PARAM', true],
  ])('%s are refused', async (says, path, body, errcode, isVersioned) => {
    const alice = await here.register(`bad${Bun.hash.crc32(says)}`)
    const version = await create(alice)
    const answer = isVersioned ? await put(alice, version, path, body) : await alice.answer('PUT', `${KEYS}${path}`, body)
    expect(answer).toMatchObject({ status: errcode === 'M_TOO_LARGE' ? 413 : 400, body: { errcode } })
    expect((await get(alice, version)).body).toEqual({ rooms: {} })
  })
})
