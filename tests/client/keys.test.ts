import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { DEVICES_PER_CLAIM, USERS_PER_QUERY } from '#client/keys.ts'
import { deactivateAccount } from '#http/deactivation.ts'
import { curve25519Key, deviceKeysOf, oneTimeKeysOf, signedBy } from '#harness/encryption-keys.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(async () => {
  const broken = countBrokenInvariants(here.server.store)
  await here.close()
  expect([...broken.values()]).toEqual([0, 0])
})

type Lists = { changed: string[]; left: string[] }
type Sync = {
  next_batch: string
  device_lists?: Lists
  device_one_time_keys_count: Record<string, number>
  device_unused_fallback_key_types: string[]
}
const sync = async (who: Caller, since?: string, timeout = 0): Promise<Sync> =>
  (await who.answer('GET', `/v3/sync?timeout=${timeout}${since === undefined ? '' : `&since=${since}`}`)).body as Sync
const keysOf = (who: Caller) => deviceKeysOf(who.userId, who.deviceId)
const otksOf = (who: Caller, from: number, to: number) => oneTimeKeysOf(who.userId, who.deviceId, from, to)
const upload = (who: Caller, body: object) => who.answer('POST', '/v3/keys/upload', body)
const publish = (who: Caller, count = 0) =>
  upload(who, { device_keys: keysOf(who), ...(count > 0 ? { one_time_keys: otksOf(who, 1, count) } : {}) })
const query = async (who: Caller, userId: string, devices: string[] = []) =>
  (await who.answer('POST', '/v3/keys/query', { device_keys: { [userId]: devices } })).body as Record<string, Record<string, object>>
const claim = async (who: Caller, of: Caller, algorithm = 'signed_curve25519') =>
  (await who.answer('POST', '/v3/keys/claim', { one_time_keys: { [of.userId]: { [of.deviceId]: algorithm } } })).body as {
    one_time_keys: Record<string, Record<string, Record<string, unknown>>>
  }
const roomOf = async (who: Caller): Promise<string> =>
  (await who.answer('POST', '/v3/createRoom', { preset: 'public_chat' })).body.room_id as string
const join = (who: Caller, roomId: string) => who.answer('POST', `/v3/join/${roomId}`, {})
const leave = (who: Caller, roomId: string) => who.answer('POST', `/v3/rooms/${roomId}/leave`, {})

