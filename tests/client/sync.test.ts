import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'

type Event = { type: string; content: Record<string, unknown>; sender?: string; state_key?: string; event_id?: string; unsigned?: Record<string, unknown> }
type Events = { events: Event[] }
type Joined = {
  timeline: Events & { limited: boolean; prev_batch: string }
  state?: Events
  state_after?: Events
  ephemeral: Events
  account_data: Events
  summary: Record<string, unknown>
}
type Sync = {
  next_batch: string
  account_data?: Events
  rooms?: {
    join?: Record<string, Joined>
    invite?: Record<string, { invite_state: Events }>
    knock?: Record<string, { knock_state: Events }>
    leave?: Record<string, Joined>
  }
}

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const sync = async (who: Caller, query: Record<string, string> = {}): Promise<Sync> => {
  const { status, body } = await who.answer('GET', `/v3/sync?${new URLSearchParams(query)}`)
  expect(status).toBe(200)
  return body as Sync
}
const roomOf = async (who: Caller, options: object = {}): Promise<string> => {
  const { status, body } = await who.answer('POST', '/v3/createRoom', options)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body.room_id as string
}
let txn = 0
const say = async (who: Caller, roomId: string, text: string): Promise<string> => {
  const { body } = await who.answer('PUT', `/v3/rooms/${roomId}/send/m.room.message/s${++txn}`, { msgtype: 'm.text', body: text })
  return body.event_id as string
}
const bodies = (events: Events | undefined): unknown[] => (events?.events ?? []).map(({ type, content }) => content.body ?? type)
const keys = (events: Events | undefined): string[] => (events?.events ?? []).map(({ type, state_key }) => `${type}|${state_key}`).sort()

describe('an initial sync', () => {
  test('brings the newest events of a joined room, and the state before them', async () => {
    const alice = await here.register('initial')
    const roomId = await roomOf(alice, { name: 'den', preset: 'private_chat' })
    for (const text of ['one', 'two', 'three']) await say(alice, roomId, text)
    const filter = JSON.stringify({ room: { timeline: { limit: 2 } } })
    const room = (await sync(alice, { filter })).rooms?.join?.[roomId]
    expect(bodies(room?.timeline)).toEqual(['two', 'three'])
    expect(room?.timeline.limited).toBe(true)
    expect(keys(room?.state)).toEqual([
      'm.room.create|',
      'm.room.guest_access|',
      'm.room.history_visibility|',
      'm.room.join_rules|',
      `m.room.member|${alice.userId}`,
      'm.room.name|',
      'm.room.power_levels|',
    ])
    expect(room?.summary).toEqual({ 'm.joined_member_count': 1, 'm.invited_member_count': 0 })
  })

  test.each([['the whole room', 50, 0], ['its last event', 1, 6]])('names a place to page back from in front of %s', async (_what, limit, before) => {
    const alice = await here.register(`paging-${limit}`)
    const roomId = await roomOf(alice, { preset: 'public_chat', name: 'den' })
    const filter = JSON.stringify({ room: { timeline: { limit } } })
    const timeline = (await sync(alice, { filter })).rooms?.join?.[roomId]?.timeline
    const page = await alice.answer('GET', `/v3/rooms/${roomId}/messages?dir=b&limit=50&from=${timeline?.prev_batch}`)
    expect(page.body.chunk).toHaveLength(before)
  })

  test('G-66: the state is that at the start of the timeline, not at its end', async () => {
    const alice = await here.register('start')
    const roomId = await roomOf(alice, { name: 'before' })
    await say(alice, roomId, 'x')
    await alice.answer('PUT', `/v3/rooms/${roomId}/state/m.room.name`, { name: 'after' })
    const filter = JSON.stringify({ room: { timeline: { limit: 1 } } })
    const room = (await sync(alice, { filter })).rooms?.join?.[roomId]
    const name = room?.state?.events.find(({ type }) => type === 'm.room.name')
    expect(name?.content).toEqual({ name: 'before' })
    expect(room?.timeline.events.map(({ content }) => content)).toEqual([{ name: 'after' }])
    expect(room?.timeline.events[0]?.unsigned).toMatchObject({ prev_content: { name: 'before' }, membership: 'join' })
  })

  test('state_after stands at the end of the timeline, under the name that was asked for', async () => {
    const alice = await here.register('after')
    const roomId = await roomOf(alice, { name: 'before' })
    await alice.answer('PUT', `/v3/rooms/${roomId}/state/m.room.name`, { name: 'after' })
    for (const [parameter, name] of [
      ['use_state_after', 'state_after'],
      ['org.matrix.msc4222.use_state_after', 'org.matrix.msc4222.state_after'],
    ] as const) {
      const room = (await sync(alice, { [parameter]: 'true' })).rooms?.join?.[roomId] as Record<string, unknown>
      expect(room.state).toBeUndefined()
      const found = (room[name] as Events).events.find(({ type }) => type === 'm.room.name')
      expect(found?.content).toEqual({ name: 'after' })
    }
  })
})

