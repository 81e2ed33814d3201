import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import { signJson, signingKeyFromSeed } from '#core/signing.ts'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, setState, type ShownEvent, stateContent, wholeState } from '#harness/rooms.ts'
import { serverNameOf } from '#schema/identifiers.ts'

const identityServer = serverNameOf('x:id.example')
const key = signingKeyFromSeed('ed25519:0', new Uint8Array(32).fill(1))
const otherKey = signingKeyFromSeed('ed25519:0', new Uint8Array(32).fill(2))
const TOKEN = 'abc'

/** What the identity server gives to who has shown that the address is theirs. */
const proof = (by: Caller, mxid: string, changes: JsonObject = {}, signer = key): JsonObject =>
  signJson({ mxid, sender: by.userId, token: TOKEN, ...changes }, identityServer, signer)

/** A room of alice's into which a mail address was invited. */
async function invited() {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  const content = { display_name: 'b...@example.org', public_key: key.publicKey, key_validity_url: 'https://id.example/isvalid' }
  const inviteId = await setState(world.alice, roomId, 'm.room.third_party_invite', content, TOKEN)
  const join = (caller: Caller, signed: unknown) => caller.answer('POST', inRoom(roomId, '/join'), { third_party_signed: signed })
  return { ...world, roomId, inviteId, join }
}

const FORBIDDEN = { status: 403, body: { errcode: 'M_FORBIDDEN' } }

describe('a join with third_party_signed', () => {
  test('makes the invite of the address one of the user, in the name of its sender, and takes it', async () => {
    const { alice, bob, roomId, join } = await invited()
    const signed = proof(alice, bob.userId)
    expect(await join(bob, signed)).toEqual({ status: 200, body: { room_id: roomId } })
    const { chunk } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=2'))
    const [joined, invite] = chunk as ShownEvent[]
    expect(joined).toMatchObject({ type: 'm.room.member', sender: bob.userId, content: { membership: 'join' } })
    expect(joined?.content).not.toHaveProperty('third_party_signed')
    expect(invite).toMatchObject({ type: 'm.room.member', sender: alice.userId, state_key: bob.userId })
    expect(invite?.content).toEqual({ membership: 'invite', third_party_invite: { display_name: 'b...@example.org', signed } })
  })

  test('works by the address of the room, and after whoever invited has left', async () => {
    const { alice, bob, register, roomId } = await invited()
    const carol = await register('carol')
    await bringIn(alice, roomId, carol)
    await done(alice, 'PUT', '/v3/directory/room/%23den%3Aa.example', { room_id: roomId })
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    expect(await bob.answer('POST', '/v3/join/%23den%3Aa.example', { third_party_signed: proof(alice, bob.userId) })).toEqual({
      status: 200, body: { room_id: roomId },
    })
    expect(await stateContent(carol, roomId, 'm.room.member', bob.userId)).toMatchObject({ membership: 'join' })
  })

  test.each<[string, (alice: Caller, bob: Caller) => JsonObject]>([
    ['signed for another user', (alice) => proof(alice, alice.userId)],
    ['signed by another key', (alice, bob) => proof(alice, bob.userId, {}, otherKey)],
    ['with a token that the room does not know', (alice, bob) => proof(alice, bob.userId, { token: 'xyz' })],
    ['changed after it was signed', (alice, bob) => ({ ...proof(alice, bob.userId), sender: '@mallory:a.example' })],
  ])('is refused when the proof is %s, and nobody is invited', async (_says, make) => {
    const { alice, bob, roomId, join } = await invited()
    expect(await join(bob, make(alice, bob))).toMatchObject(FORBIDDEN)
    expect((await wholeState(alice, roomId)).filter(({ state_key: stateKey }) => stateKey === bob.userId)).toEqual([])
  })

  test('is refused once the invite was taken back', async () => {
    const { alice, bob, roomId, join } = await invited()
    await setState(alice, roomId, 'm.room.third_party_invite', {}, TOKEN)
    expect(await join(bob, proof(alice, bob.userId))).toMatchObject(FORBIDDEN)
  })

  test('is refused for who is banned', async () => {
    const { alice, bob, roomId, join } = await invited()
    await done(alice, 'POST', inRoom(roomId, '/ban'), { user_id: bob.userId })
    expect(await join(bob, proof(alice, bob.userId))).toMatchObject(FORBIDDEN)
  })

  test('adds nothing for who is in the room, or invited by name', async () => {
    const { alice, bob, roomId, join } = await invited()
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    for (let times = 0; times < 2; times++) await join(bob, proof(alice, bob.userId))
    const { chunk } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=3'))
    expect((chunk as ShownEvent[]).map(({ type, content }) => content.membership ?? type)).toEqual(['join', 'invite', 'm.room.third_party_invite'])
  })

  test.each([
    ['no token', { mxid: '@bob:a.example', sender: '@alice:a.example', signatures: {} }, 'M_MISSING_PARAM'],
    ['no object', 'abc', 'M_BAD_JSON'],
  ])('is bad with %s', async (_says, signed, errcode) => {
    const { bob, join } = await invited()
    expect(await join(bob, signed)).toMatchObject({ status: 400, body: { errcode } })
  })
})

test('the invite of an address is for those who may invite', async () => {
  const { alice, bob, roomId } = await invited()
  await bringIn(alice, roomId, bob)
  await setState(alice, roomId, 'm.room.power_levels', { ...(await stateContent(alice, roomId, 'm.room.power_levels')), invite: 50 })
  const path = inRoom(roomId, '/state/m.room.third_party_invite/def')
  expect(await bob.answer('PUT', path, { display_name: 'c', public_key: key.publicKey })).toMatchObject(FORBIDDEN)
})
