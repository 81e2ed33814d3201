import { describe, expect, test } from 'bun:test'
import { SIGNATURE_TRIES_LIMIT } from '#core/event-auth/third-party-invite.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { signJson, signingKeyFromSeed } from '#core/signing.ts'
import { ALL_VERSIONS, type Furnishing, furnishedRoom, memberOf, outcome } from '#harness/dag.ts'
import { serverNameOf } from '#schema/identifiers.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'

const identityServer = serverNameOf('x:id.example')
const key = signingKeyFromSeed('ed25519:0', new Uint8Array(32).fill(1))
const otherKey = signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(2))
const signed = signJson({ mxid: charlie, token: 'abc' }, identityServer, key)

const invitation = (content: JsonObject = { public_key: key.publicKey }, stateKey = 'abc') =>
  ({ type: 'm.room.third_party_invite', sender: alice, stateKey, content }) as const

const room = (furnishing: Furnishing = {}): Furnishing => ({ state: [invitation()], ...furnishing })

const invited = (
  furnishing: Furnishing,
  third_party_invite: Json,
  sender: typeof alice | typeof bob = alice,
) =>
  ALL_VERSIONS.map((version) => {
    const dag = furnishedRoom(version, furnishing)
    return outcome(dag.check(dag.make(memberOf('invite', sender, charlie, { third_party_invite }))))
  })

const always = (expected: string) => Array(12).fill(expected)

describe('G-25: 4.1 an invite made from a third-party invitation', () => {
  test('4.1.7 is allowed when the invitation’s key has signed it', () => {
    expect(invited(room(), { display_name: 'c', signed })).toEqual(always('allow'))
  })

  test('4.1.7 is allowed without the invite level and after its sender has left', () => {
    const high = room({ levels: { invite: 100, users: {} } })
    expect(invited(high, { signed })).toEqual(always('allow'))
    expect(invited(room({ state: [invitation(), memberOf('leave', alice, alice)] }), { signed })).toEqual(
      always('allow'),
    )
  })

  test('4.1.7 is allowed when one key of several has signed it', () => {
    const listed = {
      public_key: otherKey.publicKey,
      public_keys: [{ public_key: 'junk' }, 7, { public_key: key.publicKey }],
    }
    expect(invited(room({ state: [invitation(listed)] }), { signed })).toEqual(always('allow'))
  })

  test('4.1.7 is allowed with one signature of several', () => {
    const twice = signJson(
      signJson({ mxid: charlie, token: 'abc' }, identityServer, otherKey),
      identityServer,
      key,
    )
    expect(invited(room(), { signed: twice })).toEqual(always('allow'))
  })

  test('4.1.1 is rejected when the target is banned', () => {
    expect(invited(room({ members: { [charlie]: 'ban' } }), { signed })).toEqual(always('auth.member.4.1.1'))
  })

  test.each([
    ['4.1.2', 'has no signed part', {}, 'auth.member.4.1.2'],
    ['4.1.2', 'has a signed part that is no object', { signed: 'abc' }, 'auth.member.4.1.2'],
    ['4.1.2', 'is no object', 'abc', 'auth.member.4.1.2'],
    ['4.1.2', 'is null', null, 'auth.member.4.1.2'],
    ['4.1.3', 'names no user', { signed: { token: 'abc' } }, 'auth.member.4.1.3'],
    ['4.1.3', 'names no token', { signed: { mxid: charlie } }, 'auth.member.4.1.3'],
    ['4.1.4', 'is for another user', { signed: { mxid: bob, token: 'abc' } }, 'auth.member.4.1.4'],
    [
      '4.1.5',
      'has a token that the room does not know',
      { signed: { mxid: charlie, token: 'xyz' } },
      'auth.member.4.1.5',
    ],
    ['4.1.8', 'has no signatures', { signed: { mxid: charlie, token: 'abc' } }, 'auth.member.4.1.8'],
    [
      '4.1.8',
      'has signatures of no shape',
      { signed: { mxid: charlie, token: 'abc', signatures: [] } },
      'auth.member.4.1.8',
    ],
    [
      '4.1.8',
      'has signatures that are no texts',
      { signed: { ...signed, signatures: { 'id.example': { 'ed25519:0': 7 } } } },
      'auth.member.4.1.8',
    ],
    ['4.1.8', 'was altered after it was signed', { signed: { ...signed, more: 1 } }, 'auth.member.4.1.8'],
    ['4.1.8', 'holds half a surrogate pair', { signed: { ...signed, more: '\ud800' } }, 'auth.member.4.1.8'],
    [
      '4.1.8',
      'is signed by another key',
      { signed: signJson({ mxid: charlie, token: 'abc' }, identityServer, otherKey) },
      'auth.member.4.1.8',
    ],
  ] as const)('%s is rejected when it %s', (_number, _sentence, third_party_invite, expected) => {
    expect(invited(room(), third_party_invite)).toEqual(always(expected))
  })

  test('4.1.6 is rejected when somebody else sends it', () => {
    expect(invited(room({ members: { [bob]: 'join' } }), { signed }, bob)).toEqual(
      always('auth.member.4.1.6'),
    )
  })

  test('4.1.8 is rejected when the invitation has no key', () => {
    for (const content of [{}, { public_key: 7 }, { public_keys: 'abc' }, { public_key: 'AA' }])
      expect(invited(room({ state: [invitation(content)] }), { signed })).toEqual(always('auth.member.4.1.8'))
  })

  test('4.1.8 is rejected with a key of small order, whatever it seems to have signed', () => {
    // The neutral point of the curve: with it, a signature made of the same point and a zero fits every text.
    const neutral = Buffer.from([1, ...Array(31).fill(0)]).toString('base64').replace('=', '')
    const signature = Buffer.from([1, ...Array(63).fill(0)]).toString('base64').replaceAll('=', '')
    const forged = { mxid: charlie, token: 'abc', signatures: { 'id.example': { 'ed25519:0': signature } } }
    expect(invited(room({ state: [invitation({ public_key: neutral })] }), { signed: forged })).toEqual(
      always('auth.member.4.1.8'),
    )
  })

  test('tries no more than so many signatures', () => {
    const fillers = Object.fromEntries(
      Array.from({ length: SIGNATURE_TRIES_LIMIT }, (_, n) => [`ed25519:f${n}`, 'AA']),
    )
    const last = signed.signatures['id.example'] ?? {}
    const withFillers = (count: number) => ({
      ...signed,
      signatures: {
        'a.example': Object.fromEntries(Object.entries(fillers).slice(0, count)),
        'id.example': last,
      },
    })
    const dag = furnishedRoom('10', room())
    const answer = (count: number) =>
      outcome(
        dag.check(
          dag.make(
            memberOf('invite', alice, charlie, { third_party_invite: { signed: withFillers(count) } }),
          ),
        ),
      )
    expect([answer(SIGNATURE_TRIES_LIMIT - 1), answer(SIGNATURE_TRIES_LIMIT)]).toEqual(
      ['allow', 'auth.member.4.1.8'],
    )
  })
})
