import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Caller, type House, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'

type Room = {
  initial?: boolean
  name?: string | null
  avatar?: string | null
  heroes?: { user_id: string; displayname?: string }[]
  is_dm?: boolean
  required_state?: ShownEvent[]
  timeline?: ShownEvent[]
  limited?: boolean
  prev_batch?: string
  num_live?: number
  invite_state?: ShownEvent[]
  stripped_state?: ShownEvent[]
  joined_count?: number
  invited_count?: number
  notification_count?: number
  bump_stamp: number
  unstable_expanded_timeline?: boolean
  expanded_timeline?: boolean
  membership?: string
  lists?: string[]
}
type Answer = {
  pos: string
  txn_id?: string
  lists: Record<string, { count: number; ops?: { op: string; range: number[]; room_ids: string[] }[] }>
  rooms: Record<string, Room>
  extensions: Record<string, Record<string, unknown>>
}

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const OLD = '/unstable/org.matrix.simplified_msc3575/sync'

const slide = async (who: Caller, body: object, query: Record<string, string> = {}): Promise<Answer> =>
  (await done(who, 'POST', `${OLD}?${new URLSearchParams(query)}`, body)) as unknown as Answer
const slideNew = async (who: Caller, body: object): Promise<Answer> => (await done(who, 'POST', '/v4/sync', body)) as unknown as Answer

const LIST = { ranges: [[0, 19]], timeline_limit: 1, required_state: [['m.room.name', '']] }
const all = (more: object = {}): object => ({ lists: { all: { ...LIST, ...more } } })
const bodies = (events: ShownEvent[] = []): unknown[] => events.map(({ content, type }) => content.body ?? type)
const places = (events: ShownEvent[] = []): string[] => events.map(({ type, state_key }) => `${type}|${state_key}`).sort()

describe('a list', () => {
  test('holds the rooms of its range, the one that moved last first', async () => {
    const alice = await here.register('window')
    const rooms = [await makeRoom(alice, { name: 'one' }), await makeRoom(alice, { name: 'two' }), await makeRoom(alice, { name: 'three' })]
    await say(alice, rooms[0] ?? '!', 'to the top')
    const answer = await slide(alice, all({ ranges: [[0, 1]] }))
    expect(answer.lists.all).toEqual({ count: 3, ops: [{ op: 'SYNC', range: [0, 1], room_ids: [rooms[0] ?? '', rooms[2] ?? ''] }] })
    expect(Object.keys(answer.rooms)).toEqual([rooms[0] ?? '', rooms[2] ?? ''])
    const grown = await slide(alice, all({ ranges: [[0, 9]] }), { pos: answer.pos })
    expect(Object.keys(grown.rooms)).toEqual([rooms[1] ?? ''])
    expect(grown.lists.all?.count).toBe(3)
  })

  test('shows a room whole at first, and then what has happened', async () => {
    const alice = await here.register('whole', { displayname: 'Alice' })
    const roomId = await makeRoom(alice, { name: 'den', topic: 'x' })
    await say(alice, roomId, 'one')
    await say(alice, roomId, 'two')
    const first = await slide(alice, all({ timeline_limit: 2 }))
    expect(first.rooms[roomId]).toMatchObject({ initial: true, name: 'den', limited: true, num_live: 0, joined_count: 1, invited_count: 0 })
    expect(bodies(first.rooms[roomId]?.timeline)).toEqual(['one', 'two'])
    expect(places(first.rooms[roomId]?.required_state)).toEqual(['m.room.name|'])
    expect(first.rooms[roomId]?.heroes).toBeUndefined()
    const still = await slide(alice, all({ timeline_limit: 2 }), { pos: first.pos })
    expect(still).toEqual({ pos: still.pos, lists: { all: { count: 1 } }, rooms: {}, extensions: {} })
    await say(alice, roomId, 'three')
    const next = await slide(alice, all({ timeline_limit: 2 }), { pos: still.pos })
    const room = next.rooms[roomId]
    expect(room).toMatchObject({ limited: false, num_live: 1 })
    expect(bodies(room?.timeline)).toEqual(['three'])
    expect([room?.initial, room?.name, room?.required_state, room?.joined_count]).toEqual([undefined, undefined, [], undefined])
    expect(room?.bump_stamp).toBeGreaterThan(first.rooms[roomId]?.bump_stamp ?? Infinity)
  })

  test('names the people where the room has no name', async () => {
    const [alice, bob] = [await here.register('heroine'), await here.register('hero', { displayname: 'Bob' })]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const { rooms } = await slide(alice, all())
    expect(rooms[roomId]?.heroes).toEqual([{ user_id: bob.userId, displayname: 'Bob' }])
  })

  test('is the rooms that its filters let through', async () => {
    const [alice, bob] = [await here.register('filters'), await here.register('filters-bob')]
    const plain = await makeRoom(alice, { name: 'plain' })
    const secret = await makeRoom(alice, { initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] })
    const space = await makeRoom(alice, { creation_content: { type: 'm.space' } })
    const direct = await makeRoom(alice)
    const invited = await makeRoom(bob)
    await done(bob, 'POST', inRoom(invited, '/invite'), { user_id: alice.userId })
    await setState(alice, space, 'm.space.child', { via: ['a.example'] }, plain)
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.direct`, { [bob.userId]: [direct] })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/rooms/${plain}/tags/m.favourite`, {})
    const listed = async (filters: object): Promise<string[]> => Object.keys((await slide(alice, all({ filters }))).rooms).sort()
    const names = new Map([[plain, 'plain'], [secret, 'secret'], [space, 'space'], [direct, 'direct'], [invited, 'invited']])
    const cases: [object, string[]][] = [
      [{}, ['direct', 'invited', 'plain', 'secret', 'space']],
      [{ is_encrypted: true }, ['secret']],
      [{ is_dm: true }, ['direct']],
      [{ is_invite: true }, ['invited']],
      [{ is_invite: false, is_encrypted: false, not_room_types: ['m.space'] }, ['direct', 'plain']],
      [{ room_types: ['m.space'] }, ['space']],
      [{ room_types: [null], is_invite: false }, ['direct', 'plain', 'secret']],
      [{ tags: ['m.favourite'] }, ['plain']],
      [{ not_tags: ['m.favourite'], is_invite: false }, ['direct', 'secret', 'space']],
      [{ spaces: [space] }, ['plain']],
      [{ room_name_like: 'PLA' }, ['plain']],
    ]
    for (const [filters, wanted] of cases) {
      const found = (await listed(filters)).map((roomId) => names.get(roomId as `!${string}`) ?? roomId).sort()
      expect({ filters, found }).toEqual({ filters, found: wanted })
    }
  })

  test('wakes for a room that speaks, with that room alone', async () => {
    const alice = await here.register('wakes')
    const [one, two] = [await makeRoom(alice), await makeRoom(alice)]
    const { pos } = await slide(alice, all())
    const { pos: still } = await slide(alice, all(), { pos })
    const waiting = slide(alice, all(), { pos: still, timeout: '10000' })
    await Bun.sleep(20)
    await say(alice, one, 'wake up')
    const woken = await waiting
    expect(Object.keys(woken.rooms)).toEqual([one])
    expect(woken.lists.all?.ops?.[0]?.room_ids).toEqual([one, two])
    const started = performance.now()
    expect((await slide(alice, all(), { pos: woken.pos, timeout: '60' })).rooms).toEqual({})
    expect(performance.now() - started).toBeGreaterThan(40)
  })

  test('tells what was missed of a room that was out of the window meanwhile', async () => {
    const alice = await here.register('previously')
    const [one, two] = [await makeRoom(alice), await makeRoom(alice)]
    const narrow = all({ ranges: [[0, 0]], timeline_limit: 5 })
    const { pos: first } = await slide(alice, all({ timeline_limit: 5 }))
    await say(alice, one, 'missed')
    await say(alice, two, 'seen')
    const second = await slide(alice, narrow, { pos: first })
    expect(Object.keys(second.rooms)).toEqual([two])
    const third = await slide(alice, all({ timeline_limit: 5 }), { pos: second.pos })
    expect(third.rooms[two]).toBeUndefined()
    expect(bodies(third.rooms[one]?.timeline)).toEqual(['missed'])
    expect(third.rooms[one]?.initial).toBeUndefined()
  })
})

