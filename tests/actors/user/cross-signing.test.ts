import { describe, expect, test } from 'bun:test'
import { ringUsers } from '#actors/effects.ts'
import { user } from '#actors/user/user.ts'
import { given } from '#harness/given.ts'

const userId = '@alice:a.example'
const alice = given(user, userId).and({ kind: 'register', passwordHash: null, isAdmin: false, isGuest: false, displayname: null })
const key = (name: string) => ({ publicKey: name, json: `{"key":"${name}"}`, digest: `digest of ${name}` })
const all = (generation: string) =>
  ({ master: key(`M${generation}`), selfSigning: key(`S${generation}`), userSigning: key(`U${generation}`) })
const upload = (keys: object, signedBy: string | null, isProven = false) =>
  ({ kind: 'uploadCrossSigningKeys', keys, signedBy, isProven }) as const
const first = upload(all('1'), 'M1')
const owner = alice.and(first)
const deviceLists = [ringUsers([userId], 'device-lists')]

describe('uploadCrossSigningKeys', () => {
  test('the first upload is free', () => {
    expect(alice.when(first)).toEqual({
      facts: [{ kind: 'crossSigningKeysUploaded', userId, isNewMaster: true, ...all('1') }],
      notes: [],
      effects: deviceLists,
      reply: { needsProof: false },
    })
  })

  test('the same upload again is free and changes nothing', () => {
    expect(owner.when(first)).toMatchObject({ facts: [], effects: [], reply: { needsProof: false } })
  })

  test.each([
    ['all keys', upload(all('2'), 'M2')],
    ['the master key', upload({ master: key('M2') }, null)],
    ['the self-signing key', upload({ selfSigning: key('S2') }, 'M1')],
    ['the user-signing key', upload({ userSigning: key('U2') }, 'M1')],
  ])('replacing %s needs a proof, and without one nothing happens', (_says, command) => {
    expect(owner.when(command)).toMatchObject({ facts: [], reply: { needsProof: true } })
    expect(owner.when({ ...command, isProven: true })).toMatchObject({ facts: [{}], reply: { needsProof: false } })
  })

  test('a key that was not there needs a proof too', () => {
    const master = alice.and(upload({ master: key('M1') }, null))
    expect(master.when(upload({ selfSigning: key('S1') }, 'M1')).reply).toEqual({ needsProof: true })
  })

  test('a new master key voids the keys that the old one has signed', () => {
    const renewed = owner.and(upload({ master: key('M2') }, null, true))
    expect([...renewed.memory.encryption.crossSigning.keys()]).toEqual(['master'])
    expect(renewed.when(upload({ selfSigning: key('S1') }, 'M1', true))).toMatchObject({ refused: 'M_INVALID_SIGNATURE' })
  })

  test('further signatures on a key that is there are free', () => {
    const signed = { ...key('M1'), digest: 'with a signature' }
    expect(owner.when(upload({ master: signed }, null)).facts).toEqual([
      { kind: 'crossSigningKeysUploaded', userId, isNewMaster: false, master: signed },
    ])
  })

  test('an account that is closed has none', () => {
    expect(owner.and({ kind: 'deactivateUser', isErased: false }).when(first)).toMatchObject({ refused: 'M_USER_DEACTIVATED' })
    expect(owner.and({ kind: 'deactivateUser', isErased: false }).memory.encryption.crossSigning.size).toBe(0)
  })
})

describe('uploadCrossSigningSignatures', () => {
  const signature = (by: 'device' | 'selfSigning' | 'userSigning', keyId: string) =>
    ({ targetUser: userId, target: 'PHONE', keyId, signature: 'sig', by }) as const
  const sign = (...signatures: ReturnType<typeof signature>[]) => ({ kind: 'uploadCrossSigningSignatures', signatures }) as const

  test('keeps what a current key has signed and tells everyone', () => {
    expect(owner.when(sign(signature('selfSigning', 'ed25519:S1'), signature('device', 'ed25519:PHONE')))).toMatchObject({
      facts: [{
        kind: 'keySignaturesUploaded',
        userId,
        signatures: [
          { targetUser: userId, target: 'PHONE', keyId: 'ed25519:S1', signature: 'sig' },
          { targetUser: userId, target: 'PHONE', keyId: 'ed25519:PHONE', signature: 'sig' },
        ],
      }],
      effects: deviceLists,
    })
  })

  test('a key that was replaced in the meantime has nothing to say', () => {
    expect(owner.when(sign(signature('selfSigning', 'ed25519:S0')))).toMatchObject({ facts: [], effects: [] })
  })
})

test('a snapshot holds all of it', () => {
  const { memory } = owner.and({ kind: 'postRoomKeysVersion', algorithm: 'a', authData: '{}' })
  const frozen = JSON.parse(JSON.stringify(user.snapshot.freeze(memory)))
  expect(user.snapshot.thaw(frozen as never, userId)).toEqual(memory)
})