describe('uploading', () => {
  test('answers with the counts, and publishes the keys as they came', async () => {
    const alice = await here.register('uploads')
    const own = { 'my_algorithm:id': curve25519Key('own') }
    expect(await upload(alice, { device_keys: keysOf(alice), one_time_keys: { ...otksOf(alice, 1, 2), ...own } }))
      .toEqual({ status: 200, body: { one_time_key_counts: { signed_curve25519: 2, my_algorithm: 1 } } })
    const { device_keys } = await query(here.bob, alice.userId)
    expect(device_keys).toEqual({ [alice.userId]: { [alice.deviceId]: { ...keysOf(alice), unsigned: {} } } })
  })

  test('an empty upload only asks for the counts', async () => {
    const alice = await here.register('asks')
    expect((await upload(alice, {})).body).toEqual({ one_time_key_counts: { signed_curve25519: 0 } })
  })

  test('the name of the device stands beside its keys', async () => {
    const alice = await here.register('named')
    await publish(alice)
    await alice.answer('PUT', `/v3/devices/${alice.deviceId}`, { display_name: 'My phone' })
    expect((await query(here.bob, alice.userId)).device_keys?.[alice.userId]).toMatchObject({
      [alice.deviceId]: { unsigned: { device_display_name: 'My phone' } },
    })
  })

  test('the old path with the device in it is the same for one’s own device', async () => {
    const alice = await here.register('old')
    expect((await alice.answer('POST', `/r0/keys/upload/${alice.deviceId}`, { device_keys: keysOf(alice) })).status).toBe(200)
    expect((await alice.answer('POST', '/v3/keys/upload/OTHER', {})).body.errcode).toBe('M_INVALID_PARAM')
  })

  const forged = (who: Caller) => ({ 'signed_curve25519:F': signedBy({ key: curve25519Key('f') }, who.userId, `ed25519:${who.deviceId}`, 'mallory') })
  const small = 'A'.repeat(43)
  test.each([
    ['keys of another user', (_who: Caller) => ({ device_keys: deviceKeysOf('@mallory:a.example', 'PHONE') }), 'M_BAD_JSON'],
    ['keys of another device', (who: Caller) => ({ device_keys: deviceKeysOf(who.userId, 'OTHER') }), 'M_BAD_JSON'],
    ['keys without what is required', (who: Caller) => ({ device_keys: { user_id: who.userId, device_id: who.deviceId } }), 'M_BAD_JSON'],
    ['keys whose signature does not fit', (who: Caller) => ({ device_keys: { ...keysOf(who), more: 1 } }), 'M_INVALID_PARAM'],
    ['a one-time key that the device has not signed', (who: Caller) => ({ device_keys: keysOf(who), one_time_keys: forged(who) }), 'M_INVALID_PARAM'],
    ['a one-time key of small order', (who: Caller) => ({ device_keys: keysOf(who), one_time_keys: { 'curve25519:S': small } }), 'M_INVALID_PARAM'],
    ['a fallback key that the device has not signed', (who: Caller) => ({ device_keys: keysOf(who), fallback_keys: forged(who) }), 'M_INVALID_PARAM'],
    ['a key without algorithm', (who: Caller) => ({ device_keys: keysOf(who), one_time_keys: { name: 'x' } }), 'M_BAD_JSON'],
    ['keys that are no object', (_who: Caller) => ({ one_time_keys: [] }), 'M_BAD_JSON'],
  ])('refuses %s, and keeps nothing of the request', async (_says, body, errcode) => {
    const alice = await here.register(`refused${Math.abs(Bun.hash.crc32(_says))}`)
    const { next_batch: since } = await sync(alice)
    expect(await upload(alice, body(alice))).toMatchObject({ status: 400, body: { errcode } })
    expect((await query(alice, alice.userId)).device_keys).toEqual({ [alice.userId]: {} })
    expect((await sync(alice, since)).device_lists).toBeUndefined()
  })
})

describe('asking', () => {
  test('for some devices brings those; users and devices without keys are left out', async () => {
    const alice = await here.register('several')
    const tv = await here.login(alice.userId, 'TV')
    for (const who of [alice, tv]) await publish(who)
    await here.login(alice.userId, 'MUTE')
    expect(Object.keys((await query(here.bob, alice.userId)).device_keys?.[alice.userId] ?? {})).toEqual(['PHONE', 'TV'])
    expect(Object.keys((await query(here.bob, alice.userId, ['TV', 'MUTE', 'NONE'])).device_keys?.[alice.userId] ?? {})).toEqual(['TV'])
    expect((await query(here.bob, '@nobody:a.example')).device_keys).toEqual({ '@nobody:a.example': {} })
  })

  test('is answered for so many users at once and no more', async () => {
    const users = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`@nobody${index}:a.example`, []]))
    const { status, body } = await here.bob.answer('POST', '/v3/keys/query', { device_keys: users(USERS_PER_QUERY) })
    expect([status, Object.keys(body.device_keys as object).length]).toEqual([200, USERS_PER_QUERY])
    expect(await here.bob.answer('POST', '/v3/keys/query', { device_keys: users(USERS_PER_QUERY + 1) }))
      .toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } })
  })

  test('users of servers that are out of reach are named by server', async () => {
    const { status, body } = await here.bob.answer('POST', '/v3/keys/query', { device_keys: { '@charlie:b.example': [] } })
    expect({ status, body }).toMatchObject({ status: 200, body: { device_keys: {}, failures: { 'b.example': {} } } })
  })
})