describe('a position', () => {
  test('may be used again, and then says the same again', async () => {
    const alice = await here.register('repeat')
    const roomId = await makeRoom(alice)
    const { pos } = await slide(alice, all({ ranges: [[0, 0]] }))
    const other = await makeRoom(alice)
    await say(alice, roomId, 'news')
    const body = all({ ranges: [[0, 5]] })
    const [once, again] = [await slide(alice, body, { pos }), await slide(alice, body, { pos })]
    expect(again.rooms).toMatchObject({ [other]: { initial: true }, [roomId]: { num_live: 1 } })
    expect(Object.keys(again.rooms)).toEqual(Object.keys(once.rooms))
    expect((await slide(alice, body, { pos: again.pos })).rooms).toEqual({})
  })

  test.each([
    ['that is no token', 'nonsense'],
    ['of /v3/sync', 's1_abc_0'],
    ['of another connection', 's1_abc_0_cabc-1'],
  ])('%s is unknown', async (_says, pos) => {
    expect(await here.alice.answer('POST', `${OLD}?pos=${pos}`, {})).toMatchObject({ status: 400, body: { errcode: 'M_UNKNOWN_POS' } })
  })

  test('from before the last but one is unknown, and so is that of a connection that began anew', async () => {
    const alice = await here.register('older')
    await makeRoom(alice)
    const { pos: first } = await slide(alice, all())
    await makeRoom(alice)
    const { pos: second } = await slide(alice, all(), { pos: first })
    await makeRoom(alice)
    const { pos: third } = await slide(alice, all(), { pos: second })
    expect((await alice.answer('POST', `${OLD}?pos=${first}`, all())).body.errcode).toBe('M_UNKNOWN_POS')
    await slide(alice, all())
    expect((await alice.answer('POST', `${OLD}?pos=${third}`, all())).body.errcode).toBe('M_UNKNOWN_POS')
  })

  test('belongs to one connection of one device', async () => {
    const alice = await here.register('conns')
    const tablet = await here.login(alice.userId, 'TABLET')
    const roomId = await makeRoom(alice)
    const one = await slide(alice, { conn_id: 'one', ...all() })
    const two = await slide(alice, { conn_id: 'two', ...all() })
    expect([one, two].map(({ rooms }) => rooms[roomId]?.initial)).toEqual([true, true])
    expect((await tablet.answer('POST', `${OLD}?pos=${one.pos}`, { conn_id: 'one' })).body.errcode).toBe('M_UNKNOWN_POS')
    expect((await slide(alice, { conn_id: 'one', ...all() }, { pos: one.pos })).rooms).toEqual({})
  })

  test('is a place in the history of a room', async () => {
    const alice = await here.register('place')
    const roomId = await makeRoom(alice)
    await say(alice, roomId, 'before')
    const { pos } = await slide(alice, all())
    await say(alice, roomId, 'after')
    const { chunk } = await done(alice, 'GET', inRoom(roomId, `/messages?dir=b&limit=1&from=${pos}`))
    expect(bodies(chunk as ShownEvent[])).toEqual(['before'])
  })
})

