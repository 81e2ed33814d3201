import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { hashPassword } from '#errands/hash-password.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { crossSigned, crossSigningKeysOf, crossSigningNames, deviceKeysOf, ed25519Key, signedBy } from '#harness/encryption-keys.ts'
import { type Caller, type House, house } from '#harness/house.ts'

const HASH = hashPassword('sesame', null)
let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const V3 = '/v3/keys/device_signing/upload'
const SIGNATURES = '/v3/keys/signatures/upload'
const UNSTABLE = '/unstable/keys/device_signing/upload'
const newUser = async (name: string): Promise<Caller> => {
  const who = await here.register(name)
  await here.server.user(who.userId).ask({ kind: 'setPassword', passwordHash: await HASH }, 'test')
  await who.answer('POST', '/v3/keys/upload', { device_keys: deviceKeysOf(who.userId, who.deviceId) })
  return who
}
const auth = (who: Caller) => ({ type: 'm.login.password', identifier: { type: 'm.id.user', user: who.userId }, password: 'sesame' })
const keysSeen = async (reader: Caller, of: Caller) =>
  (await reader.answer('POST', '/v3/keys/query', { device_keys: { [of.userId]: [] } })).body as Record<string, Record<string, JsonObject>>
const changedFor = async (who: Caller, since: string): Promise<unknown> =>
  ((await who.answer('GET', `/v3/sync?since=${since}`)).body.device_lists as { changed: string[] } | undefined)?.changed
const tokenOf = async (who: Caller): Promise<string> => (await who.answer('GET', '/v3/sync')).body.next_batch as string
const together = async (...who: Caller[]): Promise<void> => {
  const [owner, ...others] = who
  const roomId = (await owner?.answer('POST', '/v3/createRoom', { preset: 'public_chat' }))?.body.room_id as string
  for (const other of others) await other.answer('POST', `/v3/join/${roomId}`, {})
}