describe('claiming', () => {
  test('hands out the oldest key first, each once, then the fallback key', async () => {
    const alice = await here.register('claimed')
    const fallback = oneTimeKeysOf(alice.userId, alice.deviceId, 9, 9, { fallback: true })
    await publish(alice, 1)
    await upload(alice, { one_time_keys: otksOf(alice, 2, 2), fallback_keys: fallback })
    const handed = []
    for (let count = 0; count < 4; count++) handed.push((await claim(here.bob, alice)).one_time_keys[alice.userId]?.[alice.deviceId])
    expect(handed).toEqual([otksOf(alice, 1, 1), otksOf(alice, 2, 2), fallback, fallback])
  })

  test('many at once get a key each, and no two the same', async () => {
    const alice = await here.register('crowd')
    await publish(alice, 20)
    const claims = await Promise.all(Array.from({ length: 30 }, () => claim(here.bob, alice)))
    const names = claims.flatMap(({ one_time_keys }) => Object.keys(one_time_keys[alice.userId]?.[alice.deviceId] ?? {}))
    expect([names.length, new Set(names).size]).toEqual([20, 20])
  })

  test.each([
    ['an algorithm that the device has not', 'PHONE', 'other'],
    ['a device that is not there', 'NONE', 'signed_curve25519'],
  ])('%s brings nothing', async (_says, deviceId, algorithm) => {
    const { one_time_keys } = await claim(here.bob, { ...here.alice, userId: here.alice.userId, deviceId } as Caller, algorithm)
    expect(one_time_keys).toEqual({})
  })

  test('is done for so many devices at once and no more', async () => {
    const alice = await here.register('crowded')
    await publish(alice, 1)
    const devices = (count: number) => Object.fromEntries([...Array.from({ length: count - 1 }, (_, index) => `NONE${index}`), alice.deviceId].map((id) => [id, 'signed_curve25519']))
    const ask = (count: number) => here.bob.answer('POST', '/v3/keys/claim', { one_time_keys: { [alice.userId]: devices(count) } })
    expect(await ask(DEVICES_PER_CLAIM + 1)).toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } })
    expect((await ask(DEVICES_PER_CLAIM)).body).toMatchObject({ one_time_keys: { [alice.userId]: { [alice.deviceId]: otksOf(alice, 1, 1) } } })
  })

  test('a repeated upload does not bring a handed-out key back', async () => {
    const alice = await here.register('repeats')
    await publish(alice, 2)
    await claim(here.bob, alice)
    expect((await publish(alice, 2)).body).toEqual({ one_time_key_counts: { signed_curve25519: 1 } })
  })
})

describe('a sync', () => {
  test('G-69: counts one-time keys in every answer, zero included, of every algorithm there ever was', async () => {
    const alice = await here.register('counted')
    expect((await sync(alice)).device_one_time_keys_count).toEqual({ signed_curve25519: 0 })
    await upload(alice, { device_keys: keysOf(alice), one_time_keys: { ...otksOf(alice, 1, 1), 'own:1': 'x' } })
    await claim(here.bob, alice, 'own')
    await claim(here.bob, alice)
    const first = await sync(alice)
    const quiet = await sync(alice, first.next_batch)
    for (const { device_one_time_keys_count } of [first, quiet]) expect(device_one_time_keys_count).toEqual({ signed_curve25519: 0, own: 0 })
  })

  test('G-69: names the algorithms whose fallback key is unused, under both names', async () => {
    const alice = await here.register('fallbacks')
    await upload(alice, { device_keys: keysOf(alice), fallback_keys: oneTimeKeysOf(alice.userId, alice.deviceId, 9, 9, { fallback: true }) })
    const unused = await sync(alice)
    await claim(here.bob, alice)
    const used = await sync(alice, unused.next_batch)
    expect([unused, used].map((answer) => answer.device_unused_fallback_key_types)).toEqual([['signed_curve25519'], []])
    expect(used).toMatchObject({ 'org.matrix.msc2732.device_unused_fallback_key_types': [] })
  })
})