describe('a restart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warren-sliding-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let runs = 0
  const onDisk = (file: string) => house({ database: { name: 'sqlite3', args: { database: join(folder, file) } } }, { isNew: runs++ % 2 === 0 })

  test('leaves a connection where it was', async () => {
    const before = await onDisk('stay.db')
    const [one, two] = [await makeRoom(before.alice, { name: 'one' }), await makeRoom(before.alice, { name: 'two' })]
    const body = { ...all({ timeline_limit: 5 }), extensions: { account_data: { enabled: true } } }
    const first = await slide(before.alice, { ...body, ...all({ ranges: [[0, 0]], timeline_limit: 5 }) })
    const { pos } = await slide(before.alice, body, { pos: first.pos })
    await before.server.settled()
    await before.close()
    const after = await onDisk('stay.db')
    await say(after.alice, one, 'while it was away')
    const next = await slide(after.alice, body, { pos })
    expect(Object.keys(next.rooms)).toEqual([one])
    expect(next.rooms[one]).toMatchObject({ num_live: 1, limited: false })
    expect(next.rooms[one]?.name).toBeUndefined()
    expect(next.extensions).toEqual({})
    expect((await slide(after.alice, body, { pos: next.pos })).rooms).toEqual({})
    const again = await slide(after.alice, body, { pos: first.pos }).catch((error: unknown) => String(error))
    expect(again).toContain('M_UNKNOWN_POS')
    expect(two).not.toBe(one)
    await after.close()
  })

  test('forgets which members it was told of, so that changes in a gap are told if they are few', async () => {
    const before = await onDisk('members.db')
    const roomId = await makeRoom(before.alice)
    await bringIn(before.alice, roomId, before.bob)
    const body = all({ required_state: [['m.room.member', '$LAZY']] })
    const { pos } = await slide(before.alice, body)
    await before.server.settled()
    await before.close()
    const after = await onDisk('members.db')
    await done(after.bob, 'POST', inRoom(roomId, '/leave'), {})
    for (const text of ['one', 'two']) await say(after.alice, roomId, text)
    const room = (await slide(after.alice, body, { pos })).rooms[roomId]
    expect([room?.limited, places(room?.required_state)]).toEqual([true, [`m.room.member|${after.alice.userId}`, `m.room.member|${after.bob.userId}`]])
    await after.close()
  })

  test('leaves it where it was even if the last answer was lost', async () => {
    const before = await onDisk('lost.db')
    const [one, two] = [await makeRoom(before.alice), await makeRoom(before.alice)]
    const first = await slide(before.alice, all({ ranges: [[0, 0]] }))
    await slide(before.alice, all(), { pos: first.pos })
    await before.server.settled()
    await before.close()
    const after = await onDisk('lost.db')
    const next = await slide(after.alice, all(), { pos: first.pos })
    expect(Object.keys(next.rooms)).toEqual([one])
    expect(next.rooms[one]?.initial).toBe(true)
    expect(first.rooms[two]?.initial).toBe(true)
    await after.close()
  })
})

describe('a subscription', () => {
  test('shows a room that is in no list, and nothing of rooms of others', async () => {
    const [alice, bob] = [await here.register('subscriber'), await here.register('stranger-there')]
    const [mine, other] = [await makeRoom(alice), await makeRoom(bob, { preset: 'public_chat' })]
    const room = { timeline_limit: 3, required_state: [['*', '*']] }
    const { rooms } = await slide(alice, { room_subscriptions: { [mine]: room, [other]: room, '!nowhere:a.example': room } })
    expect(Object.keys(rooms)).toEqual([mine])
    expect(places(rooms[mine]?.required_state)).toContain(`m.room.member|${alice.userId}`)
    expect(rooms[mine]?.required_state?.length).toBeGreaterThan(5)
  })

  test('brings older events at once when more are asked for', async () => {
    const alice = await here.register('expanded')
    const roomId = await makeRoom(alice)
    for (const text of ['one', 'two', 'three']) await say(alice, roomId, text)
    const first = await slide(alice, all())
    expect(bodies(first.rooms[roomId]?.timeline)).toEqual(['three'])
    const subscribed = { ...all(), room_subscriptions: { [roomId]: { timeline_limit: 3, required_state: [] } } }
    const second = await slide(alice, subscribed, { pos: first.pos, timeout: '5000' })
    expect(second.rooms[roomId]).toMatchObject({ unstable_expanded_timeline: true, limited: true, num_live: 0 })
    expect(bodies(second.rooms[roomId]?.timeline)).toEqual(['one', 'two', 'three'])
    const third = await slide(alice, all(), { pos: second.pos })
    expect(third.rooms).toEqual({})
    expect((await slide(alice, subscribed, { pos: third.pos })).rooms).toEqual({})
  })

  test('shows a room that the user has left as it was then, until they forget it', async () => {
    const [alice, bob] = [await here.register('former'), await here.register('former-host')]
    const roomId = await makeRoom(bob, { name: 'then' })
    await bringIn(bob, roomId, alice)
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    await setState(bob, roomId, 'm.room.name', { name: 'now' })
    const body = { room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: [['m.room.name', '']] } } }
    const first = await slide(alice, body)
    expect(first.rooms[roomId]).toMatchObject({ initial: true, name: 'then', required_state: [{ content: { name: 'then' } }], timeline: [{ content: { membership: 'leave' } }] })
    expect((await slide(alice, body, { pos: first.pos })).rooms).toEqual({})
    await done(alice, 'POST', inRoom(roomId, '/forget'), {})
    expect((await slide(alice, body)).rooms).toEqual({})
  })

  test('brings state that was not wanted before at once', async () => {
    const alice = await here.register('more-state')
    const roomId = await makeRoom(alice, { name: 'den', topic: 'talk' })
    const first = await slide(alice, all())
    const body = { ...all(), room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: [['m.room.topic', '']] } } }
    const second = await slide(alice, body, { pos: first.pos, timeout: '5000' })
    expect(places(second.rooms[roomId]?.required_state)).toEqual(['m.room.topic|'])
    const third = await slide(alice, all(), { pos: second.pos })
    expect((await slide(alice, body, { pos: third.pos })).rooms).toEqual({})
    await setState(alice, roomId, 'm.room.topic', { topic: 'unseen' })
    const fourth = await slide(alice, all(), { pos: third.pos })
    expect(fourth.rooms[roomId]?.required_state).toEqual([])
    const fifth = await slide(alice, body, { pos: fourth.pos })
    expect(fifth.rooms[roomId]?.required_state?.[0]?.content).toEqual({ topic: 'unseen' })
  })
})

