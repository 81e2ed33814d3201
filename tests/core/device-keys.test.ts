import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseDeviceKeys, parseUploadedKeys } from '#core/cross-signing.ts'
import { isCurve25519Key, verifyDeviceKeys, verifyOneTimeKeys } from '#core/device-keys.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { checkCurve25519Key } from '#core/signing.ts'
import { curve25519Key, deviceKeysOf, ed25519Key, oneTimeKeysOf, signedBy } from '#harness/encryption-keys.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const userId = '@alice:a.example'
const deviceId = deviceIdOf('PHONE')
const owner = { userId, deviceId } as const
const keys = deviceKeysOf(userId, deviceId)
const identity = ed25519Key(`${userId}/${deviceId}`)
const SMALL = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

const verdictOf = (object: JsonObject): unknown => {
  const parsed = parseDeviceKeys(object, userId, deviceId)
  if (parsed instanceof MatrixError) return parsed.errcode
  const verified = verifyDeviceKeys(parsed)
  return verified instanceof MatrixError ? verified.errcode : verified.ed25519
}
const withKey = (keyId: string, key: string): JsonObject => {
  const changed = { ...keys, keys: { ...(keys.keys as JsonObject), [keyId]: key }, signatures: {} }
  return signedBy(changed, userId, 'ed25519:PHONE', `${userId}/${deviceId}`)
}

const withoutKey = (keyId: string): JsonObject => {
  const { [keyId]: _gone, ...others } = keys.keys as JsonObject
  return signedBy({ ...keys, keys: others, signatures: {} }, userId, 'ed25519:PHONE', `${userId}/${deviceId}`)
}

describe('verifyDeviceKeys', () => {
  test.each([
    ['takes keys that the device has signed', keys, identity],
    ['refuses what was changed after it was signed', { ...keys, algorithms: ['m.olm.v1.curve25519-aes-sha2'] }, 'M_INVALID_PARAM'],
    ['refuses a Curve25519 key of small order', withKey('curve25519:PHONE', SMALL), 'M_INVALID_PARAM'],
    ['refuses a Curve25519 key that is too short', withKey('curve25519:PHONE', 'AAAA'), 'M_INVALID_PARAM'],
    ['refuses another Ed25519 key that is no point of its curve', withKey('ed25519:OTHER', 'AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'), 'M_INVALID_PARAM'],
    ['lets keys of algorithms be that it does not know', withKey('kyber:PHONE', 'whatever'), identity],
    ['finds no key that speaks for a device that signs nothing', { ...keys, signatures: {} }, null],
    ['refuses a device without the key that it signs with', withoutKey('ed25519:PHONE'), 'M_INVALID_PARAM'],
    ['refuses a device without the key that others encrypt for', withoutKey('curve25519:PHONE'), 'M_INVALID_PARAM'],
    ['refuses a key that is named after another device', withKey('curve25519:OTHER', curve25519Key('x')), 'M_INVALID_PARAM'],
    ['refuses a key without algorithm', withKey(':PHONE', curve25519Key('x')), 'M_INVALID_PARAM'],
    ['refuses a bad point of a device that signs nothing', { ...keys, keys: { 'ed25519:PHONE': SMALL }, signatures: {} }, 'M_INVALID_PARAM'],
    ['lets the signatures of algorithms be that are not the spec’s', { ...keys, algorithms: ['org.example.own'], signatures: { [userId]: { 'ed25519:PHONE': 'x' } } }, null],
  ])('%s', (_says, object, expected) => {
    expect(verdictOf(object as JsonObject)).toBe(expected)
  })
})

describe('verifyOneTimeKeys', () => {
  const read = (uploaded: JsonObject) => {
    const parsed = parseUploadedKeys(uploaded, 'one_time_keys')
    if (parsed instanceof MatrixError) throw parsed
    return parsed
  }
  const signed = oneTimeKeysOf(userId, deviceId, 1, 2)
  const forged = { 'signed_curve25519:AAA1': signedBy({ key: curve25519Key('x') }, userId, 'ed25519:PHONE', 'mallory') }

  test.each([
    ['takes keys that the device has signed', signed, identity, { signedBy: identity }],
    ['refuses a key that someone else has signed', forged, identity, 'M_INVALID_PARAM'],
    ['refuses a signed key of a device without identity', signed, null, 'M_INVALID_PARAM'],
    ['refuses a signed key without object', { 'signed_curve25519:AAA1': curve25519Key('x') }, identity, 'M_INVALID_PARAM'],
    ['refuses a key of small order', { 'curve25519:AAA1': SMALL }, identity, 'M_INVALID_PARAM'],
    ['takes an unsigned key of an algorithm without signatures', { 'curve25519:AAA1': curve25519Key('x') }, null, { signedBy: null }],
    ['knows nothing of other algorithms', { 'my_algorithm:1': 'anything' }, null, { signedBy: null }],
  ])('%s', (_says, uploaded, by, expected) => {
    const verified = verifyOneTimeKeys(read(uploaded as JsonObject), by, owner)
    expect(verified instanceof MatrixError ? verified.errcode : verified).toEqual(expected)
  })
})

const P = 2n ** 255n - 19n
const ORDER_8 = [
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]
const asKey = (value: bigint): string =>
  Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse().toString('base64').replace(/=+$/, '')

describe('isCurve25519Key', () => {
  test.each([0n, 1n, P - 1n, P, P + 1n, ...ORDER_8].flatMap((point) => [point, point + 2n ** 255n]))(
    'refuses the point of small order %p, as the arithmetic does',
    (point) => {
      expect([isCurve25519Key(asKey(point)), checkCurve25519Key(asKey(point)).ok]).toEqual([false, false])
    },
  )

  test('agrees with the arithmetic on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 31, maxLength: 33 }), (bytes) => {
        const key = Buffer.from(bytes).toString('base64').replace(/=+$/, '')
        expect(isCurve25519Key(key)).toBe(checkCurve25519Key(key).ok)
      }),
      { numRuns: 100 },
    )
  })
})
