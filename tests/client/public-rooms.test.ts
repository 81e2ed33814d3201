import { describe, expect, test } from 'bun:test'
import type { Caller } from '#harness/house.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, setState } from '#harness/rooms.ts'

const refused = (status: number, errcode: string) => ({ status, body: { errcode } })
const OPEN_DIRECTORY = { room_list_publication_rules: [{ action: 'allow' }] }

type Directory = Readonly<{ chunk: Record<string, unknown>[]; next_batch?: string; prev_batch?: string; total_room_count_estimate: number }>
const search = async (caller: Caller, body: object = {}): Promise<Directory> =>
  (await done(caller, 'POST', '/v3/publicRooms', body)) as unknown as Directory
const namesOf = ({ chunk }: Directory): unknown[] => chunk.map(({ name }) => name)

describe('the directory', () => {
  test('shows what a room says of itself', async () => {
    const { alice } = await house(OPEN_DIRECTORY)
    const roomId = await makeRoom(alice, {
      visibility: 'public',
      name: 'The den',
      topic: 'Digging',
      room_alias_name: 'den',
      creation_content: { type: 'm.space' },
      initial_state: [
        { type: 'm.room.avatar', content: { url: 'mxc://a.example/burrow' } },
        { type: 'm.room.guest_access', content: { guest_access: 'can_join' } },
        { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
      ],
    })
    expect(await done(alice, 'GET', '/v3/publicRooms')).toEqual({
      chunk: [{
        room_id: roomId,
        name: 'The den',
        topic: 'Digging',
        canonical_alias: '#den:a.example',
        avatar_url: 'mxc://a.example/burrow',
        room_type: 'm.space',
        join_rule: 'public',
        num_joined_members: 1,
        world_readable: true,
        guest_can_join: true,
      }],
      total_room_count_estimate: 1,
    })
  })

  test('leaves out what a room has not set, or set to nonsense', async () => {
    const { alice } = await house(OPEN_DIRECTORY)
    const roomId = await makeRoom(alice, { visibility: 'public' })
    await setState(alice, roomId, 'm.room.name', { name: { not: 'text' } })
    expect((await search(alice)).chunk).toEqual([
      { room_id: roomId, join_rule: 'public', num_joined_members: 1, world_readable: false, guest_can_join: false },
    ])
  })

  test('has the fullest rooms first, pages both ways and shows each once', async () => {
    const { alice, bob } = await house(OPEN_DIRECTORY)
    for (const name of ['one', 'two', 'three', 'four', 'five']) {
      const roomId = await makeRoom(alice, { visibility: 'public', name })
      if (name === 'four') await bringIn(alice, roomId, bob)
    }
    const first = await search(bob, { limit: 2 })
    expect(namesOf(first)).toEqual(['four', 'one'])
    expect(first).toMatchObject({ total_room_count_estimate: 5 })
    expect(first.prev_batch).toBeUndefined()
    const second = await search(bob, { limit: 2, since: first.next_batch })
    expect(namesOf(second)).toEqual(['two', 'three'])
    const third = await search(bob, { limit: 2, since: second.next_batch })
    expect(namesOf(third)).toEqual(['five'])
    expect(third.next_batch).toBeUndefined()
    expect(namesOf(await search(bob, { limit: 2, since: third.prev_batch }))).toEqual(['two', 'three'])
    expect(namesOf(await search(bob, { limit: 2, since: second.prev_batch }))).toEqual(['four', 'one'])
    expect(await done(bob, 'GET', `/v3/publicRooms?limit=1&since=${first.next_batch}`)).toMatchObject({ chunk: [{ name: 'two' }] })
  })

  test('finds rooms by name, topic and alias, whatever the case, and by type', async () => {
    const { alice } = await house(OPEN_DIRECTORY)
    await makeRoom(alice, { visibility: 'public', name: 'Café' })
    await makeRoom(alice, { visibility: 'public', name: 'b', topic: 'All about CAFÉS' })
    await makeRoom(alice, { visibility: 'public', name: 'c', room_alias_name: 'café' })
    await makeRoom(alice, { visibility: 'public', name: 'space', creation_content: { type: 'm.space' } })
    const found = await search(alice, { filter: { generic_search_term: 'cAFé' } })
    expect(namesOf(found)).toEqual(['Café', 'b', 'c'])
    expect(found.total_room_count_estimate).toBe(3)
    expect(namesOf(await search(alice, { filter: { room_types: ['m.space'] } }))).toEqual(['space'])
    expect(namesOf(await search(alice, { filter: { room_types: [null] } }))).toEqual(['Café', 'b', 'c'])
    expect(namesOf(await search(alice, { filter: { room_types: [] } }))).toEqual([])
  })

  test('shows no room that is empty, closed, or was taken out', async () => {
    const { alice } = await house(OPEN_DIRECTORY)
    const [empty, closed, out] = [await makeRoom(alice, { visibility: 'public' }), await makeRoom(alice, { visibility: 'public' }), await makeRoom(alice, { visibility: 'public' })]
    await done(alice, 'POST', inRoom(empty, '/leave'), {})
    await setState(alice, closed, 'm.room.join_rules', { join_rule: 'invite' })
    await done(alice, 'PUT', `/v3/directory/list/room/${out}`, { visibility: 'private' })
    expect((await search(alice)).chunk).toEqual([])
  })

  test('is for those who are signed in, unless it is opened', async () => {
    const closed = await house()
    expect(await closed.stranger.answer('GET', '/v3/publicRooms')).toMatchObject(refused(401, 'M_MISSING_TOKEN'))
    const open = await house({ allow_public_rooms_without_auth: true })
    expect(await done(open.stranger, 'GET', '/v3/publicRooms')).toEqual({ chunk: [], total_room_count_estimate: 0 })
  })

  test.each([
    ['a token of nobody', '?since=nonsense', 400, 'M_INVALID_PARAM'],
    ['a negative limit', '?limit=-1', 400, 'M_INVALID_PARAM'],
    ['the directory of a server that is out of reach', '?server=b.example', 502, 'M_UNKNOWN'],
  ])('refuses %s', async (_says, query, status, errcode) => {
    const { alice } = await house()
    expect(await alice.answer('GET', `/v3/publicRooms${query}`)).toMatchObject(refused(status, errcode))
  })

  test('shows nothing where searching it is switched off', async () => {
    const { alice } = await house({ ...OPEN_DIRECTORY, enable_room_list_search: false })
    await makeRoom(alice, { visibility: 'public' })
    expect(await search(alice)).toEqual({ chunk: [], total_room_count_estimate: 0 })
  })
})

describe('publishing', () => {
  test('is asked and answered for each room, by anyone', async () => {
    const { alice, stranger } = await house(OPEN_DIRECTORY)
    const roomId = await makeRoom(alice)
    expect(await done(stranger, 'GET', `/v3/directory/list/room/${roomId}`)).toEqual({ visibility: 'private' })
    expect(await done(alice, 'PUT', `/v3/directory/list/room/${roomId}`, {})).toEqual({})
    expect(await done(stranger, 'GET', `/v3/directory/list/room/${roomId}`)).toEqual({ visibility: 'public' })
    expect(await stranger.answer('GET', '/v3/directory/list/room/!none:a.example')).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await alice.answer('PUT', '/v3/directory/list/room/!none:a.example', {})).toMatchObject(refused(404, 'M_NOT_FOUND'))
  })

  test('needs the power in the room, and a rule that lets one', async () => {
    const { alice, bob } = await house(OPEN_DIRECTORY)
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    expect(await bob.answer('PUT', `/v3/directory/list/room/${roomId}`, {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    const closed = await house()
    const other = await makeRoom(closed.alice)
    expect(await closed.alice.answer('PUT', `/v3/directory/list/room/${other}`, {})).toMatchObject(refused(403, 'M_FORBIDDEN'))
    const root = await closed.register('root', { isAdmin: true })
    await done(root, 'PUT', `/v3/directory/list/room/${other}`, {})
  })
})