describe('uploading cross-signing keys', () => {
  test.each([['the path of the spec', V3], ['the path of before', UNSTABLE]])('by %s is free at first, and free when repeated', async (_says, path) => {
    const alice = await newUser(`free${Bun.hash.crc32(path)}`)
    const keys = crossSigningKeysOf(alice.userId)
    for (let count = 0; count < 2; count++) expect(await alice.answer('POST', path, keys)).toEqual({ status: 200, body: {} })
    const seen = await keysSeen(alice, alice)
    expect([seen.master_keys, seen.self_signing_keys, seen.user_signing_keys].map((byUser) => byUser?.[alice.userId]))
      .toEqual([keys.master_key, keys.self_signing_key, keys.user_signing_key])
  })

  test('is free for one of two first uploads at the same time', async () => {
    const alice = await newUser('race')
    const uploads = [1, 2].map((generation) => crossSigningKeysOf(alice.userId, crossSigningNames(alice.userId, generation)))
    const statuses = await Promise.all(uploads.map(async (keys) => (await alice.answer('POST', V3, keys)).status))
    expect(statuses.sort()).toEqual([200, 401])
  })

  test('others never see the user-signing key', async () => {
    const [alice, bob] = [await newUser('shows'), await newUser('sees')]
    await alice.answer('POST', V3, crossSigningKeysOf(alice.userId))
    const seen = await keysSeen(bob, alice)
    expect([Object.keys(seen.master_keys ?? {}), Object.keys(seen.user_signing_keys ?? {})]).toEqual([[alice.userId], []])
  })

  test('replacing keys asks for the password, and is done once it is given', async () => {
    const alice = await newUser('replaces')
    await alice.answer('POST', V3, crossSigningKeysOf(alice.userId))
    const renewed = crossSigningKeysOf(alice.userId, crossSigningNames(alice.userId, 2))
    const asked = await alice.answer('POST', V3, renewed)
    expect(asked).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } })
    expect((await keysSeen(alice, alice)).master_keys?.[alice.userId]).toEqual(crossSigningKeysOf(alice.userId).master_key)
    const proven = await alice.answer('POST', V3, { ...renewed, auth: { ...auth(alice), session: asked.body.session } })
    expect(proven).toEqual({ status: 200, body: {} })
    expect((await keysSeen(alice, alice)).master_keys?.[alice.userId]).toEqual(renewed.master_key)
  })

  test('a signature of a device on the master key is kept if it is one', async () => {
    const alice = await newUser('signs')
    const { master_key: bare, ...rest } = crossSigningKeysOf(alice.userId)
    const signed = signedBy(bare, alice.userId, `ed25519:${alice.deviceId}`, `${alice.userId}/${alice.deviceId}`)
    const also = signedBy(signed, alice.userId, 'ed25519:OTHER', 'mallory')
    expect((await alice.answer('POST', V3, { master_key: also, ...rest })).status).toBe(200)
    expect((await keysSeen(alice, alice)).master_keys?.[alice.userId]).toEqual(signed)
  })

  const { master_key, self_signing_key } = crossSigningKeysOf('@nobody:a.example')
  test.each([
    ['a self-signing key without master key', (who: Caller) => ({ self_signing_key: crossSigningKeysOf(who.userId).self_signing_key }), 400, 'M_MISSING_PARAM'],
    ['a self-signing key that another master key has signed', (who: Caller) => ({
      ...crossSigningKeysOf(who.userId),
      master_key: crossSigningKeysOf(who.userId, crossSigningNames(who.userId, 2)).master_key,
    }), 400, 'M_INVALID_SIGNATURE'],
    ['a self-signing key whose signature was altered', (who: Caller) => {
      const keys = crossSigningKeysOf(who.userId)
      return { ...keys, self_signing_key: { ...keys.self_signing_key, more: true } }
    }, 400, 'M_INVALID_SIGNATURE'],
    ['keys of someone else', () => ({ master_key, self_signing_key }), 400, 'M_INVALID_PARAM'],
    ['a master key that is no point of the curve', (who: Caller) => {
      const key = `Ag${'A'.repeat(41)}`
      return { master_key: { user_id: who.userId, usage: ['master'], keys: { [`ed25519:${key}`]: key } } }
    }, 400, 'M_INVALID_PARAM'],
  ])('refuses %s, and nothing changes', async (says, body, status, errcode) => {
    const alice = await newUser(`refuse${Bun.hash.crc32(says)}`)
    expect(await alice.answer('POST', V3, body(alice))).toMatchObject({ status, body: { errcode } })
    expect((await keysSeen(alice, alice)).master_keys).toEqual({})
  })

  test('refuses a key that is named like a device', async () => {
    const alice = await newUser('likedevice')
    await here.login(alice.userId, ed25519Key(crossSigningNames(alice.userId).master))
    expect(await alice.answer('POST', V3, crossSigningKeysOf(alice.userId))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })

  test('a device that is named like one of the keys publishes none', async () => {
    const alice = await newUser('likekey')
    await alice.answer('POST', V3, crossSigningKeysOf(alice.userId))
    const named = await here.login(alice.userId, ed25519Key(crossSigningNames(alice.userId).master))
    expect(await named.answer('POST', '/v3/keys/upload', { device_keys: deviceKeysOf(alice.userId, named.deviceId) }))
      .toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('is told to everyone in a room with the user; a new user-signing key to the user alone', async () => {
    const [alice, bob] = [await newUser('tells'), await newUser('told')]
    await together(alice, bob)
    const before = { alice: await tokenOf(alice), bob: await tokenOf(bob) }
    await alice.answer('POST', V3, crossSigningKeysOf(alice.userId))
    expect([await changedFor(alice, before.alice), await changedFor(bob, before.bob)]).toEqual([[alice.userId], [alice.userId]])
    const after = { alice: await tokenOf(alice), bob: await tokenOf(bob) }
    const renewed = crossSigningKeysOf(alice.userId, { ...crossSigningNames(alice.userId), userSigning: 'new' })
    expect((await alice.answer('POST', V3, { user_signing_key: renewed.user_signing_key, auth: auth(alice) })).status).toBe(200)
    expect([await changedFor(alice, after.alice), await changedFor(bob, after.bob)]).toEqual([[alice.userId], undefined])
  })
})

describe('uploading signatures', () => {
  const signer = async (name: string) => {
    const who = await newUser(name)
    await who.answer('POST', V3, crossSigningKeysOf(who.userId))
    return who
  }
  const device = (who: Caller) => deviceKeysOf(who.userId, who.deviceId)
  const signatureOf = (object: JsonObject, who: Caller, name: string): unknown =>
    (object.signatures as Record<string, JsonObject>)[who.userId]?.[`ed25519:${ed25519Key(name)}`]

  test('a device signed by the self-signing key is shown with both signatures, to everyone', async () => {
    const [alice, bob] = [await signer('vouches'), await signer('reads')]
    await together(alice, bob)
    const since = await tokenOf(bob)
    const signed = crossSigned(device(alice), alice.userId, crossSigningNames(alice.userId).selfSigning)
    expect(await alice.answer('POST', SIGNATURES, { [alice.userId]: { [alice.deviceId]: signed } })).toEqual({ status: 200, body: { failures: {} } })
    expect((await keysSeen(bob, alice)).device_keys?.[alice.userId]).toEqual({ [alice.deviceId]: { ...signed, unsigned: {} } })
    expect(await changedFor(bob, since)).toEqual([alice.userId])
    const again = await tokenOf(bob)
    await alice.answer('POST', SIGNATURES, { [alice.userId]: { [alice.deviceId]: signed } })
    expect(await changedFor(bob, again)).toBeUndefined()
  })

  test('someone else’s master key signed by the user-signing key is shown so to the signer alone', async () => {
    const [alice, bob] = [await signer('verifies'), await signer('verified')]
    await together(alice, bob)
    const before = { alice: await tokenOf(alice), bob: await tokenOf(bob) }
    const names = crossSigningNames(alice.userId)
    const { master_key: master } = crossSigningKeysOf(bob.userId)
    const signed = crossSigned(master, alice.userId, names.userSigning)
    const publicKey = ed25519Key(crossSigningNames(bob.userId).master)
    expect((await alice.answer('POST', '/unstable/keys/signatures/upload', { [bob.userId]: { [publicKey]: signed } })).body).toEqual({ failures: {} })
    const seen = [await keysSeen(alice, bob), await keysSeen(bob, bob)].map(({ master_keys }) => master_keys?.[bob.userId])
    expect(seen).toEqual([signed, master])
    expect(signatureOf(signed, alice, names.userSigning)).toBeString()
    expect([await changedFor(alice, before.alice), await changedFor(bob, before.bob)]).toEqual([[bob.userId], undefined])
  })

  test('a signature in someone else’s name is not kept, whatever stands beside it', async () => {
    const [alice, bob, mallory] = [await signer('framed'), await signer('target'), await signer('forger')]
    const { master_key: master } = crossSigningKeysOf(bob.userId)
    const publicKey = ed25519Key(crossSigningNames(bob.userId).master)
    const own = crossSigned(master, mallory.userId, crossSigningNames(mallory.userId).userSigning)
    const inHerName = signedBy(own, alice.userId, `ed25519:${ed25519Key(crossSigningNames(alice.userId).userSigning)}`, 'mallory')
    expect((await mallory.answer('POST', SIGNATURES, { [bob.userId]: { [publicKey]: inHerName } })).body).toEqual({ failures: {} })
    const alone = signedBy(master, alice.userId, `ed25519:${ed25519Key(crossSigningNames(alice.userId).userSigning)}`, 'mallory')
    const refused = await mallory.answer('POST', SIGNATURES, { [bob.userId]: { [publicKey]: alone } })
    expect(refused.body).toMatchObject({ failures: { [bob.userId]: { [publicKey]: { errcode: 'M_INVALID_SIGNATURE' } } } })
    const seen = await Promise.all([alice, bob, mallory].map(async (who) => (await keysSeen(who, bob)).master_keys?.[bob.userId]))
    expect(seen).toEqual([master, master, own])
  })

  test('someone else’s devices cannot be signed', async () => {
    const [bob, mallory] = [await signer('owner'), await signer('stranger')]
    const signed = crossSigned(device(bob), mallory.userId, crossSigningNames(mallory.userId).userSigning)
    const { body } = await mallory.answer('POST', SIGNATURES, { [bob.userId]: { [bob.deviceId]: signed } })
    expect(body).toMatchObject({ failures: { [bob.userId]: { [bob.deviceId]: { errcode: 'M_NOT_FOUND' } } } })
    expect((await keysSeen(mallory, bob)).device_keys?.[bob.userId]).toEqual({ [bob.deviceId]: { ...device(bob), unsigned: {} } })
  })

  test('one’s own master key may be signed by one’s devices', async () => {
    const alice = await signer('ownmaster')
    const { master_key: master } = crossSigningKeysOf(alice.userId)
    const signed = signedBy(master, alice.userId, `ed25519:${alice.deviceId}`, `${alice.userId}/${alice.deviceId}`)
    const publicKey = ed25519Key(crossSigningNames(alice.userId).master)
    expect((await alice.answer('POST', SIGNATURES, { [alice.userId]: { [publicKey]: signed } })).body).toEqual({ failures: {} })
    expect((await keysSeen(here.bob, alice)).master_keys?.[alice.userId]).toEqual(signed)
  })

  test('what does not verify is listed and not kept; the rest is kept', async () => {
    const alice = await signer('mixed')
    const tv = await here.login(alice.userId, 'TV')
    await tv.answer('POST', '/v3/keys/upload', { device_keys: device(tv) })
    const { selfSigning } = crossSigningNames(alice.userId)
    const good = crossSigned(device(alice), alice.userId, selfSigning)
    const forged = signedBy(device(tv), alice.userId, `ed25519:${ed25519Key(selfSigning)}`, 'mallory')
    const { status, body } = await alice.answer('POST', SIGNATURES, {
      [alice.userId]: { [alice.deviceId]: good, TV: forged, NONE: good, ['__proto__']: good },
      ['__proto__']: { polluted: good },
    })
    const failures = body.failures as Record<string, Record<string, { errcode: string }>>
    expect(status).toBe(200)
    expect(Object.entries(failures[alice.userId] ?? {}).map(([name, { errcode }]) => [name, errcode])).toEqual([
      ['TV', 'M_INVALID_SIGNATURE'], ['NONE', 'M_NOT_FOUND'], ['__proto__', 'M_NOT_FOUND'],
    ])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect((await keysSeen(alice, alice)).device_keys?.[alice.userId]).toEqual({
      [alice.deviceId]: { ...good, unsigned: {} }, TV: { ...device(tv), unsigned: {} },
    })
  })

  test('signatures go with the key that they are on', async () => {
    const alice = await signer('rotates')
    const signed = crossSigned(device(alice), alice.userId, crossSigningNames(alice.userId).selfSigning)
    await alice.answer('POST', SIGNATURES, { [alice.userId]: { [alice.deviceId]: signed } })
    const renewed = deviceKeysOf(alice.userId, alice.deviceId, 'another key')
    await alice.answer('POST', '/v3/keys/upload', { device_keys: renewed })
    expect((await keysSeen(alice, alice)).device_keys?.[alice.userId]).toEqual({ [alice.deviceId]: { ...renewed, unsigned: {} } })
  })

  test('signatures go with the key that they are by', async () => {
    const alice = await signer('renews')
    const signed = crossSigned(device(alice), alice.userId, crossSigningNames(alice.userId).selfSigning)
    await alice.answer('POST', SIGNATURES, { [alice.userId]: { [alice.deviceId]: signed } })
    await alice.answer('POST', V3, { ...crossSigningKeysOf(alice.userId, crossSigningNames(alice.userId, 2)), auth: auth(alice) })
    expect((await keysSeen(alice, alice)).device_keys?.[alice.userId]).toEqual({ [alice.deviceId]: { ...device(alice), unsigned: {} } })
  })
})