describe('required state', () => {
  test('$ME and $LAZY bring the members that the timeline needs, once', async () => {
    const [alice, bob, carol] = [await here.register('lazy'), await here.register('lazy-bob'), await here.register('lazy-carol')]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob, carol)
    await say(bob, roomId, 'from bob')
    const body = all({ required_state: [['m.room.member', '$LAZY'], ['m.room.member', '$ME']] })
    const first = await slide(alice, body)
    expect(places(first.rooms[roomId]?.required_state)).toEqual([`m.room.member|${alice.userId}`, `m.room.member|${bob.userId}`].sort())
    await say(carol, roomId, 'from carol')
    const second = await slide(alice, body, { pos: first.pos })
    expect(places(second.rooms[roomId]?.required_state)).toEqual([`m.room.member|${carol.userId}`])
    await say(carol, roomId, 'more from carol')
    const third = await slide(alice, body, { pos: second.pos })
    expect(third.rooms[roomId]?.required_state).toEqual([])
  })

  test('of lazy members also brings every change of a member where there is no gap', async () => {
    const [alice, bob] = [await here.register('changes'), await here.register('changes-bob')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    const body = all({ required_state: [['m.room.member', '$LAZY']], timeline_limit: 5 })
    const first = await slide(alice, body)
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const second = await slide(alice, body, { pos: first.pos })
    expect(places(second.rooms[roomId]?.required_state)).toEqual([`m.room.member|${bob.userId}`])
    expect(second.rooms[roomId]?.joined_count).toBe(2)
  })

  test('of lazy members in a gap brings the changes of those whom the client knows', async () => {
    const [alice, bob, carol] = [await here.register('gap'), await here.register('gap-bob'), await here.register('gap-carol')]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob, carol)
    await say(bob, roomId, 'from bob')
    const body = all({ required_state: [['m.room.member', '$LAZY']] })
    const first = await slide(alice, body)
    for (const guest of [bob, carol]) await done(guest, 'POST', inRoom(roomId, '/leave'), {})
    for (const text of ['one', 'two']) await say(alice, roomId, text)
    const room = (await slide(alice, body, { pos: first.pos })).rooms[roomId]
    expect([room?.limited, places(room?.required_state)]).toEqual([true, [`m.room.member|${bob.userId}`, `m.room.member|${alice.userId}`]])
  })

  test('of lazy members tells who joins of who has asked them in', async () => {
    const [alice, bob] = [await here.register('asks-in'), await here.register('asked-in')]
    const roomId = await makeRoom(alice, { invite: [bob.userId] })
    const body = all({ required_state: [['m.room.member', '$LAZY']] })
    const { pos } = await slide(bob, body)
    await done(alice, 'PUT', `/v3/profile/${alice.userId}/displayname`, { displayname: 'Alice' })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const room = (await slide(bob, body, { pos })).rooms[roomId]
    expect(room?.required_state?.find(({ state_key }) => state_key === alice.userId)?.content).toEqual({ membership: 'join', displayname: 'Alice' })
  })

  test('of lazy members tells who comes again whom of those it knows has changed', async () => {
    const [alice, bob, carol] = [await here.register('again'), await here.register('again-bob'), await here.register('again-carol')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await bringIn(alice, roomId, bob, carol)
    await say(carol, roomId, 'from carol')
    const body = all({ required_state: [['m.room.member', '$LAZY'], ['m.room.member', '$ME']] })
    const first = await slide(bob, body)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const left = await slide(bob, body, { pos: first.pos })
    await done(carol, 'POST', inRoom(roomId, '/leave'), {})
    const out = await slide(bob, body, { pos: left.pos })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const room = (await slide(bob, body, { pos: out.pos })).rooms[roomId]
    expect(room?.initial).toBe(true)
    expect(room?.required_state?.map(({ state_key, content }) => [state_key, content.membership]).sort()).toEqual([[bob.userId, 'join'], [carol.userId, 'leave'], [alice.userId, 'join']])
  })

  test('tells of a room that was left also where it is behind the end of the window', async () => {
    const [alice, bob] = [await here.register('behind'), await here.register('behind-host')]
    const talking = [await makeRoom(alice), await makeRoom(alice)]
    const [left, withdrawn] = [await makeRoom(bob, { preset: 'public_chat' }), await makeRoom(bob)]
    await done(alice, 'POST', inRoom(left, '/join'), {})
    await done(bob, 'POST', inRoom(withdrawn, '/invite'), { user_id: alice.userId })
    const body = all({ ranges: [[0, 1]], required_state: [['m.room.member', '$ME']] })
    const first = await slide(alice, body)
    expect(Object.keys(first.rooms).sort()).toEqual([left, withdrawn].sort())
    await done(alice, 'POST', inRoom(left, '/leave'), {})
    await done(bob, 'POST', inRoom(withdrawn, '/kick'), { user_id: alice.userId })
    for (const roomId of talking) await say(alice, roomId, 'to the top')
    const second = await slide(alice, body, { pos: first.pos })
    expect(Object.keys(second.rooms).sort()).toEqual([...talking, left, withdrawn].sort())
    for (const roomId of [left, withdrawn])
      expect(second.rooms[roomId]?.required_state).toMatchObject([{ state_key: alice.userId, content: { membership: 'leave' } }])
    expect((await slide(alice, body, { pos: second.pos })).rooms).toEqual({})
  })

  test('tells who came and went in one gap what had changed before they came', async () => {
    const [alice, bob, carol] = [await here.register('passing'), await here.register('passing-bob'), await here.register('passing-carol')]
    const roomId = await makeRoom(alice, { preset: 'public_chat', name: 'then' })
    await bringIn(alice, roomId, bob, carol)
    await say(carol, roomId, 'from carol')
    const body = all({ required_state: [['m.room.name', ''], ['m.room.member', '$LAZY'], ['m.room.member', '$ME']] })
    const first = await slide(bob, body)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const left = await slide(bob, body, { pos: first.pos })
    await setState(alice, roomId, 'm.room.name', { name: 'now' })
    await done(alice, 'POST', inRoom(roomId, '/ban'), { user_id: carol.userId })
    const out = await slide(bob, body, { pos: left.pos })
    expect(out.rooms).toEqual({})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const room = (await slide(bob, body, { pos: out.pos })).rooms[roomId]
    expect(room?.name).toBe('now')
    expect(room?.required_state?.map(({ state_key, content }) => [state_key, content.name ?? content.membership]).sort())
      .toEqual([['', 'now'], [bob.userId, 'leave'], [carol.userId, 'ban']])
  })

  test('of lazy members that is asked for again tells who has changed meanwhile', async () => {
    const [alice, bob] = [await here.register('on-and-off'), await here.register('on-and-off-bob')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await say(bob, roomId, 'hello')
    const lazy = all({ required_state: [['m.room.member', '$LAZY']] })
    const first = await slide(alice, lazy)
    const second = await slide(alice, all(), { pos: first.pos })
    await done(bob, 'PUT', inRoom(roomId, `/state/m.room.member/${bob.userId}`), { membership: 'join', displayname: 'Robert' })
    await say(alice, roomId, 'hello Robert')
    const third = await slide(alice, all(), { pos: second.pos })
    const room = (await slide(alice, lazy, { pos: third.pos })).rooms[roomId]
    expect(room?.required_state?.map(({ state_key, content }) => [state_key, content.displayname])).toEqual([[bob.userId, 'Robert']])
  })

  test('of lazy members begins anew with a room that is new again', async () => {
    const [alice, bob] = [await here.register('anew'), await here.register('anew-bob')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await say(alice, roomId, 'hello')
    const body = all({ timeline_limit: 3, required_state: [['m.room.member', '$LAZY']] })
    const first = await slide(bob, body)
    expect(places(first.rooms[roomId]?.required_state)).toContain(`m.room.member|${alice.userId}`)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const second = await slide(bob, body, { pos: first.pos })
    const { initial, required_state: state } = second.rooms[roomId] ?? {}
    expect([initial, places(state)]).toEqual([true, [`m.room.member|${alice.userId}`, `m.room.member|${bob.userId}`].sort()])
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const narrow = all({ timeline_limit: 1, required_state: [['m.room.member', '$LAZY']] })
    const third = await slide(bob, narrow, { pos: second.pos })
    expect(places(third.rooms[roomId]?.required_state)).toEqual([`m.room.member|${bob.userId}`])
    await say(alice, roomId, 'hello again')
    const fourth = await slide(bob, narrow, { pos: third.pos })
    expect(places(fourth.rooms[roomId]?.required_state)).toEqual([`m.room.member|${alice.userId}`])
  })

  test('a name that is removed is null in the accepted form', async () => {
    const alice = await here.register('nameless')
    const roomId = await makeRoom(alice, { name: 'den' })
    const body = { lists: { all: { timeline_limit: 1, required_state: { include: [{}], exclude: [{ type: 'm.room.create' }] } } } }
    const first = await slideNew(alice, body)
    expect(first.rooms[roomId]).toMatchObject({ initial: true, name: 'den', membership: 'join', lists: ['all'] })
    expect(places(first.rooms[roomId]?.required_state)).not.toContain('m.room.create|')
    expect(places(first.rooms[roomId]?.required_state)).toContain(`m.room.member|${alice.userId}`)
    expect(first.lists).toEqual({ all: { count: 1 } })
    expect(first.rooms[roomId]).not.toHaveProperty('notification_count')
    await setState(alice, roomId, 'm.room.name', { name: '' })
    const second = await slideNew(alice, { ...body, pos: first.pos })
    expect(second.rooms[roomId]?.name).toBeNull()
  })
})

describe('a membership', () => {
  test('by invitation is stripped state with the own event last; joining makes the room new', async () => {
    const [alice, bob] = [await here.register('invited'), await here.register('inviter')]
    const roomId = await makeRoom(bob, { name: 'den' })
    const first = await slide(alice, all())
    await done(bob, 'POST', inRoom(roomId, '/invite'), { user_id: alice.userId })
    const second = await slide(alice, all(), { pos: first.pos, timeout: '5000' })
    expect(second.rooms[roomId]?.invite_state?.at(-1)).toMatchObject({ type: 'm.room.member', state_key: alice.userId, content: { membership: 'invite' } })
    expect(second.rooms[roomId]?.timeline).toBeUndefined()
    expect(second.lists.all?.count).toBe(1)
    await done(alice, 'POST', inRoom(roomId, '/join'), {})
    const third = await slide(alice, all(), { pos: second.pos })
    expect(third.rooms[roomId]).toMatchObject({ initial: true, name: 'den', joined_count: 2, num_live: 1 })
  })

  test('that ends is told with the last events; then the room is gone from the lists', async () => {
    const [alice, bob] = [await here.register('leaver'), await here.register('stayer')]
    const roomId = await makeRoom(bob)
    await bringIn(bob, roomId, alice)
    const body = all({ timeline_limit: 5, required_state: [['m.room.member', '$ME']] })
    const first = await slide(alice, body)
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    await say(bob, roomId, 'behind their back')
    const second = await slide(alice, body, { pos: first.pos })
    expect(second.rooms[roomId]?.timeline?.map(({ content }) => content.membership ?? content.body)).toEqual(['leave'])
    expect(second.rooms[roomId]?.required_state?.map(({ content }) => content.membership)).toEqual(['leave'])
    const third = await slide(alice, body, { pos: second.pos })
    expect(third).toMatchObject({ rooms: {}, lists: { all: { count: 0 } } })
  })

  test('that others end stays listed; a room that was never entered shows nothing but that', async () => {
    const [alice, bob] = [await here.register('kicked'), await here.register('kicker')]
    const [entered, refused] = [await makeRoom(bob), await makeRoom(bob)]
    await bringIn(bob, entered, alice)
    await done(bob, 'POST', inRoom(refused, '/invite'), { user_id: alice.userId })
    const body = all({ required_state: [['m.room.member', '$ME']] })
    const first = await slide(alice, body)
    for (const roomId of [entered, refused]) await done(bob, 'POST', inRoom(roomId, '/kick'), { user_id: alice.userId })
    const second = await slide(alice, body, { pos: first.pos })
    expect(second.rooms[entered]?.timeline?.at(-1)?.content.membership).toBe('leave')
    expect(second.rooms[refused]?.required_state?.map(({ content }) => content.membership)).toEqual(['leave'])
    expect(second.rooms[refused]?.timeline).toBeUndefined()
    expect((await slide(alice, body)).lists.all?.count).toBe(1)
    await done(alice, 'POST', inRoom(entered, '/forget'), {})
    expect((await slide(alice, body)).lists.all?.count).toBe(0)
  })

  test('that ended before a ban is told to be a ban, without what changed between', async () => {
    const [alice, bob] = [await here.register('left-then-banned'), await here.register('banner')]
    const roomId = await makeRoom(bob, { name: 'then' })
    await bringIn(bob, roomId, alice)
    await done(alice, 'POST', inRoom(roomId, '/leave'), {})
    await setState(bob, roomId, 'm.room.name', { name: 'now' })
    await done(bob, 'POST', inRoom(roomId, '/ban'), { user_id: alice.userId })
    const room = (await slide(alice, all({ required_state: [['m.room.name', ''], ['m.room.member', '$ME']] }))).rooms[roomId]
    expect([room?.name, room?.required_state?.map(({ content }) => content.name ?? content.membership)]).toEqual(['then', ['then', 'ban']])
  })

  test('G-71: an invitation by somebody who is ignored is not shown', async () => {
    const [alice, bob] = [await here.register('ignoring'), await here.register('ignored')]
    const roomId = await makeRoom(bob)
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.ignored_user_list`, { ignored_users: { [bob.userId]: {} } })
    await done(bob, 'POST', inRoom(roomId, '/invite'), { user_id: alice.userId })
    expect(await slide(alice, all())).toMatchObject({ rooms: {}, lists: { all: { count: 0 } } })
  })
})

describe('extensions', () => {
  const messageTo = (from: Caller, to: Caller, text: string): Promise<unknown> =>
    done(from, 'PUT', `/v3/sendToDevice/m.dummy/${text}`, { messages: { [to.userId]: { [to.deviceId]: { text } } } })

  test('to_device has a token of its own, and deletes what it acknowledges', async () => {
    const [alice, bob] = [await here.register('todevice'), await here.register('todevice-bob')]
    const enabled = (since?: string) => ({ conn_id: 'encryption', extensions: { to_device: { enabled: true, ...(since ? { since } : {}) } } })
    const first = await slide(alice, enabled())
    expect(first.extensions.to_device).toMatchObject({ events: [] })
    const waiting = slide(alice, enabled(first.extensions.to_device?.next_batch as string), { pos: first.pos, timeout: '5000' })
    await messageTo(bob, alice, 'hello')
    const second = await waiting
    expect(second.extensions.to_device?.events).toMatchObject([{ type: 'm.dummy', content: { text: 'hello' } }])
    const again = await slide(alice, enabled(first.extensions.to_device?.next_batch as string), { pos: second.pos })
    expect(again.extensions.to_device?.events).toHaveLength(1)
    const last = await slide(alice, enabled(again.extensions.to_device?.next_batch as string), { pos: again.pos })
    expect(last.extensions.to_device?.events).toEqual([])
    expect((await slide(alice, enabled())).extensions.to_device?.events).toEqual([])
  })

  test('e2ee always says the counts, and device lists where they changed', async () => {
    const [alice, bob] = [await here.register('e2ee'), await here.register('e2ee-bob')]
    await bringIn(alice, await makeRoom(alice), bob)
    const body = { extensions: { e2ee: { enabled: true } } }
    const first = await slide(alice, body)
    expect(first.extensions.e2ee).toEqual({ device_one_time_keys_count: { signed_curve25519: 0 }, device_unused_fallback_key_types: [] })
    const waiting = slide(alice, body, { pos: first.pos, timeout: '5000' })
    await Bun.sleep(10)
    await here.login(bob.userId, 'NEWDEVICE')
    await done(bob, 'PUT', '/v3/devices/NEWDEVICE', { display_name: 'new' })
    const second = await waiting
    expect(second.extensions.e2ee?.device_lists).toEqual({ changed: [bob.userId], left: [] })
    const prefixed = await slideNew(alice, { extensions: { 'org.matrix.msc4543.e2ee': { enabled: true }, 'x.unknown': { enabled: true } } })
    expect(Object.keys(prefixed.extensions)).toEqual(['org.matrix.msc4543.e2ee'])
  })

  test('account_data brings everything at first, and then the changes', async () => {
    const alice = await here.register('accountdata')
    const roomId = await makeRoom(alice)
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/x.global`, { a: 1 })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/rooms/${roomId}/account_data/x.room`, { b: 1 })
    const body = { ...all(), extensions: { account_data: { enabled: true } } }
    const first = await slide(alice, body)
    const types = (list: unknown): string[] => (list as { type: string }[]).map(({ type }) => type).sort()
    expect(types(first.extensions.account_data?.global)).toEqual(['m.push_rules', 'x.global'])
    expect(first.extensions.account_data?.rooms).toEqual({ [roomId]: [{ type: 'x.room', content: { b: 1 } }] })
    const off = await slide(alice, all(), { pos: first.pos })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/rooms/${roomId}/account_data/x.room`, { b: 2 })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/x.global`, { a: 2 })
    const stillOff = await slide(alice, all(), { pos: off.pos })
    const on = await slide(alice, body, { pos: stillOff.pos })
    expect(on.extensions.account_data).toEqual({
      global: [{ type: 'x.global', content: { a: 2 } }],
      rooms: { [roomId]: [{ type: 'x.room', content: { b: 2 } }] },
    })
    expect((await slide(alice, body, { pos: on.pos })).extensions).toEqual({})
  })

  test('receipts that could not be told come later: of a time outside the room, and of one outside the scope', async () => {
    const [alice, bob] = [await here.register('late-receipts'), await here.register('late-receipts-bob')]
    const roomId = await makeRoom(bob, { preset: 'public_chat' })
    await done(alice, 'POST', inRoom(roomId, '/join'), {})
    const [one, two] = [await say(bob, roomId, 'one'), await say(bob, roomId, 'two')]
    const read = (eventId: string) => done(alice, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})
    const body = (scope: object) => ({ ...all(), extensions: { receipts: { enabled: true, ...scope } } })
    const told = (answer: Answer) => Object.keys((answer.extensions.receipts?.rooms as Record<string, { content: object }> | undefined)?.[roomId]?.content ?? {})
    const first = await slide(alice, body({}))
    await read(one)
    const second = await slide(alice, body({ lists: [] }), { pos: first.pos })
    expect(told(second)).toEqual([])
    const third = await slide(alice, body({}), { pos: second.pos })
    expect(told(third)).toEqual([one])
    await read(two)
    await done(bob, 'POST', inRoom(roomId, '/kick'), { user_id: alice.userId })
    const out = await slide(alice, body({}), { pos: third.pos })
    await done(alice, 'POST', inRoom(roomId, '/join'), {})
    expect(told(await slide(alice, body({}), { pos: out.pos }))).toEqual([two])
  })

  test('receipts on older events come when those are shown', async () => {
    const [alice, bob] = [await here.register('older-receipts'), await here.register('older-receipts-bob')]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const old = await say(alice, roomId, 'old')
    await say(alice, roomId, 'newer')
    await done(bob, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(old)}`), {})
    const extensions = { receipts: { enabled: true } }
    const first = await slide(alice, { ...all(), extensions })
    expect([bodies(first.rooms[roomId]?.timeline), first.extensions]).toEqual([['newer'], {}])
    const second = await slide(alice, { ...all({ timeline_limit: 2 }), extensions }, { pos: first.pos })
    expect(second.extensions).toEqual({
      receipts: { rooms: { [roomId]: { type: 'm.receipt', content: { [old]: { 'm.read': { [bob.userId]: { ts: expect.any(Number) } } } } } } },
    } as never)
  })

  test('receipts come for what is shown and always the own; later only changes', async () => {
    const [alice, bob] = [await here.register('receipts'), await here.register('receipts-bob')]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const [old, newest] = [await say(bob, roomId, 'old'), await say(bob, roomId, 'newest')]
    const read = (who: Caller, type: string, eventId: string) => done(who, 'POST', inRoom(roomId, `/receipt/${type}/${encodeURIComponent(eventId)}`), {})
    await read(alice, 'm.read.private', old)
    await read(bob, 'm.read', newest)
    const body = { ...all(), extensions: { receipts: { enabled: true, rooms: ['*'] } } }
    const first = await slide(alice, body)
    const content = (answer: Answer) => (answer.extensions.receipts?.rooms as Record<string, { content: Record<string, object> }> | undefined)?.[roomId]?.content
    expect(content(first)).toEqual({
      [old]: { 'm.read.private': { [alice.userId]: { ts: expect.any(Number) } } },
      [newest]: { 'm.read': { [bob.userId]: { ts: expect.any(Number) } } },
    })
    expect(content(await slide(bob, body))?.[old]).toBeUndefined()
    const waiting = slide(alice, body, { pos: first.pos, timeout: '5000' })
    await Bun.sleep(10)
    await read(alice, 'm.read', newest)
    const second = await waiting
    expect(content(second)).toEqual({ [newest]: { 'm.read': { [alice.userId]: { ts: expect.any(Number) } } } })
    // The form in use tells the counts of a room, and they have changed.
    expect(second.rooms[roomId]).toEqual({
      bump_stamp: expect.any(Number), required_state: [], timeline: [], limited: false, prev_batch: expect.any(String), num_live: 0, notification_count: 0, highlight_count: 0,
    } as never)
    await read(alice, 'm.read.private', newest)
    const third = await slide(alice, body, { pos: second.pos, timeout: '5000' })
    expect([third.rooms, Object.keys(third.extensions)]).toEqual([{}, ['receipts']])
  })

  test('typing tells who types on coming into sight, and each change', async () => {
    const [alice, bob] = [await here.register('typing'), await here.register('typing-bob')]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const type = (typing: boolean) => done(bob, 'PUT', inRoom(roomId, `/typing/${bob.userId}`), { typing, timeout: 30_000 })
    const body = { ...all(), extensions: { typing: { enabled: true } } }
    await type(true)
    const first = await slide(alice, body)
    expect(first.extensions.typing?.rooms).toEqual({ [roomId]: { type: 'm.typing', content: { user_ids: [bob.userId] } } })
    const waiting = slide(alice, body, { pos: first.pos, timeout: '5000' })
    await Bun.sleep(10)
    await type(false)
    expect((await waiting).extensions.typing?.rooms).toEqual({ [roomId]: { type: 'm.typing', content: { user_ids: [] } } })
  })

  test('thread subscriptions come once, newest first, with a token for the rest', async () => {
    const alice = await here.register('threads')
    const roomId = await makeRoom(alice)
    const roots = [await say(alice, roomId, 'a'), await say(alice, roomId, 'b')]
    for (const root of roots) await done(alice, 'PUT', `/unstable/io.element.msc4306/rooms/${roomId}/thread/${encodeURIComponent(root)}/subscription`, {})
    const key = 'io.element.msc4308.thread_subscriptions'
    const body = { extensions: { [key]: { enabled: true, limit: 1 } } }
    const first = await slide(alice, body)
    expect(first.extensions[key]?.subscribed).toEqual({ [roomId]: { [roots[1] ?? '']: { automatic: false, bump_stamp: expect.any(Number) } } })
    const from = first.extensions[key]?.prev_batch as string
    const rest = await done(alice, 'GET', `/unstable/io.element.msc4308/thread_subscriptions?dir=b&from=${from}`)
    expect(Object.keys((rest.subscribed as Record<string, object>)[roomId] ?? {})).toEqual([roots[0] ?? ''])
    expect((await slide(alice, body, { pos: first.pos })).extensions).toEqual({})
  })
})