describe('an incremental sync', () => {
  test('is empty when nothing has happened, and its token stays good', async () => {
    const alice = await here.register('empty')
    await roomOf(alice)
    const { next_batch: since } = await sync(alice)
    const quiet = await sync(alice, { since })
    expect(quiet.rooms).toBeUndefined()
    expect((await sync(alice, { since: quiet.next_batch })).rooms).toBeUndefined()
  })

  test('brings what was said since, once; the same token gives the same answer', async () => {
    const alice = await here.register('since')
    const roomId = await roomOf(alice)
    const { next_batch: since } = await sync(alice)
    await say(alice, roomId, 'news')
    const first = await sync(alice, { since })
    expect(bodies(first.rooms?.join?.[roomId]?.timeline)).toEqual(['news'])
    expect(first.rooms?.join?.[roomId]?.timeline.limited).toBe(false)
    expect(bodies((await sync(alice, { since })).rooms?.join?.[roomId]?.timeline)).toEqual(['news'])
    expect((await sync(alice, { since: first.next_batch })).rooms).toBeUndefined()
  })

  test('a gap is limited, with the state that changed within it', async () => {
    const alice = await here.register('gap')
    const roomId = await roomOf(alice)
    const { next_batch: since } = await sync(alice)
    await alice.answer('PUT', `/v3/rooms/${roomId}/state/m.room.topic`, { topic: 'in the gap' })
    for (let count = 0; count < 12; count++) await say(alice, roomId, `m${count}`)
    const room = (await sync(alice, { since })).rooms?.join?.[roomId]
    expect(room?.timeline.limited).toBe(true)
    expect(bodies(room?.timeline)).toEqual(Array.from({ length: 10 }, (_, index) => `m${index + 2}`))
    expect(keys(room?.state)).toEqual(['m.room.topic|'])
  })

  test('wakes when something is said in a room, and at the timeout when nothing is', async () => {
    const alice = await here.register('wait')
    const roomId = await roomOf(alice)
    const { next_batch: since } = await sync(alice)
    const waiting = sync(alice, { since, timeout: '10000' })
    await Bun.sleep(20)
    await say(alice, roomId, 'wake up')
    const woken = await waiting
    expect(bodies(woken.rooms?.join?.[roomId]?.timeline)).toEqual(['wake up'])
    const started = performance.now()
    expect((await sync(alice, { since: woken.next_batch, timeout: '60' })).rooms).toBeUndefined()
    expect(performance.now() - started).toBeGreaterThan(40)
  })

  test('tells the sender’s own device its transaction id, and no other', async () => {
    const alice = await here.register('txn')
    const roomId = await roomOf(alice)
    const tablet = await here.login(alice.userId, 'TABLET')
    const { next_batch: since } = await sync(alice)
    await alice.answer('PUT', `/v3/rooms/${roomId}/send/m.room.message/mine`, { msgtype: 'm.text', body: 'hi' })
    const unsignedOf = async (who: Caller) => (await sync(who, { since })).rooms?.join?.[roomId]?.timeline.events[0]?.unsigned
    expect(await unsignedOf(alice)).toMatchObject({ transaction_id: 'mine' })
    expect(await unsignedOf(tablet)).not.toHaveProperty('transaction_id')
  })
})

