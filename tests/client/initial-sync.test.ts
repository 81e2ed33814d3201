import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

type Room = Readonly<{
  room_id: RoomId
  membership?: string
  visibility: string
  messages: Readonly<{ start: string; end: string; chunk: ShownEvent[] }>
  state: ShownEvent[]
  account_data: object[]
}>

const everything = async (caller: Caller, query = '') =>
  (await done(caller, 'GET', `/v3/initialSync${query}`)) as unknown as Readonly<{ end: string; rooms: Room[]; presence: object[]; receipts: object[]; account_data: object[] }>
const room = async (caller: Caller, roomId: RoomId, query = ''): Promise<Room & { presence: object[]; receipts: object[] }> =>
  (await done(caller, 'GET', inRoom(roomId, `/initialSync${query}`))) as never

async function talk() {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  for (const text of ['one', 'two', 'three']) await say(world.alice, roomId, text)
  return { ...world, roomId }
}

describe('the initial sync of everything', () => {
  test('has the rooms with their newest messages, oldest first, and their state', async () => {
    const { bob, roomId } = await talk()
    const { rooms, end } = await everything(bob, '?limit=2')
    expect(rooms).toMatchObject([{ room_id: roomId, membership: 'join', visibility: 'private' }])
    expect(bodiesOf(rooms[0]?.messages.chunk)).toEqual(['two', 'three'])
    expect(rooms[0]?.state.map(({ type }) => type)).toContain('m.room.power_levels')
    expect(rooms[0]?.messages.end).toBe(end)
    expect(bodiesOf((await done(bob, 'GET', inRoom(roomId, `/messages?dir=b&limit=1&from=${rooms[0]?.messages.start}`))).chunk)).toEqual(['one'])
    expect((await everything(bob, '?limit=0')).rooms[0]?.messages.chunk).toEqual([])
  })

  test('shows events in the form that old clients read', async () => {
    const { alice, roomId } = await talk()
    await setState(alice, roomId, 'm.room.name', { name: 'One' })
    await setState(alice, roomId, 'm.room.name', { name: 'Two' })
    const name = (await room(alice, roomId)).state.find(({ type }) => type === 'm.room.name')
    expect(name).toMatchObject({ room_id: roomId, user_id: alice.userId, sender: alice.userId, prev_content: { name: 'One' }, age: expect.any(Number) as never })
  })

  test('has account data, of rooms too, and receipts', async () => {
    const { alice, bob, roomId } = await talk()
    await done(bob, 'PUT', `/v3/user/${bob.userId}/account_data/org.example.a`, { a: 1 })
    await done(bob, 'PUT', `/v3/user/${bob.userId}/rooms/${encodeURIComponent(roomId)}/account_data/org.example.b`, { b: 1 })
    const eventId = await say(alice, roomId, 'four')
    await done(bob, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})
    const { rooms, account_data: accountData, receipts } = await everything(bob)
    expect(accountData).toContainEqual({ type: 'org.example.a', content: { a: 1 } })
    expect(rooms[0]?.account_data).toEqual([{ type: 'org.example.b', content: { b: 1 } }])
    expect(receipts).toMatchObject([{ type: 'm.receipt', room_id: roomId, content: { [eventId]: { 'm.read': { [bob.userId]: {} } } } }])
    expect((await room(alice, roomId)).receipts).toHaveLength(1)
  })

  test('has who is there: its own user by asking, and who shares a room', async () => {
    const { alice, bob } = await talk()
    const there = { presence: 'online', last_active_ago: expect.any(Number) as never }
    expect((await everything(bob)).presence).toMatchObject([{ type: 'm.presence', content: { ...there, user_id: bob.userId } }])
    expect((await everything(alice)).presence).toHaveLength(2)
  })

  test('has invitations with the event, and rooms that were left only when they are asked for', async () => {
    const { alice, bob, register, roomId } = await talk()
    const carol = await register('carol')
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: carol.userId })
    expect((await everything(carol)).rooms as unknown).toMatchObject([{ room_id: roomId, membership: 'invite', inviter: alice.userId, invite: { type: 'm.room.member', state_key: carol.userId } }])
    await done(carol, 'POST', inRoom(roomId, '/leave'), {})
    expect((await everything(carol)).rooms).toEqual([])
    expect((await everything(carol, '?archived=true')).rooms as unknown).toEqual([{ room_id: roomId, membership: 'leave', inviter: carol.userId }])
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'secret')
    const [left] = (await everything(bob, '?archived=true&limit=4')).rooms
    expect(left).toMatchObject({ membership: 'leave' })
    expect(bodiesOf(left?.messages.chunk)).toEqual(['three', 'm.room.member', 'm.room.member', 'm.room.member'])
  })

  test('refuses a limit that is no number', async () => {
    const { alice } = await house()
    expect(await alice.answer('GET', '/v3/initialSync?limit=hello')).toMatchObject({ status: 400 })
    expect((await everything(alice)).rooms).toEqual([])
  })
})

describe('the initial sync of a room', () => {
  test('has the presence of its members, never seen or not', async () => {
    const { alice, bob, roomId } = await talk()
    const hidden = (userId: string) => ({ type: 'm.presence', sender: userId, content: { presence: 'offline', user_id: userId } })
    expect((await room(alice, roomId)).presence).toEqual([hidden(alice.userId), hidden(bob.userId)])
  })

  test('is its snapshot, up to the end of the reader’s stay', async () => {
    const { alice, bob, roomId } = await talk()
    expect(await room(alice, roomId, '?limit=1')).toMatchObject({ room_id: roomId, membership: 'join', messages: { chunk: [{ content: { body: 'three' } }] } })
    await setState(alice, roomId, 'm.room.topic', { topic: 'before' })
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await setState(alice, roomId, 'm.room.topic', { topic: 'after' })
    const left = await room(bob, roomId, '?limit=2')
    expect(left.membership).toBe('leave')
    expect(left.state.find(({ type }) => type === 'm.room.topic')?.content).toEqual({ topic: 'before' })
    expect(bodiesOf(left.messages.chunk)).toEqual(['m.room.topic', 'm.room.member'])
    expect([left.presence, left.receipts]).toEqual([[], []])
  })

  test('is for strangers only where the room is world readable, guests included, and from then on', async () => {
    const { alice, register, roomId } = await talk()
    const guest = await register('guest', { isGuest: true })
    expect(await guest.answer('GET', inRoom(roomId, '/initialSync'))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    await say(alice, roomId, 'public')
    const seen = await room(guest, roomId)
    expect(bodiesOf(seen.messages.chunk)).toEqual(['m.room.history_visibility', 'public'])
    expect(seen).not.toHaveProperty('membership')
  })
})