describe('a token from later than now, as after a snapshot of the machine was put back,', () => {
  const LATER = 's999999999_0_0'

  test('makes its device start over with its keys, and no other', async () => {
    const alice = await here.register('later')
    const tv = await here.login(alice.userId, 'TV')
    const fallback = oneTimeKeysOf(alice.userId, alice.deviceId, 9, 9, { fallback: true })
    for (const who of [alice, tv]) await publish(who, 2)
    await upload(alice, { fallback_keys: fallback })
    const { device_one_time_keys_count, device_unused_fallback_key_types } = await sync(alice, LATER)
    expect([device_one_time_keys_count, device_unused_fallback_key_types]).toEqual([{ signed_curve25519: 0 }, []])
    expect((await claim(here.bob, alice)).one_time_keys[alice.userId]?.[alice.deviceId]).toEqual(fallback)
    expect((await claim(here.bob, tv)).one_time_keys[alice.userId]?.TV).toEqual(otksOf(tv, 1, 1))
  })

  test('is answered like none, and with everyone whose keys may be others now', async () => {
    const [alice, bob] = [await here.register('latera'), await here.register('laterb')]
    const roomId = await roomOf(alice)
    await join(bob, roomId)
    // How long ago something was depends on the moment of the answer.
    const ask = async (query: string) => JSON.parse(JSON.stringify((await alice.answer('GET', `/v3/sync?${query}`)).body).replaceAll(/("age"|"last_active_ago"):\d+/g, '$1:0')) as Sync
    const { device_lists: none, ...fresh } = await ask('')
    const { device_lists: lists, ...answer } = await ask(`since=${LATER}&timeout=30000`)
    expect([none, lists?.changed.toSorted(), lists?.left]).toEqual([undefined, [alice.userId, bob.userId], []])
    expect(answer).toEqual(fresh)
  })

  test('begins a sliding sync anew, and its device starts over too', async () => {
    const alice = await here.register('slides')
    await publish(alice, 2)
    const path = '/unstable/org.matrix.simplified_msc3575/sync'
    expect(await alice.answer('POST', `${path}?pos=${LATER}_cabc-1`, {})).toMatchObject({ status: 400, body: { errcode: 'M_UNKNOWN_POS' } })
    const { body } = await alice.answer('POST', path, { extensions: { e2ee: { enabled: true } } })
    expect(body).toMatchObject({ extensions: { e2ee: { device_one_time_keys_count: { signed_curve25519: 0 } } } })
  })
})