describe('unread counts', () => {
  test('stand in the form in use', async () => {
    const [alice, bob] = [await here.register('counts'), await here.register('counts-bob')]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    await say(bob, roomId, 'unread')
    expect((await slide(alice, all())).rooms[roomId]?.notification_count).toBe(1)
  })
})

describe('a request', () => {
  test.each([
    ['with too many lists', { lists: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`l${at}`, { timeline_limit: 1, required_state: {} }])) }, 'M_INVALID_PARAM'],
    ['with too many subscriptions', { room_subscriptions: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`!r${at}:a.example`, { timeline_limit: 1, required_state: {} }])) }, 'M_INVALID_PARAM'],
    ['with an unknown presence', { set_presence: 'asleep' }, 'M_INVALID_PARAM'],
    ['with a range of one place', { lists: { a: { range: [1], timeline_limit: 1, required_state: {} } } }, 'M_BAD_JSON'],
    ['without a timeline limit', { lists: { a: { required_state: {} } } }, 'M_MISSING_PARAM'],
  ])('%s is refused', async (_says, body, errcode) => {
    expect(await here.alice.answer('POST', '/v4/sync', body)).toMatchObject({ status: 400, body: { errcode } })
  })

  test('that is overtaken by another on its connection ends', async () => {
    const alice = await here.register('overtaken')
    await makeRoom(alice)
    const { pos } = await slide(alice, all())
    const waiting = slide(alice, all(), { pos, timeout: '20000' })
    await Bun.sleep(20)
    const [first, second] = await Promise.all([waiting, slide(alice, all(), { pos, timeout: '10' })])
    expect(first.rooms).toEqual({})
    expect((await slide(alice, all(), { pos: second.pos })).rooms).toEqual({})
  })
})
