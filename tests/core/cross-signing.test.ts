import { describe, expect, test } from 'bun:test'
import {
  changesKeys,
  isSameKey,
  ONE_TIME_KEYS_LIMIT,
  parseCrossSigningKey,
  parseCrossSigningUpload,
  parseDeviceKeys,
  parseSignatureUpload,
  parseUploadedKeys,
  refuseKeyNamedLikeDevice,
  requiredSignatures,
  type CrossSigningKey,
  type CrossSigningUpload,
  type CrossSigningUsage,
  type KnownKeys,
} from '#core/cross-signing.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const [alice, bob] = ['@alice:a.example', '@bob:a.example'] as const
const [M, S, U] = ['M'.repeat(43), 'S'.repeat(43), 'U'.repeat(43)]

const key = (usage: CrossSigningUsage, publicKey: string, extra: JsonObject = {}): JsonObject => ({
  user_id: alice,
  usage: [usage],
  keys: { [`ed25519:${publicKey}`]: publicKey },
  ...extra,
})
const signed = (object: JsonObject, keyId: string, signer: string = alice): JsonObject => ({
  ...object,
  signatures: { [signer]: { [keyId]: 'sig' } },
})
const byMaster = `ed25519:${M}`
const codeOf = (result: unknown): string =>
  result instanceof MatrixError ? `${result.status} ${result.errcode}` : 'ok'

const master = key('master', M)
const selfSigning = signed(key('self_signing', S), byMaster)
const userSigning = signed(key('user_signing', U), byMaster)

function uploadOf(body: JsonObject): CrossSigningUpload {
  const upload = parseCrossSigningUpload(body, alice, undefined)
  if (upload instanceof MatrixError) throw upload
  return upload
}

describe('a cross-signing key', () => {
  test('is read', () => {
    expect(parseCrossSigningKey(master, alice, 'master')).toEqual({
      object: master,
      keyId: byMaster,
      publicKey: M,
    })
  })

  test.each<[string, unknown]>([
    ['that is no object', 'key'],
    ['of another user', { ...master, user_id: bob }],
    ['for another use', { ...master, usage: ['self_signing'] }],
    ['without a use', { ...master, usage: 'master' }],
    ['without keys', { ...master, keys: {} }],
    ['with two keys', { ...master, keys: { [byMaster]: M, [`ed25519:${S}`]: S } }],
    ['under another name', { ...master, keys: { [`ed25519:${S}`]: M } }],
    ['of another algorithm', { ...master, keys: { [`rsa:${M}`]: M } }],
    ['of another length', { ...master, keys: { 'ed25519:short': 'short' } }],
    ['that is no string', { ...master, keys: { [byMaster]: 7 } }],
    ['with signatures that are no object', { ...master, signatures: 'sig' }],
  ])('%s is refused', (_says, value) => {
    expect(codeOf(parseCrossSigningKey(value, alice, 'master'))).toBe('400 M_INVALID_PARAM')
  })
})

describe('an upload of cross-signing keys', () => {
  test('names the signatures to verify', () => {
    const signedMaster = signed(master, 'ed25519:PHONE')
    const body = { master_key: signedMaster, self_signing_key: selfSigning, user_signing_key: userSigning }
    const upload = uploadOf(body)
    expect([upload.mustVerify, upload.masterSignedBy]).toEqual([
      [
        { object: selfSigning, signer: alice, keyId: byMaster, publicKey: M },
        { object: userSigning, signer: alice, keyId: byMaster, publicKey: M },
      ],
      ['ed25519:PHONE'],
    ])
  })

  const current = { keyId: byMaster, publicKey: M }
  test.each<[string, unknown, typeof current | undefined, string]>([
    ['may be a master key alone', { master_key: master }, undefined, 'ok'],
    ['may lean on the master key we have', { self_signing_key: selfSigning }, current, 'ok'],
    ['needs a master key', { self_signing_key: selfSigning }, undefined, '400 M_MISSING_PARAM'],
    ['needs a body', 'keys', undefined, '400 M_BAD_JSON'],
    [
      'needs the signature of the master key',
      { master_key: master, self_signing_key: key('self_signing', S) },
      undefined,
      '400 M_INVALID_SIGNATURE',
    ],
    [
      'needs the signature of the new master key',
      { master_key: key('master', U), self_signing_key: selfSigning },
      current,
      '400 M_INVALID_SIGNATURE',
    ],
    [
      'needs the signature of the same user',
      { master_key: master, user_signing_key: signed(key('user_signing', U), byMaster, bob) },
      undefined,
      '400 M_INVALID_SIGNATURE',
    ],
    [
      'must be right in every key',
      { master_key: master, user_signing_key: { ...userSigning, user_id: bob } },
      undefined,
      '400 M_INVALID_PARAM',
    ],
  ])('%s', (_says, body, known, code) => {
    expect(codeOf(parseCrossSigningUpload(body, alice, known))).toBe(code)
  })

  const upload = uploadOf({
    master_key: master,
    self_signing_key: selfSigning,
    user_signing_key: userSigning,
  })
  const existing = { master: M, selfSigning: S, userSigning: U }
  test.each([
    ['needs no authentication the first time', {}, false],
    ['needs none when it repeats what we have', existing, false],
    ['needs it for a new master key', { ...existing, master: S }, true],
    ['needs it for a new self-signing key', { ...existing, selfSigning: U }, true],
    ['needs it for a user-signing key where there was none', { master: M, selfSigning: S }, true],
  ])('%s', (_says, known, expected) => {
    expect(changesKeys(upload, known)).toBe(expected)
  })

  test('may not bring a key named like a device', () => {
    expect(
      [new Set(['PHONE']), new Set(['PHONE', S])].map((devices) =>
        codeOf(refuseKeyNamedLikeDevice(upload, devices)),
      ),
    ).toEqual(['ok', '403 M_FORBIDDEN'])
  })
})