describe('memberships', () => {
  test('an invitation brings stripped state, ending with the reader’s own member event', async () => {
    const alice = await here.register('host')
    const bob = await here.register('guest')
    const { next_batch: since } = await sync(bob)
    const roomId = await roomOf(alice, { name: 'party', invite: [bob.userId] })
    const invited = (await sync(bob, { since })).rooms?.invite?.[roomId]?.invite_state.events ?? []
    expect(invited.at(-1)).toMatchObject({ type: 'm.room.member', state_key: bob.userId, content: { membership: 'invite' } })
    expect(invited.map(({ type }) => type)).toContain('m.room.create')
    expect(invited.every((event) => Object.keys(event).sort().join() === 'content,sender,state_key,type')).toBe(true)
  })

  test('a newly joined room comes with its full state', async () => {
    const alice = await here.register('owner')
    const bob = await here.register('joiner')
    const roomId = await roomOf(alice, { preset: 'public_chat', name: 'open' })
    for (let count = 0; count < 12; count++) await say(alice, roomId, `old ${count}`)
    const { next_batch: since } = await sync(bob)
    await bob.answer('POST', `/v3/join/${roomId}`, {})
    const room = (await sync(bob, { since })).rooms?.join?.[roomId]
    expect(room?.timeline.limited).toBe(true)
    expect(room?.timeline.events.at(-1)).toMatchObject({ type: 'm.room.member', state_key: bob.userId })
    expect(keys(room?.state)).toContain('m.room.create|')
    expect(room?.summary).toMatchObject({ 'm.joined_member_count': 2 })
  })

  test('a joiner sees nothing from before under joined history visibility', async () => {
    const alice = await here.register('private')
    const bob = await here.register('late')
    const roomId = await roomOf(alice, {
      preset: 'public_chat',
      initial_state: [{ type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'joined' } }],
    })
    await say(alice, roomId, 'secret')
    await bob.answer('POST', `/v3/join/${roomId}`, {})
    await say(alice, roomId, 'welcome')
    const room = (await sync(bob)).rooms?.join?.[roomId]
    const seen = bodies(room?.timeline)
    expect(seen.slice(-2)).toEqual(['m.room.member', 'welcome'])
    expect(seen).not.toContain('secret')
  })

  test('a room that was left is told once, up to the leaving', async () => {
    const alice = await here.register('stays')
    const bob = await here.register('leaves')
    const roomId = await roomOf(alice, { preset: 'public_chat' })
    await bob.answer('POST', `/v3/join/${roomId}`, {})
    const { next_batch: since } = await sync(bob)
    await say(alice, roomId, 'seen')
    await bob.answer('POST', `/v3/rooms/${roomId}/leave`, {})
    await say(alice, roomId, 'unseen')
    const left = await sync(bob, { since })
    expect(bodies(left.rooms?.leave?.[roomId]?.timeline)).toEqual(['seen', 'm.room.member'])
    expect(left.rooms?.join).toBeUndefined()
    expect((await sync(bob, { since: left.next_batch })).rooms).toBeUndefined()
    expect((await sync(bob)).rooms).toBeUndefined()
    const filter = JSON.stringify({ room: { include_leave: true } })
    expect(Object.keys((await sync(bob, { filter })).rooms?.leave ?? {})).toEqual([roomId])
  })

  test('a declined invitation ends under leave', async () => {
    const alice = await here.register('asks')
    const bob = await here.register('declines')
    const roomId = await roomOf(alice, { invite: [bob.userId] })
    const { next_batch: since } = await sync(bob)
    await bob.answer('POST', `/v3/rooms/${roomId}/leave`, {})
    const left = (await sync(bob, { since })).rooms?.leave?.[roomId]
    expect(left?.timeline.events.map(({ content }) => content.membership)).toEqual(['leave'])
  })
})

