import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, setState } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

type Room = Readonly<{ room_id: RoomId; children_state: Readonly<{ state_key: string; content: object }>[] } & Record<string, unknown>>
type Page = Readonly<{ rooms: Room[]; next_batch?: string }>

const makeSpace = (owner: Caller, body: object = {}): Promise<RoomId> =>
  makeRoom(owner, { preset: 'public_chat', creation_content: { type: 'm.space' }, ...body })
const makeOpen = (owner: Caller, body: object = {}): Promise<RoomId> => makeRoom(owner, { preset: 'public_chat', ...body })
const put = (owner: Caller, space: RoomId, child: string, content: object = {}) =>
  setState(owner, space, 'm.space.child', { via: ['a.example'], ...content }, child)

const path = (roomId: RoomId, query = ''): string => `/v1/rooms/${encodeURIComponent(roomId)}/hierarchy${query}`
const walk = async (caller: Caller, roomId: RoomId, query = ''): Promise<Page> => (await done(caller, 'GET', path(roomId, query))) as unknown as Page
const idsOf = ({ rooms }: Page): RoomId[] => rooms.map(({ room_id: roomId }) => roomId)

/** alice's space: [one, inner [deep], two]. */
async function tree() {
  const world = await house()
  const { alice } = world
  const [space, inner] = [await makeSpace(alice, { name: 'Outer' }), await makeSpace(alice)]
  const [one, two, deep] = [await makeOpen(alice), await makeOpen(alice), await makeOpen(alice)]
  await put(alice, space, two, { order: 'c' })
  await put(alice, space, one, { order: 'a', suggested: true })
  await put(alice, space, inner, { order: 'b' })
  await put(alice, inner, deep)
  return { ...world, space, inner, one, two, deep }
}

