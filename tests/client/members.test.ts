import { describe, expect, test } from 'bun:test'
import type { Caller } from '#harness/house.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, type ShownEvent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

async function listMembers(caller: Caller, roomId: RoomId, query = ''): Promise<[string | undefined, unknown][]> {
  const { chunk } = await done(caller, 'GET', inRoom(roomId, `/members${query}`))
  return (chunk as ShownEvent[]).map(({ state_key: key, content }): [string | undefined, unknown] => [key, content.membership]).toSorted()
}

async function fullRoom() {
  const world = await house()
  const { alice, bob, register } = world
  const [carol, dave] = [await register('carol'), await register('dave')]
  const roomId = await makeRoom(alice, { invite: [dave.userId] })
  await bringIn(alice, roomId, bob, carol)
  await done(carol, 'POST', inRoom(roomId, '/leave'), {})
  return { ...world, carol, dave, roomId }
}

describe('members', () => {
  test('lists everyone who has a membership', async () => {
    const { alice, roomId } = await fullRoom()
    expect(await listMembers(alice, roomId)).toEqual([
      ['@alice:a.example', 'join'], ['@bob:a.example', 'join'], ['@carol:a.example', 'leave'], ['@dave:a.example', 'invite'],
    ])
  })

  test.each([
    ['?membership=join', ['@alice:a.example', '@bob:a.example']],
    ['?membership=invite', ['@dave:a.example']],
    ['?not_membership=leave', ['@alice:a.example', '@bob:a.example', '@dave:a.example']],
    ['?membership=join&not_membership=join', []],
  ])('%s picks by membership', async (query, userIds) => {
    const { alice, roomId } = await fullRoom()
    expect((await listMembers(alice, roomId, query)).map(([userId]) => userId as string)).toEqual(userIds)
  })

  test('at a token of /messages or /sync shows who was there then', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    const { start } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=1'))
    const { next_batch: token } = await done(alice, 'GET', '/v3/sync')
    await bringIn(alice, roomId, bob)
    for (const at of [start, token]) expect(await listMembers(alice, roomId, `?at=${String(at)}`)).toEqual([['@alice:a.example', 'join']])
    expect(await alice.answer('GET', inRoom(roomId, '/members?at=nonsense'))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('shows those who left the members of that moment, themselves gone', async () => {
    const { bob, carol, alice, roomId } = await fullRoom()
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'alone')
    expect(await listMembers(carol, roomId)).toEqual([
      ['@alice:a.example', 'join'], ['@bob:a.example', 'join'], ['@carol:a.example', 'leave'], ['@dave:a.example', 'invite'],
    ])
  })

  test('is closed to those who never joined', async () => {
    const { dave, register, roomId } = await fullRoom()
    const eve = await register('eve')
    for (const caller of [dave, eve]) expect(await caller.answer('GET', inRoom(roomId, '/members'))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })

  test('refuses a membership that does not exist', async () => {
    const { alice, roomId } = await fullRoom()
    expect(await alice.answer('GET', inRoom(roomId, '/members?membership=lurk'))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })
})

describe('joined_members', () => {
  test('names those who are in the room, with null for what they have not set', async () => {
    const { alice, register } = await house()
    const carol = await register('carol', { displayname: 'Carol' })
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, carol)
    expect(await done(alice, 'GET', inRoom(roomId, '/joined_members'))).toEqual({
      joined: {
        '@alice:a.example': { display_name: null, avatar_url: null },
        '@carol:a.example': { display_name: 'Carol', avatar_url: null },
      },
    })
  })

  test('is for those in the room only', async () => {
    const { carol, roomId } = await fullRoom()
    expect(await carol.answer('GET', inRoom(roomId, '/joined_members'))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })
})
