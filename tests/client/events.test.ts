import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'

type Page = Readonly<{ start: string; end: string; chunk: (ShownEvent & Record<string, unknown>)[] }>
const listen = async (caller: Caller, query: string): Promise<Page> => (await done(caller, 'GET', `/v3/events?${query}`)) as unknown as Page
const now = async (caller: Caller): Promise<string> => (await listen(caller, 'timeout=0')).end

async function talk() {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  return { ...world, roomId }
}

describe('the event stream', () => {
  test('begins now, and goes on from its token', async () => {
    const { alice, bob, roomId } = await talk()
    const first = await listen(bob, 'timeout=0')
    expect(first).toEqual({ start: first.end, end: first.end, chunk: [] })
    const eventId = await say(alice, roomId, 'hello')
    const second = await listen(bob, `timeout=0&from=${first.end}`)
    expect(second.chunk).toMatchObject([{ event_id: eventId, room_id: roomId, user_id: alice.userId, content: { body: 'hello' } }])
    expect(second.start).toBe(first.end)
    expect((await listen(bob, `timeout=0&from=${second.end}`)).chunk).toEqual([])
  })

  test('shows that its reader is there', async () => {
    const { alice, bob } = await talk()
    const from = await now(alice)
    await listen(bob, 'timeout=0')
    expect((await listen(alice, `timeout=0&from=${from}`)).chunk).toMatchObject([{ type: 'm.presence', sender: bob.userId, content: { presence: 'online' } }] as never)
  })

  test('is not for guests, who have to name a room', async () => {
    const guest = await (await house()).register('guest', { isGuest: true })
    expect(await guest.answer('GET', '/v3/events?timeout=0')).toMatchObject({ status: 403, body: { errcode: 'M_GUEST_ACCESS_FORBIDDEN' } })
  })

  test('waits for what comes', async () => {
    const { alice, bob, roomId } = await talk()
    const waiting = listen(bob, `timeout=20000&from=${await now(bob)}`)
    await say(alice, roomId, 'hello')
    expect(bodiesOf((await waiting).chunk)).toEqual(['hello'])
  })

  test('comes in pages, and loses nothing between them', async () => {
    const { alice, bob, roomId } = await talk()
    const other = await makeRoom(alice)
    await bringIn(alice, other, bob)
    let from = await now(bob)
    for (let count = 0; count < 6; count++) await say(alice, count % 2 === 0 ? roomId : other, `m${count}`)
    const seen: unknown[] = []
    for (let pages = 0; pages < 4; pages++) {
      const page = await listen(bob, `timeout=0&limit=2&from=${from}`)
      seen.push(...bodiesOf(page.chunk))
      from = page.end
    }
    expect(seen).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
  })

  test('goes past pages of what the reader may not see', async () => {
    const { alice, bob, roomId } = await talk()
    await done(bob, 'PUT', `/v3/user/${bob.userId}/account_data/m.ignored_user_list`, { ignored_users: { [alice.userId]: {} } })
    const from = await now(bob)
    for (let count = 0; count < 5; count++) await say(alice, roomId, 'ignored')
    await setState(alice, roomId, 'm.room.name', { name: 'Den' })
    expect(bodiesOf((await listen(bob, `timeout=0&limit=2&from=${from}`)).chunk)).toEqual(['m.room.name'])
  })

  test('tells invitations, leaving, typing, receipts and account data', async () => {
    const { alice, bob, register, roomId } = await talk()
    const carol = await register('carol')
    const before = await now(carol)
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: carol.userId })
    expect((await listen(carol, `timeout=0&from=${before}`)).chunk).toMatchObject([{ type: 'm.room.member', room_id: roomId, state_key: carol.userId, content: { membership: 'invite' } }])

    const from = await now(bob)
    const eventId = await say(alice, roomId, 'hello')
    await done(alice, 'PUT', inRoom(roomId, `/typing/${alice.userId}`), { typing: true, timeout: 10_000 })
    await done(alice, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})
    await done(bob, 'PUT', `/v3/user/${bob.userId}/account_data/org.example.a`, { a: 1 })
    const { chunk } = await listen(bob, `timeout=0&from=${from}`)
    expect(chunk).toMatchObject([
      { event_id: eventId },
      { type: 'm.typing', room_id: roomId, content: { user_ids: [alice.userId] } },
      { type: 'm.receipt', room_id: roomId, content: { [eventId]: { 'm.read': { [alice.userId]: {} } } } },
      { type: 'org.example.a', content: { a: 1 } },
    ])
    const later = await now(bob)
    await done(alice, 'POST', inRoom(roomId, '/kick'), { user_id: bob.userId })
    await say(alice, roomId, 'secret')
    expect((await listen(bob, `timeout=0&from=${later}`)).chunk).toMatchObject([{ type: 'm.room.member', state_key: bob.userId, content: { membership: 'leave' } }])
  })

  test.each(['from=nonsense', 'limit=-2', 'limit=hello', 'timeout=hello'])('refuses %s', async (query) => {
    const { alice } = await house()
    expect(await alice.answer('GET', `/v3/events?${query}`)).toMatchObject({ status: 400 })
  })
})

describe('looking into a room from outside', () => {
  test('shows what is new there, to guests too, and wakes them', async () => {
    const { alice, register, roomId } = await talk()
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    const guest = await register('guest', { isGuest: true })
    const { end } = await listen(guest, `timeout=0&room_id=${encodeURIComponent(roomId)}`)
    const waiting = listen(guest, `timeout=20000&from=${end}&room_id=${encodeURIComponent(roomId)}`)
    await say(alice, roomId, 'public')
    expect(bodiesOf((await waiting).chunk)).toEqual(['public'])
  })

  test('is not for rooms that are not world readable', async () => {
    const { register, roomId } = await talk()
    const guest = await register('guest', { isGuest: true })
    expect(await guest.answer('GET', `/v3/events?timeout=0&room_id=${encodeURIComponent(roomId)}`)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })
})

describe('one event', () => {
  test('is shown by its id alone, to those who may see it', async () => {
    const { alice, bob, register, roomId } = await talk()
    const eventId = await say(alice, roomId, 'hello')
    expect(await done(bob, 'GET', `/v3/events/${encodeURIComponent(eventId)}`)).toMatchObject({ event_id: eventId, room_id: roomId, content: { body: 'hello' } })
    expect(await (await register('mallory')).answer('GET', `/v3/events/${encodeURIComponent(eventId)}`)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await bob.answer('GET', '/v3/events/%24none')).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await done(bob, 'GET', `/_matrix/client/r0/events/${encodeURIComponent(eventId)}`)).toMatchObject({ event_id: eventId })
  })
})