describe('the hierarchy of a space', () => {
  test('is walked depth first, children in their order', async () => {
    const { alice, bob, space, inner, one, two, deep } = await tree()
    expect(idsOf(await walk(alice, space))).toEqual([space, one, inner, deep, two])
    expect(idsOf(await walk(bob, space))).toEqual([space, one, inner, deep, two])
  })

  test('says what the directory would, and which children there are', async () => {
    const { alice, bob, space, one, two, inner } = await tree()
    const [root, first] = (await walk(bob, space)).rooms
    expect(root).toEqual({
      room_id: space,
      name: 'Outer',
      num_joined_members: 1,
      world_readable: false,
      guest_can_join: false,
      join_rule: 'public',
      room_type: 'm.space',
      room_version: '12',
      children_state: expect.any(Array) as never,
    })
    expect(root?.children_state.map(({ state_key: key }) => key).toSorted()).toEqual([one, two, inner].toSorted())
    expect(root?.children_state.find(({ state_key: key }) => key === one)).toEqual({
      type: 'm.space.child', state_key: one, content: { via: ['a.example'], order: 'a', suggested: true },
      sender: alice.userId, origin_server_ts: expect.any(Number),
    } as never)
    expect(first?.children_state).toEqual([])
  })

  test('breaks cycles and shows every room once', async () => {
    const { alice, space, inner, deep, one, two } = await tree()
    await put(alice, inner, space)
    await put(alice, inner, one)
    await put(alice, space, space)
    const ids = idsOf(await walk(alice, space))
    expect(ids.toSorted()).toEqual([space, inner, deep, one, two].toSorted())
  })

  test.each([[0, 1], [1, 4], [2, 5]])('goes as deep as max_depth=%d', async (depth, count) => {
    const { alice, space } = await tree()
    expect((await walk(alice, space, `?max_depth=${depth}`)).rooms).toHaveLength(count)
  })

  test('may be of suggested rooms only', async () => {
    const { alice, space, one } = await tree()
    const page = await walk(alice, space, '?suggested_only=true')
    expect(idsOf(page)).toEqual([space, one])
    expect(page.rooms[0]?.children_state.map(({ state_key: key }) => key)).toEqual([one])
  })

  test('comes in pages, for the same terms only', async () => {
    const { alice, space, inner, one, two, deep } = await tree()
    const first = await walk(alice, space, '?limit=2&max_depth=5')
    const second = await walk(alice, space, `?limit=2&max_depth=5&from=${first.next_batch}`)
    const third = await walk(alice, space, `?limit=2&max_depth=5&from=${second.next_batch}`)
    expect([first, second, third].map(idsOf)).toEqual([[space, one], [inner, deep], [two]])
    expect(third).not.toHaveProperty('next_batch')
    for (const query of [`?from=${first.next_batch}`, `?max_depth=5&suggested_only=true&from=${first.next_batch}`, '?from=nonsense'])
      expect(await alice.answer('GET', path(space, query))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
    expect(await alice.answer('GET', path(inner, `?max_depth=5&from=${first.next_batch}`))).toMatchObject({ status: 400 })
  })

  test.each(['?limit=0', '?limit=-1', '?max_depth=-1', '?limit=many'])('refuses %s', async (query) => {
    const { alice, space } = await tree()
    expect(await alice.answer('GET', path(space, query))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('passes over children without servers, children that are no rooms and rooms that are not here', async () => {
    const { alice, space, one } = await tree()
    await put(alice, space, one, { via: [] })
    await put(alice, space, '!elsewhere:b.example')
    await setState(alice, space, 'm.space.child', { via: ['a.example'] }, 'no-room')
    const page = await walk(alice, space)
    expect(idsOf(page)).not.toContain(one)
    expect(page.rooms).toHaveLength(4)
    expect(page.rooms[0]?.children_state.map(({ state_key: key }) => key)).not.toContain('no-room')
  })

  test('of a room that is no space is the room itself', async () => {
    const { alice, one, two } = await tree()
    await put(alice, one, two)
    expect((await walk(alice, one)).rooms).toMatchObject([{ room_id: one, children_state: [] }])
  })
})

describe('G-86: a hierarchy shows', () => {
  test('no room that the reader may not see, and nothing that is in it', async () => {
    const { alice, bob, space, inner, one, two } = await tree()
    await setState(alice, inner, 'm.room.join_rules', { join_rule: 'invite' })
    expect(idsOf(await walk(bob, space))).toEqual([space, one, two])
    expect(idsOf(await walk(alice, space))).toContain(inner)
  })

  test.each([
    ['a public room, which all may enter', { join_rule: 'public' }, true],
    ['a room to knock at', { join_rule: 'knock' }, true],
    ['a private room, which none may', { join_rule: 'invite' }, false],
    ['a room whose rule nobody knows', { join_rule: 'org.example.quiz' }, false],
  ])('%s', async (_says, rule, isShown) => {
    const { alice, bob, space, one } = await tree()
    await setState(alice, one, 'm.room.join_rules', rule)
    expect(idsOf(await walk(bob, space)).includes(one)).toBe(isShown)
  })

  test('a restricted room to those who are in one of the rooms that it names', async () => {
    const { alice, bob, space, one, two } = await tree()
    await setState(alice, one, 'm.room.join_rules', { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: two }] })
    expect(idsOf(await walk(bob, space))).not.toContain(one)
    await done(bob, 'POST', inRoom(two, '/join'), {})
    expect((await walk(bob, space)).rooms.find(({ room_id: roomId }) => roomId === one)).toMatchObject({ allowed_room_ids: [two], join_rule: 'restricted' })
  })

  test('a private room to the invited and to everyone if it is world readable, but to the banned no room that they could only enter', async () => {
    const { alice, bob, space, one, two } = await tree()
    await setState(alice, one, 'm.room.join_rules', { join_rule: 'invite' })
    await done(alice, 'POST', inRoom(one, '/invite'), { user_id: bob.userId })
    await done(alice, 'POST', inRoom(two, '/ban'), { user_id: bob.userId })
    expect(idsOf(await walk(bob, space))).toContain(one)
    expect(idsOf(await walk(bob, space))).not.toContain(two)
    await done(bob, 'POST', inRoom(one, '/leave'), {})
    expect(idsOf(await walk(bob, space))).not.toContain(one)
    await setState(alice, one, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    expect(idsOf(await walk(bob, space))).toContain(one)
  })

  test('nothing of a space that the reader may not see, nor of one that is not here', async () => {
    const { alice, bob, register, space } = await tree()
    await bringIn(alice, space, bob)
    await setState(alice, space, 'm.room.join_rules', { join_rule: 'invite' })
    const mallory = await register('mallory')
    expect(await mallory.answer('GET', path(space))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await mallory.answer('GET', path('!none'))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    await done(alice, 'POST', inRoom(space, '/ban'), { user_id: bob.userId })
    expect(await bob.answer('GET', path(space))).toMatchObject({ status: 403 })
  })
})