describe('device keys', () => {
  const phone = deviceIdOf('PHONE')
  const device: JsonObject = {
    user_id: alice,
    device_id: 'PHONE',
    algorithms: ['m.olm.v1.curve25519-aes-sha2'],
    keys: { 'ed25519:PHONE': M, 'curve25519:PHONE': S },
    signatures: { [alice]: { 'ed25519:PHONE': 'sig' } },
  }
  test('name their own signature', () => {
    expect(parseDeviceKeys(device, alice, phone)).toEqual({
      object: device,
      selfSignature: { object: device, signer: alice, keyId: 'ed25519:PHONE', publicKey: M },
    })
  })

  test('may go without it', () => {
    const bare = { ...device, signatures: {} }
    expect(parseDeviceKeys(bare, alice, phone)).toEqual({ object: bare })
  })

  test.each<[string, unknown]>([
    ['that are null', null],
    ['of another user', { ...device, user_id: bob }],
    ['of another device', { ...device, device_id: 'LAPTOP' }],
    ['without algorithms', { ...device, algorithms: undefined }],
    ['with keys that are no strings', { ...device, keys: { 'ed25519:PHONE': 7 } }],
    ['with signatures that are no objects', { ...device, signatures: { [alice]: 'sig' } }],
  ])('%s are refused', (_says, value) => {
    expect(codeOf(parseDeviceKeys(value, alice, phone))).toBe('400 M_BAD_JSON')
  })
})

describe('one-time and fallback keys', () => {
  const object = { key: M, signatures: { [alice]: { 'ed25519:PHONE': 'sig' } } }
  test('are read, whatever their algorithm', () => {
    expect(
      parseUploadedKeys({ 'signed_curve25519:AAAA': object, 'my_algorithm:1': 'key' }, 'one_time_keys'),
    ).toEqual([
      { algorithm: 'signed_curve25519', keyId: 'AAAA', key: object },
      { algorithm: 'my_algorithm', keyId: '1', key: 'key' },
    ])
  })

  test('may be absent', () => {
    expect(parseUploadedKeys(undefined, 'fallback_keys')).toEqual([])
  })

  const many = Object.fromEntries(
    Array.from({ length: ONE_TIME_KEYS_LIMIT + 1 }, (_, index) => [`a:${index}`, 'key']),
  )
  test.each<[string, unknown, 'one_time_keys' | 'fallback_keys', string]>([
    ['in a list', [], 'one_time_keys', '400 M_BAD_JSON'],
    ['with a name without an algorithm', { AAAA: 'key' }, 'one_time_keys', '400 M_BAD_JSON'],
    ['with a name of three parts', { 'a:b:c': 'key' }, 'one_time_keys', '400 M_BAD_JSON'],
    ['that are numbers', { 'a:b': 7 }, 'one_time_keys', '400 M_BAD_JSON'],
    ['without signatures', { 'a:b': { key: M } }, 'one_time_keys', '400 M_BAD_JSON'],
    [
      'with a fallback mark that is no boolean',
      { 'a:b': { ...object, fallback: 1 } },
      'fallback_keys',
      '400 M_BAD_JSON',
    ],
    ['two of one algorithm for fallback', { 'a:b': 'x', 'a:c': 'y' }, 'fallback_keys', '400 M_INVALID_PARAM'],
    ['two of one algorithm for use once are fine', { 'a:b': 'x', 'a:c': 'y' }, 'one_time_keys', 'ok'],
    ['over the limit', many, 'one_time_keys', '400 M_INVALID_PARAM'],
  ])('%s', (_says, value, kind, code) => {
    expect(codeOf(parseUploadedKeys(value, kind))).toBe(code)
  })
})

