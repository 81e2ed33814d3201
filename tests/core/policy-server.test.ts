import { describe, expect, test } from 'bun:test'
import type { JsonObject, Pdu, RoomEvent } from '#schema/pdu.ts'
import { checkPolicySignature, policyServerOf } from '#core/policy-server.ts'
import { signEvent, signingKeyFromSeed } from '#core/signing.ts'
import { ALL_VERSIONS, furnishedRoom, messageBy, outcome, rulesOf } from '#harness/dag.ts'
import { serverNameOf } from '#schema/identifiers.ts'

const policyKey = signingKeyFromSeed('ed25519:policy_server', new Uint8Array(32).fill(3))
const otherKey = signingKeyFromSeed('ed25519:policy_server', new Uint8Array(32).fill(4))
const ownKey = signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(5))
const serverName = serverNameOf('@bot:policy.example')
const server = { serverName, publicKey: policyKey.publicKey }
const usual = { via: serverName, public_keys: { ed25519: policyKey.publicKey } }

const policyWith = (content: JsonObject): RoomEvent =>
  furnishedRoom('12').make({ type: 'm.room.policy', sender: '@alice:a.example', stateKey: '', content })

describe('G-12: the policy server of a room', () => {
  test.each([
    ['is named by via and its key', usual, server],
    ['may have keys of other algorithms', { ...usual, public_keys: { ...usual.public_keys, new: 'x' } }, server],
    ['needs a server', { public_keys: usual.public_keys }, undefined],
    ['needs a server that is a text', { ...usual, via: 5 }, undefined],
    ['needs a server that is one', { ...usual, via: 'no server' }, undefined],
    ['needs keys', { via: usual.via }, undefined],
    ['needs keys in an object', { ...usual, public_keys: [policyKey.publicKey] }, undefined],
    ['needs an Ed25519 key', { ...usual, public_keys: { new: 'x' } }, undefined],
    ['needs a key that is a text', { ...usual, public_keys: { ed25519: null } }, undefined],
  ])('%s', (_says, content, expected) => {
    expect(policyServerOf(policyWith(content))).toEqual(expected as typeof server)
  })

  test('is none without the event', () => {
    expect(policyServerOf(undefined)).toBeUndefined()
  })
})

describe('G-12: an event in a room with a policy server', () => {
  const inAll = (sealed: (message: Pdu, version: (typeof ALL_VERSIONS)[number]) => Pdu): string[] => [
    ...new Set(ALL_VERSIONS.map((version) => {
      const message = furnishedRoom(version).make(messageBy('@alice:a.example')).pdu
      return outcome(checkPolicySignature(rulesOf(version), sealed(message, version), server))
    })),
  ]

  test('is recommended when that server has signed it, beside its own', () => {
    expect(inAll((message, version) => {
      const own = signEvent(rulesOf(version), message, serverNameOf(message.sender), ownKey)
      return signEvent(rulesOf(version), own, serverName, policyKey)
    })).toEqual(['allow'])
  })

  test('is not when the server has not', () => {
    expect(inAll((message, version) => signEvent(rulesOf(version), message, serverNameOf(message.sender), ownKey))).toEqual(['policy.missing'])
  })

  test('is not when the server has signed with the key of its own events', () => {
    expect(inAll((message, version) => signEvent(rulesOf(version), message, serverName, ownKey))).toEqual(['policy.missing'])
  })

  test('is not when another key has signed it', () => {
    expect(inAll((message, version) => signEvent(rulesOf(version), message, serverName, otherKey))).toEqual(['policy.signature'])
  })

  test('is not when it was altered since', () => {
    expect(inAll((message, version) => ({ ...signEvent(rulesOf(version), message, serverName, policyKey), depth: 99 }))).toEqual(['policy.signature'])
  })

  test('is recommended unsigned when it sets the policy server, and no other way', () => {
    const policy = { ...policyWith(usual).pdu }
    const { state_key: _stateKey, ...asMessage } = policy
    const outcomes = [policy, { ...policy, state_key: 'x' }, asMessage].map((pdu) => outcome(checkPolicySignature(rulesOf('12'), pdu, server)))
    expect(outcomes).toEqual(['allow', 'policy.missing', 'policy.missing'])
  })
})
