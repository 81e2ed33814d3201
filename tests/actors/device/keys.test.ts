import { describe, expect, test } from 'bun:test'
import { device } from '#actors/device/device.ts'
import { REMEMBERED_CLAIMS } from '#actors/device/encryption.ts'
import { ALGORITHMS_PER_DEVICE, ONE_TIME_KEYS_PER_DEVICE } from '#actors/device/keys.ts'
import { ringUsers } from '#actors/effects.ts'
import { given } from '#harness/given.ts'
import { deviceIdOf } from '#schema/identifiers.ts'

const userId = '@alice:a.example'
const deviceId = deviceIdOf('PHONE')
const phone = given(device, `${userId}/${deviceId}`).and({ kind: 'createDevice', displayName: null })

const key = (keyId: string, algorithm = 'signed_curve25519', digest = `digest of ${keyId}`) =>
  ({ algorithm, keyId, digest, json: JSON.stringify({ key: keyId }) })
const identity = (name: string) => ({ json: `{"name":"${name}"}`, digest: name, ed25519: `key of ${name}` })
const upload = { kind: 'uploadKeys', deviceKeys: null, oneTimeKeys: [], fallbackKeys: [], signedBy: null } as const
const claim = { kind: 'claimKey', algorithm: 'signed_curve25519' } as const
const counts = (outcome: { reply: unknown }) => (outcome.reply as { oneTimeKeyCounts: object }).oneTimeKeyCounts

describe('uploadKeys', () => {
  test('publishes identity, one-time and fallback keys, and rings who shares a room', () => {
    const [one, fallback] = [key('1'), key('F')]
    const outcome = phone.when({ ...upload, deviceKeys: identity('a'), oneTimeKeys: [one], fallbackKeys: [fallback], signedBy: 'key of a' })
    expect(outcome).toEqual({
      facts: [
        { kind: 'deviceKeysUploaded', userId, deviceId, ...identity('a') },
        { kind: 'oneTimeKeysUploaded', userId, deviceId, keys: [one] },
        { kind: 'fallbackKeysUploaded', userId, deviceId, keys: [fallback] },
      ],
      notes: [],
      effects: [ringUsers([userId], 'device-lists')],
      reply: { oneTimeKeyCounts: { signed_curve25519: 1 } },
    })
  })

  test('does nothing when everything is there already', () => {
    const all = { ...upload, deviceKeys: identity('a'), oneTimeKeys: [key('1')], fallbackKeys: [key('F')], signedBy: 'key of a' }
    expect(phone.and(all).when(all)).toMatchObject({ facts: [], effects: [], reply: { oneTimeKeyCounts: { signed_curve25519: 1 } } })
  })

  test('refuses another key under an id that is taken, and keeps nothing of the request', () => {
    const taken = phone.and({ ...upload, oneTimeKeys: [key('1')] })
    const outcome = taken.when({ ...upload, oneTimeKeys: [key('2'), key('1', 'signed_curve25519', 'other')] })
    expect(outcome).toMatchObject({ refused: 'M_INVALID_PARAM', facts: [] })
    expect(outcome.why).toStartWith('One time key signed_curve25519:1 already exists')
  })

  test('refuses keys that were verified against a key that is not the device’s any more', () => {
    const other = phone.and({ ...upload, deviceKeys: identity('b') })
    expect(other.when({ ...upload, oneTimeKeys: [key('1')], signedBy: 'key of a' })).toMatchObject({ refused: 'M_INVALID_PARAM' })
  })

  test('a device that is not there publishes nothing', () => {
    expect(given(device, `${userId}/${deviceId}`).when(upload)).toMatchObject({ refused: 'M_NOT_FOUND' })
  })

  test('a new identity voids the keys that the old one has signed', () => {
    const before = phone.and({ ...upload, deviceKeys: identity('a'), oneTimeKeys: [key('1')], fallbackKeys: [key('F')] })
    const after = before.and({ ...upload, deviceKeys: identity('b') })
    expect(after.when(claim)).toMatchObject({ facts: [], reply: null })
    expect(counts(before.when({ ...upload, deviceKeys: identity('b'), oneTimeKeys: [key('2')] }))).toEqual({ signed_curve25519: 1 })
  })

  test('counts every algorithm that the device ever had, also at zero', () => {
    const empty = phone.and({ ...upload, oneTimeKeys: [key('1', 'own')] }).and({ kind: 'claimKey', algorithm: 'own' })
    expect(counts(empty.when(upload))).toEqual({ signed_curve25519: 0, own: 0 })
  })

  test.each([
    ['one-time keys', ONE_TIME_KEYS_PER_DEVICE, (index: number) => key(`${index}`)],
    ['algorithms', ALGORITHMS_PER_DEVICE, (index: number) => key(`${index}`, `own-${index}`)],
  ])('a device may have so many %s and no more', (_says, limit, make) => {
    const keys = Array.from({ length: limit + 1 }, (_, index) => make(index))
    const full = phone.and({ ...upload, oneTimeKeys: keys.slice(1) })
    expect(full.when({ ...upload, oneTimeKeys: keys.slice(0, 1) })).toMatchObject({ refused: 'M_INVALID_PARAM' })
  })

  test('a fallback key takes no place among the one-time keys', () => {
    const keys = Array.from({ length: ONE_TIME_KEYS_PER_DEVICE }, (_, index) => key(`${index}`))
    const outcome = phone.when({ ...upload, oneTimeKeys: keys, fallbackKeys: [key('F')] })
    expect(counts(outcome)).toEqual({ signed_curve25519: ONE_TIME_KEYS_PER_DEVICE })
  })
})