describe('an upload of signatures', () => {
  const phone: JsonObject = {
    user_id: alice,
    device_id: 'PHONE',
    keys: { 'ed25519:PHONE': 'phone-key' },
    algorithms: [],
  }
  const asKey = (object: JsonObject, publicKey: string): CrossSigningKey => ({
    object,
    keyId: `ed25519:${publicKey}`,
    publicKey,
  })
  const B = 'B'.repeat(43)
  const bobsMaster = { ...key('master', B), user_id: bob }
  const known: KnownKeys = {
    selfSigning: asKey(selfSigning, S),
    userSigning: asKey(userSigning, U),
    devices: new Map([['PHONE', phone]]),
    masters: new Map([
      [alice, asKey(master, M)],
      [bob, asKey(bobsMaster, B)],
    ]),
  }

  test('is taken apart', () => {
    expect(parseSignatureUpload({ [alice]: { PHONE: phone }, [bob]: { [B]: bobsMaster } })).toEqual([
      { userId: alice, keyName: 'PHONE', object: phone },
      { userId: bob, keyName: B, object: bobsMaster },
    ])
  })

  test.each<[string, unknown, string]>([
    ['that is no object', [], '400 M_BAD_JSON'],
    ['with a user that is no object', { [alice]: 7 }, '400 M_INVALID_PARAM'],
    ['with a key that is no object', { [alice]: { PHONE: 'key' } }, '400 M_INVALID_PARAM'],
    [
      'with signatures that are no objects',
      { [alice]: { PHONE: { signatures: { [alice]: [] } } } },
      '400 M_INVALID_PARAM',
    ],
  ])('%s is refused', (_says, body, code) => {
    expect(codeOf(parseSignatureUpload(body))).toBe(code)
  })

  test.each([
    [
      "one's own device by the self-signing key",
      { userId: alice, keyName: 'PHONE', object: signed(phone, `ed25519:${S}`) },
      `ed25519:${S}`,
      S,
    ],
    [
      "one's own master key by a device",
      { userId: alice, keyName: M, object: signed(master, 'ed25519:PHONE') },
      'ed25519:PHONE',
      'phone-key',
    ],
    [
      "another's master key by the user-signing key",
      { userId: bob, keyName: B, object: signed(bobsMaster, `ed25519:${U}`) },
      `ed25519:${U}`,
      U,
    ],
  ])('may sign %s', (_says, upload, keyId, publicKey) => {
    expect(requiredSignatures(upload, alice, known)).toEqual([
      { object: upload.object, signer: alice, keyId, publicKey },
    ])
  })

  const mine = { userId: alice, keyName: 'PHONE', object: signed(phone, `ed25519:${S}`) }
  const his = { userId: bob, keyName: B, object: signed(bobsMaster, `ed25519:${U}`) }
  const twice = { ...master, signatures: { [alice]: { 'ed25519:PHONE': 'sig', 'ed25519:GONE': 'sig' } } }
  test.each([
    ['a device we do not know', { ...mine, keyName: 'LAPTOP' }, known, '404 M_NOT_FOUND'],
    ['a device of another user', { ...his, keyName: 'PHONE' }, known, '404 M_NOT_FOUND'],
    [
      'a device with other keys',
      { ...mine, object: { ...mine.object, keys: {} } },
      known,
      '400 M_INVALID_PARAM',
    ],
    ['a device without a signature', { ...mine, object: phone }, known, '400 M_INVALID_SIGNATURE'],
    [
      'a device signed by another key',
      { ...mine, object: signed(phone, `ed25519:${U}`) },
      known,
      '400 M_INVALID_SIGNATURE',
    ],
    [
      'a device in another name',
      { ...mine, object: signed(phone, `ed25519:${S}`, bob) },
      known,
      '400 M_INVALID_SIGNATURE',
    ],
    [
      'a device without having a self-signing key',
      mine,
      { ...known, selfSigning: undefined },
      '404 M_NOT_FOUND',
    ],
    [
      "another's key without having a user-signing key",
      his,
      { ...known, userSigning: undefined },
      '404 M_NOT_FOUND',
    ],
    ["another's master key that is not the current one", { ...his, keyName: M }, known, '404 M_NOT_FOUND'],
    [
      'a master key without a signature',
      { userId: alice, keyName: M, object: master },
      known,
      '400 M_INVALID_SIGNATURE',
    ],
    [
      'a master key by a device that is gone',
      { userId: alice, keyName: M, object: twice },
      known,
      '400 M_INVALID_SIGNATURE',
    ],
  ])('may not sign %s', (_says, upload, keys, code) => {
    expect(codeOf(requiredSignatures(upload, alice, keys))).toBe(code)
  })
})

test('keys are the same but for signatures and what servers add', () => {
  const one = { a: 1, b: [2], signatures: { x: {} }, unsigned: { device_display_name: 'Phone' } }
  expect([isSameKey(one, { b: [2], a: 1 }), isSameKey(one, { b: [2], a: 2 })]).toEqual([true, false])
})