describe('what is not in the timeline', () => {
  test('typing is told while it lasts, and again when it ends', async () => {
    const alice = await here.register('watches')
    const bob = await here.register('types')
    const roomId = await roomOf(alice, { preset: 'public_chat' })
    await bob.answer('POST', `/v3/join/${roomId}`, {})
    const { next_batch: since } = await sync(alice)
    await bob.answer('PUT', `/v3/rooms/${roomId}/typing/${bob.userId}`, { typing: true, timeout: 20_000 })
    const typing = await sync(alice, { since })
    expect(typing.rooms?.join?.[roomId]?.ephemeral.events).toEqual([{ type: 'm.typing', content: { user_ids: [bob.userId] } }])
    await bob.answer('PUT', `/v3/rooms/${roomId}/typing/${bob.userId}`, { typing: false })
    const stopped = await sync(alice, { since: typing.next_batch })
    expect(stopped.rooms?.join?.[roomId]?.ephemeral.events).toEqual([{ type: 'm.typing', content: { user_ids: [] } }])
    expect((await sync(alice)).rooms?.join?.[roomId]?.ephemeral.events).toEqual([{ type: 'm.typing', content: { user_ids: [] } }])
  })

  test('a private receipt is its owner’s alone', async () => {
    const alice = await here.register('reads')
    const bob = await here.register('other')
    const roomId = await roomOf(alice, { preset: 'public_chat' })
    await bob.answer('POST', `/v3/join/${roomId}`, {})
    const eventId = await say(bob, roomId, 'read me')
    const before = { alice: await sync(alice), bob: await sync(bob) }
    await alice.answer('POST', `/v3/rooms/${roomId}/receipt/m.read.private/${eventId}`, {})
    const own = (await sync(alice, { since: before.alice.next_batch })).rooms?.join?.[roomId]?.ephemeral.events[0]
    expect(own).toMatchObject({ type: 'm.receipt', content: { [eventId]: { 'm.read.private': { [alice.userId]: { ts: expect.any(Number) } } } } })
    expect((await sync(bob, { since: before.bob.next_batch })).rooms).toBeUndefined()
  })

  test('account data is told, the account’s own and a room’s', async () => {
    const alice = await here.register('keeps')
    const roomId = await roomOf(alice)
    const { next_batch: since } = await sync(alice)
    await alice.answer('PUT', `/v3/user/${alice.userId}/account_data/org.example.own`, { a: 1 })
    await alice.answer('PUT', `/v3/user/${alice.userId}/rooms/${roomId}/account_data/org.example.room`, { b: 2 })
    const told = await sync(alice, { since })
    expect(told.account_data?.events).toEqual([{ type: 'org.example.own', content: { a: 1 } }])
    expect(told.rooms?.join?.[roomId]?.account_data.events).toEqual([{ type: 'org.example.room', content: { b: 2 } }])
  })

  test('a redacted event is shown without its content, with what redacted it', async () => {
    const alice = await here.register('regrets')
    const roomId = await roomOf(alice)
    const eventId = await say(alice, roomId, 'oops')
    await alice.answer('PUT', `/v3/rooms/${roomId}/redact/${eventId}/r1`, { reason: 'typo' })
    const events = (await sync(alice)).rooms?.join?.[roomId]?.timeline.events ?? []
    const redacted = events.find(({ event_id }) => event_id === eventId)
    expect(redacted?.content).toEqual({})
    expect(redacted?.unsigned?.redacted_because).toMatchObject({ type: 'm.room.redaction', content: { reason: 'typo', redacts: eventId }, redacts: eventId })
  })
})

describe('lazy loading', () => {
  const filter = JSON.stringify({ room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } })

  test('brings the members who speak in the timeline, and the reader', async () => {
    const alice = await here.register('lazy')
    const bob = await here.register('speaks')
    const silent = await here.register('silent')
    const roomId = await roomOf(alice, { preset: 'public_chat', name: 'named' })
    for (const who of [bob, silent]) await who.answer('POST', `/v3/join/${roomId}`, {})
    await say(bob, roomId, 'hello')
    const room = (await sync(alice, { filter })).rooms?.join?.[roomId]
    const members = keys(room?.state).filter((key) => key.startsWith('m.room.member'))
    expect(members).toEqual([`m.room.member|${alice.userId}`, `m.room.member|${bob.userId}`].sort())
  })

  test('tells a device each member once', async () => {
    const alice = await here.register('told')
    const bob = await here.register('chats')
    const roomId = await roomOf(alice, { preset: 'public_chat', name: 'named' })
    await bob.answer('POST', `/v3/join/${roomId}`, {})
    await say(alice, roomId, 'mine')
    const { next_batch: since } = await sync(alice, { filter })
    await say(bob, roomId, 'one')
    const first = await sync(alice, { filter, since })
    expect(keys(first.rooms?.join?.[roomId]?.state)).toEqual([`m.room.member|${bob.userId}`])
    await say(bob, roomId, 'two')
    const second = await sync(alice, { filter, since: first.next_batch })
    expect(keys(second.rooms?.join?.[roomId]?.state)).toEqual([])
  })
})

test('a token that is not ours is refused', async () => {
  const { status, body } = await here.alice.answer('GET', '/v3/sync?since=nonsense')
  expect({ status, errcode: body.errcode }).toEqual({ status: 400, errcode: 'M_INVALID_PARAM' })
})

test('a filter that does not exist is refused', async () => {
  const { status, body } = await here.alice.answer('GET', '/v3/sync?filter=99')
  expect({ status, errcode: body.errcode }).toEqual({ status: 404, errcode: 'M_NOT_FOUND' })
})