describe('device lists', () => {
  /** Alice and bob, who share a room, and where alice's sync stands. */
  const together = async (name: string) => {
    const [alice, bob] = [await here.register(`${name}a`), await here.register(`${name}b`)]
    const roomId = await roomOf(alice)
    await join(bob, roomId)
    return { alice, bob, roomId, since: (await sync(alice)).next_batch }
  }
  const listsAfter = async (who: Caller, since: string): Promise<Lists | undefined> => (await sync(who, since)).device_lists

  test.each([
    ['publishes keys', (bob: Caller) => publish(bob)],
    ['logs in on a new device', (bob: Caller) => here.login(bob.userId, 'NEW')],
    ['renames a device', (bob: Caller) => bob.answer('PUT', `/v3/devices/${bob.deviceId}`, { display_name: 'x' })],
    ['logs out', (bob: Caller) => bob.answer('POST', '/v3/logout', {})],
  ])('someone who %s is changed for those who share a room, and only once', async (_says, act) => {
    const { alice, bob, since } = await together(`change${Math.abs(Bun.hash.crc32(_says))}`)
    await act(bob)
    const { device_lists, next_batch } = await sync(alice, since)
    expect(device_lists).toEqual({ changed: [bob.userId], left: [] })
    expect(await listsAfter(alice, next_batch)).toBeUndefined()
  })

  test('a waiting sync is woken by it', async () => {
    const { alice, bob, since } = await together('woken')
    const waiting = sync(alice, since, 5_000)
    await publish(bob)
    expect((await waiting).device_lists).toEqual({ changed: [bob.userId], left: [] })
  })

  test('one’s own devices count too', async () => {
    const alice = await here.register('own')
    const { next_batch: since } = await sync(alice)
    await publish(await here.login(alice.userId, 'TV'))
    expect(await listsAfter(alice, since)).toEqual({ changed: [alice.userId], left: [] })
  })

  test('strangers do not', async () => {
    const { alice, since } = await together('strange')
    await publish(await here.register('stranger'))
    expect(await listsAfter(alice, since)).toBeUndefined()
  })

  test('an initial sync has none', async () => {
    const { alice, bob } = await together('initial')
    await publish(bob)
    expect((await sync(alice)).device_lists).toBeUndefined()
  })

  test('G-68: someone who joins is changed for those inside, and those inside for them', async () => {
    const [alice, bob] = [await here.register('inside'), await here.register('comes')]
    const roomId = await roomOf(alice)
    const [a, b] = [await sync(alice), await sync(bob)]
    await join(bob, roomId)
    expect(await listsAfter(alice, a.next_batch)).toEqual({ changed: [bob.userId], left: [] })
    expect(await listsAfter(bob, b.next_batch)).toEqual({ changed: [alice.userId], left: [] })
  })

  describe('someone who is invited', () => {
    const invited = async (name: string) => {
      const [alice, bob] = [await here.register(`${name}a`), await here.register(`${name}b`)]
      const roomId = await roomOf(alice)
      const { next_batch: before } = await sync(alice)
      const ownBefore = (await sync(bob)).next_batch
      await alice.answer('POST', `/v3/rooms/${roomId}/invite`, { user_id: bob.userId })
      return { alice, bob, roomId, before, ownBefore }
    }

    test('is changed, because clients encrypt for them already, and once more on joining', async () => {
      const { alice, bob, roomId, before } = await invited('asked')
      const { device_lists, next_batch: since } = await sync(alice, before)
      expect(device_lists).toEqual({ changed: [bob.userId], left: [] })
      await join(bob, roomId)
      expect(await listsAfter(alice, since)).toEqual({ changed: [bob.userId], left: [] })
    })

    test('wakes those inside with a change of their devices', async () => {
      const { alice, bob, before } = await invited('wakes')
      const waiting = sync(alice, (await sync(alice, before)).next_batch, 5_000)
      await publish(bob)
      expect((await waiting).device_lists).toEqual({ changed: [bob.userId], left: [] })
    })

    test('and turns it down is left', async () => {
      const { alice, bob, roomId, before } = await invited('declines')
      const { next_batch: since } = await sync(alice, before)
      await leave(bob, roomId)
      expect(await listsAfter(alice, since)).toEqual({ changed: [], left: [bob.userId] })
    })

    test('hears nothing of those inside before joining', async () => {
      const { alice, bob, roomId, ownBefore } = await invited('waits')
      await publish(alice)
      const { device_lists, next_batch: since } = await sync(bob, ownBefore)
      expect(device_lists).toBeUndefined()
      await join(bob, roomId)
      expect(await listsAfter(bob, since)).toEqual({ changed: [alice.userId], left: [] })
    })
  })

  test('an account that is closed is left, and its keys are gone', async () => {
    const { alice, bob, since } = await together('closed')
    await publish(bob, 2)
    await deactivateAccount(here.server, bob.userId, false, 'test')
    expect(await listsAfter(alice, since)).toEqual({ changed: [], left: [bob.userId] })
    expect((await query(alice, bob.userId)).device_keys).toEqual({ [bob.userId]: {} })
    expect((await claim(alice, bob)).one_time_keys).toEqual({})
  })

  test.each([
    ['leaves', (alice: Caller, bob: Caller, roomId: string) => leave(bob, roomId), 'bob'],
    ['is kicked', (alice: Caller, bob: Caller, roomId: string) => alice.answer('POST', `/v3/rooms/${roomId}/kick`, { user_id: bob.userId }), 'bob'],
    ['is banned', (alice: Caller, bob: Caller, roomId: string) => alice.answer('POST', `/v3/rooms/${roomId}/ban`, { user_id: bob.userId }), 'bob'],
    ['is left alone', (alice: Caller, _bob: Caller, roomId: string) => leave(alice, roomId), 'bob'],
  ])('G-68: someone who %s is left', async (_says, act) => {
    const { alice, bob, roomId, since } = await together(`left${Math.abs(Bun.hash.crc32(_says))}`)
    await act(alice, bob, roomId)
    expect(await listsAfter(alice, since)).toEqual({ changed: [], left: [bob.userId] })
    await publish(bob)
    expect(await listsAfter(alice, (await sync(alice)).next_batch)).toBeUndefined()
  })

  test('someone who still shares another room is neither left nor changed', async () => {
    const { alice, bob, roomId } = await together('another')
    const other = await roomOf(alice)
    await join(bob, other)
    const { next_batch: since } = await sync(alice)
    await leave(bob, roomId)
    expect(await listsAfter(alice, since)).toBeUndefined()
    await join(bob, roomId)
    expect(await listsAfter(alice, since)).toBeUndefined()
  })

  test('someone who left and came back is changed, whether or not alice has seen them gone', async () => {
    const { alice, bob, roomId, since } = await together('back')
    await leave(bob, roomId)
    const gone = await sync(alice, since)
    await publish(bob)
    await join(bob, roomId)
    expect(await listsAfter(alice, gone.next_batch)).toEqual({ changed: [bob.userId], left: [] })
    expect(await listsAfter(alice, since)).toEqual({ changed: [bob.userId], left: [] })
  })

  test('someone who came and went in between is nothing at all', async () => {
    const [alice, bob] = [await here.register('blinks'), await here.register('brief')]
    const roomId = await roomOf(alice)
    const { next_batch: since } = await sync(alice)
    await join(bob, roomId)
    await leave(bob, roomId)
    expect(await listsAfter(alice, since)).toBeUndefined()
  })

  test('a room that was left and forgotten still tells whom alice lost', async () => {
    const { alice, bob, roomId, since } = await together('forgets')
    await leave(alice, roomId)
    await alice.answer('POST', `/v3/rooms/${roomId}/forget`, {})
    expect(await listsAfter(alice, since)).toEqual({ changed: [], left: [bob.userId] })
  })

  test('/keys/changes says the same between any two tokens', async () => {
    const { alice, bob, roomId, since: first } = await together('between')
    const changes = async (from: string, to: string) => (await alice.answer('GET', `/v3/keys/changes?from=${from}&to=${to}`)).body as Lists
    await publish(bob)
    const { next_batch: second } = await sync(alice, first)
    await leave(bob, roomId)
    const { next_batch: third } = await sync(alice, second)
    expect(await changes(first, second)).toEqual({ changed: [bob.userId], left: [] })
    expect(await changes(second, third)).toEqual({ changed: [], left: [bob.userId] })
    expect(await changes(first, third)).toEqual({ changed: [], left: [bob.userId] })
    expect(await changes(third, third)).toEqual({ changed: [], left: [] })
    expect(await changes(third, first)).toEqual({ changed: [], left: [] })
    expect((await alice.answer('GET', `/v3/keys/changes?from=x&to=${third}`)).body.errcode).toBe('M_INVALID_PARAM')
    expect((await alice.answer('GET', `/v3/keys/changes?from=${third}`)).body.errcode).toBe('M_MISSING_PARAM')
  })
})

test('/keys/changes takes the places of a sliding sync too', async () => {
  const [alice, bob] = [await here.register('slidesa'), await here.register('slidesb')]
  await join(bob, await roomOf(alice))
  const pos = async (): Promise<string> => (await alice.answer('POST', '/unstable/org.matrix.simplified_msc3575/sync', {})).body.pos as string
  const from = await pos()
  await publish(bob)
  expect((await alice.answer('GET', `/v3/keys/changes?from=${from}&to=${await pos()}`)).body).toEqual({ changed: [bob.userId], left: [] })
})

test('a removed device takes its keys along', async () => {
  const alice = await here.register('removed')
  const tv = await here.login(alice.userId, 'TV')
  await publish(tv, 3)
  await tv.answer('POST', '/v3/logout', {})
  expect((await query(alice, alice.userId)).device_keys).toEqual({ [alice.userId]: {} })
  const again = await here.login(alice.userId, 'TV')
  expect((await claim(alice, again)).one_time_keys).toEqual({})
  expect((await sync(again)).device_one_time_keys_count).toEqual({ signed_curve25519: 0 })
})