describe('claimKey', () => {
  const stocked = phone.and({ ...upload, oneTimeKeys: [key('9'), key('1')] }).and({ ...upload, oneTimeKeys: [key('5')] })

  test('hands out the oldest first, each once, then nothing', () => {
    const handed = []
    let now = stocked
    for (let count = 0; count < 4; count++) {
      handed.push(now.when(claim).reply)
      now = now.and(claim)
    }
    const once = (keyId: string) => ({ keyId, isFallback: false })
    expect(handed).toEqual([once('9'), once('1'), once('5'), null])
  })

  test('a repeated upload does not bring back what was handed out', () => {
    const again = stocked.and(claim).when({ ...upload, oneTimeKeys: [key('9'), key('1')] })
    expect(again).toMatchObject({ facts: [], reply: { oneTimeKeyCounts: { signed_curve25519: 2 } } })
  })

  test('an id may come again with another key', () => {
    const other = key('9', 'signed_curve25519', 'other')
    expect(stocked.and(claim).when({ ...upload, oneTimeKeys: [other] }).facts).toMatchObject([{ keys: [other] }])
  })

  test('hands out the fallback key for ever, and notes that it was used once', () => {
    const left = phone.and({ ...upload, fallbackKeys: [key('F')] })
    const reply = { keyId: 'F', isFallback: true }
    expect(left.when(claim)).toMatchObject({
      facts: [{ kind: 'fallbackKeyUsed', userId, deviceId, algorithm: 'signed_curve25519' }], reply,
    })
    expect(left.and(claim).when(claim)).toMatchObject({ facts: [], reply })
  })

  test('a used fallback key that is uploaded again stays used; a new one is unused', () => {
    const used = phone.and({ ...upload, fallbackKeys: [key('F')] }).and(claim)
    expect(used.when({ ...upload, fallbackKeys: [key('F')] }).facts).toEqual([])
    expect(used.and({ ...upload, fallbackKeys: [key('G')] }).when(claim).facts).toHaveLength(1)
  })

  test('knows the handed-out keys of a snapshot, and no more of them than it has to', () => {
    const keys = Array.from({ length: 20 }, (_, index) => key(`${index}`))
    let spent = phone.and({ ...upload, oneTimeKeys: keys, deviceKeys: identity('a'), fallbackKeys: [key('F')] })
    for (let count = 0; count < 5; count++) spent = spent.and(claim)
    const frozen = JSON.parse(JSON.stringify(device.snapshot.freeze(spent.memory)))
    expect(device.snapshot.thaw(frozen as never, `${userId}/${deviceId}`)).toEqual(spent.memory)
    expect(spent.memory.encryption.claimed.size).toBe(5)
    expect(REMEMBERED_CLAIMS).toBeGreaterThanOrEqual(ONE_TIME_KEYS_PER_DEVICE)
  })
})

describe('starting over', () => {
  const stocked = phone.and({ ...upload, deviceKeys: identity('a'), oneTimeKeys: [key('1')], fallbackKeys: [key('F')] })
  const dropped = stocked.and({ kind: 'dropOneTimeKeys' })

  test('nothing of what was there is handed out, nor taken again', () => {
    expect(dropped.memory.encryption.oneTimeKeys).toEqual(new Map([['signed_curve25519', new Map()]]))
    expect(dropped.when({ ...upload, oneTimeKeys: [key('1'), key('2')] }).facts).toMatchObject([{ keys: [key('2')] }])
  })

  test('the fallback key counts as used, so that another one comes, and serves until then', () => {
    expect(stocked.when({ kind: 'dropOneTimeKeys' }).facts).toEqual([
      { kind: 'oneTimeKeysDropped', userId, deviceId },
      { kind: 'fallbackKeyUsed', userId, deviceId, algorithm: 'signed_curve25519' },
    ])
    expect(dropped.when(claim)).toMatchObject({ facts: [], reply: { keyId: 'F', isFallback: true } })
  })

  test('is done once', () => {
    expect(dropped.when({ kind: 'dropOneTimeKeys' }).facts).toEqual([])
  })

  test('after a restore whoever encrypts for the device looks at its keys again', () => {
    const doubted = { kind: 'deviceKeysDoubted', userId, deviceId } as const
    expect(dropped.when({ kind: 'noticeRestore' }).facts).toEqual([doubted])
    expect(stocked.when({ kind: 'noticeRestore' }).facts).toEqual([...stocked.when({ kind: 'dropOneTimeKeys' }).facts, doubted])
    expect(phone.when({ kind: 'noticeRestore' }).facts).toEqual([])
  })
})

test('a device that is removed forgets its keys', () => {
  const gone = phone.and({ ...upload, deviceKeys: identity('a'), oneTimeKeys: [key('1')], fallbackKeys: [key('F')] }).and({ kind: 'endSession' })
  expect(gone.and({ kind: 'createDevice', displayName: null }).memory).toEqual(phone.memory)
})
