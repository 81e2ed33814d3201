import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { crossSigned, crossSigningKeysOf, crossSigningNames, deviceKeysOf, ed25519Key, oneTimeKeysOf } from '#harness/encryption-keys.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'

/**
 * Mallory damages each field of what clients send about encryption, in each of many ways. Every answer is a success that
 * fits the spec (the house checks it) or a Matrix error; nothing of a refused request is kept, and nobody else notices.
 */

let here: House
let alice: Caller
beforeAll(async () => {
  here = await house()
  alice = await here.register('victim')
  await alice.answer('POST', '/v3/keys/upload', { device_keys: deviceKeysOf(alice.userId, alice.deviceId), one_time_keys: oneTimeKeysOf(alice.userId, alice.deviceId, 1, 5) })
  await alice.answer('POST', '/v3/keys/device_signing/upload', crossSigningKeysOf(alice.userId))
})
afterAll(async () => {
  const broken = countBrokenInvariants(here.server.store)
  await here.close()
  expect([...broken.values()]).toEqual([0, 0])
})

const SMALL_ORDER = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const OFF_CURVE = 'AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const STRANGE: readonly Json[] = [
  null, true, 0, -1, 1.5, 2 ** 53 - 1, '', 'x', ':', 'a:b:c', '*', '@alice:a.example', '@victim:a.example', '\u0000', 'é'.repeat(300), 'x'.repeat(70_000),
  SMALL_ORDER, OFF_CURVE, [], [null], ['x'], {}, { '': null }, { x: { y: { z: [] } } }, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":1}}') as Json,
]

/** Every variant of a value with one place in it changed, removed, or under another name. */
function* damaged(value: Json): Generator<Json> {
  yield* STRANGE
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  for (const [name, inner] of Object.entries(value as JsonObject)) {
    const { [name]: _gone, ...rest } = value as JsonObject
    yield rest
    for (const other of ['', '*', 'x', `${name}x`, '__proto__', 'ed25519:OTHER']) yield Object.fromEntries([...Object.entries(rest), [other, inner]])
    for (const strange of damaged(inner)) yield { ...value, [name]: strange }
  }
}

const published = async (who: Caller): Promise<unknown> =>
  (await here.bob.answer('POST', '/v3/keys/query', { device_keys: { [who.userId]: [] } })).body

type Case = Readonly<{ method: string; path: (mallory: Caller) => string; body: (mallory: Caller) => JsonObject; changes?: true }>

const CASES: readonly (readonly [string, Case])[] = [
  ['device keys', {
    method: 'POST', path: () => '/v3/keys/upload', changes: true,
    body: (mallory) => ({ device_keys: deviceKeysOf(mallory.userId, mallory.deviceId, 'another') }),
  }],
  ['one-time and fallback keys', {
    method: 'POST', path: () => '/v3/keys/upload',
    body: (mallory) => ({
      one_time_keys: { ...oneTimeKeysOf(mallory.userId, mallory.deviceId, 1, 1), 'curve25519:B': ed25519Key('x') },
      fallback_keys: oneTimeKeysOf(mallory.userId, mallory.deviceId, 9, 9, { fallback: true }),
    }),
  }],
  ['cross-signing keys', { method: 'POST', path: () => '/v3/keys/device_signing/upload', changes: true, body: (mallory) => ({ ...crossSigningKeysOf(mallory.userId) }) }],
  ['signatures', {
    method: 'POST', path: () => '/v3/keys/signatures/upload',
    body: (mallory) => ({ [mallory.userId]: { [mallory.deviceId]: crossSigned(deviceKeysOf(mallory.userId, mallory.deviceId), mallory.userId, crossSigningNames(mallory.userId).selfSigning) } }),
  }],
  ['key queries', { method: 'POST', path: () => '/v3/keys/query', body: () => ({ timeout: 10, device_keys: { [alice.userId]: ['PHONE'] } }) }],
  ['key claims', { method: 'POST', path: () => '/v3/keys/claim', body: () => ({ timeout: 10, one_time_keys: { [alice.userId]: { NONE: 'signed_curve25519' } } }) }],
  ['messages to devices', { method: 'PUT', path: () => `/v3/sendToDevice/m.room.encrypted/t${++txn}`, body: () => ({ messages: { '@nobody:a.example': { PHONE: { algorithm: 'x' } } } }) }],
  ['backups', { method: 'POST', path: () => '/v3/room_keys/version', body: () => ({ algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'abc', signatures: {} } }) }],
  ['backed-up keys', {
    method: 'PUT', path: () => '/v3/room_keys/keys?version=1',
    body: () => ({ rooms: { '!a:a.example': { sessions: { s: { first_message_index: 1, forwarded_count: 0, is_verified: false, session_data: { ciphertext: 'x' } } } } } }),
  }],
  ['dehydrated devices', {
    method: 'PUT', path: () => '/unstable/org.matrix.msc3814.v1/dehydrated_device',
    body: (mallory) => ({
      device_id: 'SLEEPER', device_data: { algorithm: 'x' }, initial_device_display_name: 'Sleeper', device_keys: deviceKeysOf(mallory.userId, 'SLEEPER'),
      one_time_keys: oneTimeKeysOf(mallory.userId, 'SLEEPER', 1, 1), fallback_keys: oneTimeKeysOf(mallory.userId, 'SLEEPER', 9, 9, { fallback: true }),
    }),
  }],
]
let txn = 0

describe('malformed', () => {
  test.each(CASES)('%s are refused with a Matrix error or harm nobody', async (says, { method, path, body, changes }) => {
    const mallory = await here.register(`mallory${Bun.hash.crc32(says)}`)
    await mallory.answer('POST', '/v3/keys/upload', { device_keys: deviceKeysOf(mallory.userId, mallory.deviceId) })
    if (says === 'signatures') await mallory.answer('POST', '/v3/keys/device_signing/upload', crossSigningKeysOf(mallory.userId))
    if (says === 'backed-up keys') await mallory.answer('POST', '/v3/room_keys/version', { algorithm: 'a', auth_data: {} })
    const victim = await published(alice)
    const statuses = new Map<number, number>()
    let before = await published(mallory)
    for (const strange of damaged(body(mallory))) {
      const answer = await mallory.answer(method, path(mallory), strange)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status !== 200 && answer.status !== 401) expect(answer.body).toMatchObject({ errcode: expect.stringMatching(/^M_[A-Z_]+$/), error: expect.any(String) })
      if (!changes) continue
      const after = await published(mallory)
      if (answer.status !== 200) expect(after).toEqual(before as object)
      before = after
    }
    expect([...statuses.keys()].filter((status) => ![200, 400, 401, 403, 404, 413].includes(status))).toEqual([])
    expect((statuses.get(400) ?? 0) > STRANGE.length / 2).toBe(true)
    expect(await published(alice)).toEqual(victim as object)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect((await mallory.answer('GET', '/v3/sync')).status).toBe(200)
  }, 30_000)
})
