import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

/** What Element X relies on, clause by clause (MSC4186); what is told of one room over time stands in `sliding-sync.test.ts`. */
const SLIDING = '/unstable/org.matrix.simplified_msc3575/sync'

type Room = Readonly<Record<string, unknown> & { required_state?: ShownEvent[]; timeline?: ShownEvent[]; bump_stamp: number; membership?: string }>
type Answer = Readonly<{
  pos: string
  lists: Record<string, { count: number; ops?: { range: number[]; room_ids: string[] }[] }>
  rooms: Record<string, Room>
  extensions: Record<string, Record<string, unknown>>
}>

let here: House
let people = 0
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const someone = (): Promise<Caller> => here.register(`someone${++people}`)
const slide = async (who: Caller, body: object, query: Record<string, string> = {}): Promise<Answer> =>
  (await done(who, 'POST', `${SLIDING}?${new URLSearchParams(query)}`, body)) as unknown as Answer
const slideNew = async (who: Caller, body: object): Promise<Answer> => (await done(who, 'POST', '/v4/sync', body)) as unknown as Answer
const list = (more: object = {}): object => ({ lists: { all: { ranges: [[0, 19]], timeline_limit: 1, ...more } } })
const places = (room: Room | undefined): string[] => (room?.required_state ?? []).map(({ type, state_key }) => `${type}|${state_key}`).sort()

describe('a window', () => {
  const roomsIn = ({ rooms, lists }: Answer): unknown => ({ rooms: Object.keys(rooms).length, count: lists.all?.count })

  test.each([
    ['of several ranges holds the rooms of each, once', { ranges: [[0, 1], [1, 2], [4, 4]] }, 4],
    ['without ranges holds all', { ranges: undefined }, 5],
    ['of everything holds all', { ranges: [[0, 0]], slow_get_all_rooms: true }, 5],
    ['beyond the last room holds what there is', { ranges: [[3, 100], [200, 300]] }, 2],
  ])('%s', async (_says, more, rooms) => {
    const alice = await someone()
    for (let index = 0; index < 5; index++) await makeRoom(alice)
    expect(roomsIn(await slide(alice, list(more)))).toEqual({ rooms, count: 5 })
  })

  test('that grows brings the rooms that come into it, at once', async () => {
    const alice = await someone()
    for (let index = 0; index < 3; index++) await makeRoom(alice)
    const first = await slide(alice, list({ ranges: [[0, 0]] }))
    const second = await slide(alice, list({ ranges: [[0, 2]] }), { pos: first.pos, timeout: '60000' })
    expect([Object.keys(first.rooms).length, Object.keys(second.rooms).length]).toEqual([1, 2])
    expect(Object.values(second.rooms).every(({ initial, num_live }) => initial === true && num_live === 0)).toBe(true)
  })

  test('of the accepted form is one range, and its list says no places', async () => {
    const alice = await someone()
    for (let index = 0; index < 3; index++) await makeRoom(alice)
    const answer = await slideNew(alice, { lists: { some: { range: [0, 1], timeline_limit: 1, required_state: {} } } })
    expect([answer.lists, Object.values(answer.rooms).map(({ lists, membership }) => ({ lists, membership }))]).toEqual([
      { some: { count: 3 } },
      [{ lists: ['some'], membership: 'join' }, { lists: ['some'], membership: 'join' }],
    ])
  })
})

describe('the rooms of a list', () => {
  test('do not have those from which somebody was banned who never was there', async () => {
    const [alice, bob] = [await someone(), await someone()]
    const roomId = await makeRoom(alice)
    await done(alice, 'POST', inRoom(roomId, '/ban'), { user_id: bob.userId })
    expect(await slide(bob, list())).toMatchObject({ lists: { all: { count: 0 } }, rooms: {} })
  })

  test('have those from which others have put somebody out, up to then', async () => {
    const [alice, bob] = [await someone(), await someone()]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    await done(alice, 'POST', inRoom(roomId, '/kick'), { user_id: bob.userId })
    await say(alice, roomId, 'unseen')
    const { rooms, lists } = await slide(bob, list({ timeline_limit: 2, required_state: [['m.room.member', '$ME']] }))
    expect([lists.all?.count, bodiesOf(rooms[roomId]?.timeline)]).toEqual([1, ['m.room.member', 'm.room.member']])
    expect(rooms[roomId]?.required_state?.map(({ content }) => content.membership)).toEqual(['leave'])
  })

  test('do not have those that somebody left, or has forgotten, unless they were there', async () => {
    const [alice, bob] = [await someone(), await someone()]
    const [left, forgotten] = [await makeRoom(alice), await makeRoom(alice)]
    for (const roomId of [left, forgotten]) await bringIn(alice, roomId, bob)
    const first = await slide(bob, list({ required_state: [['m.room.member', '$ME']] }))
    for (const roomId of [left, forgotten]) await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(forgotten, '/forget'), {})
    const second = await slide(bob, list({ required_state: [['m.room.member', '$ME']] }), { pos: first.pos })
    const memberships = Object.entries(second.rooms).map(([id, { required_state }]) => [id, required_state?.[0]?.content.membership])
    expect(Object.fromEntries(memberships)).toEqual({ [left]: 'leave', [forgotten]: 'leave' })
    expect((await slide(bob, list())).rooms).toEqual({})
  })

  test('of the accepted form can be the invitations alone, or all but them', async () => {
    const [alice, bob] = [await someone(), await someone()]
    const [invited, joined] = [await makeRoom(alice, { invite: [bob.userId] }), await makeRoom(alice)]
    await bringIn(alice, joined, bob)
    const of = async (is_invited: boolean): Promise<string[]> =>
      Object.keys((await slideNew(bob, { lists: { all: { timeline_limit: 1, required_state: {}, filters: { is_invited } } } })).rooms)
    expect([await of(true), await of(false)]).toEqual([[invited], [joined]])
  })

  test('must have names that are identifiers in the accepted form', async () => {
    const alice = await someone()
    const { status, body } = await alice.answer('POST', '/v4/sync', { lists: { 'not a name': { timeline_limit: 1, required_state: {} } } })
    expect({ status, errcode: body.errcode }).toEqual({ status: 400, errcode: 'M_INVALID_PARAM' })
  })
})

describe('the bump stamp', () => {
  const stampOf = async (who: Caller, roomId: RoomId): Promise<number> => (await slide(who, list())).rooms[roomId]?.bump_stamp ?? NaN

  test.each(['m.room.message', 'm.room.encrypted', 'm.sticker', 'm.call.invite', 'm.poll.start', 'org.matrix.msc3381.poll.start'])('rises with %s', async (type) => {
    const alice = await someone()
    const roomId = await makeRoom(alice)
    const before = await stampOf(alice, roomId)
    await done(alice, 'PUT', inRoom(roomId, `/send/${type}/b${people}`), { body: 'x', msgtype: 'm.text' })
    expect(await stampOf(alice, roomId)).toBeGreaterThan(before)
  })

  test('stays with reactions, members, names and redactions, though the room comes to the top', async () => {
    const [alice, bob] = [await someone(), await someone()]
    const roomId = await makeRoom(alice)
    const eventId = await say(alice, roomId, 'words')
    const other = await makeRoom(alice)
    const before = await stampOf(alice, roomId)
    await done(alice, 'PUT', inRoom(roomId, `/send/m.reaction/r${people}`), { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key: '+' } })
    await setState(alice, roomId, 'm.room.name', { name: 'new' })
    await bringIn(alice, roomId, bob)
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/x${people}`), {})
    const { lists } = await slide(alice, list())
    expect([await stampOf(alice, roomId), lists.all?.ops?.[0]?.room_ids]).toEqual([before, [roomId, other]])
  })
})

describe('required state', () => {
  const stateOf = async (required_state: string[][]): Promise<string[]> => {
    const [alice, bob] = [await someone(), await someone()]
    const roomId = await makeRoom(alice, { name: 'den' })
    await bringIn(alice, roomId, bob)
    await setState(alice, roomId, 'org.example.one', {}, 'a')
    await setState(alice, roomId, 'org.example.two', {}, 'a')
    return places((await slide(alice, list({ required_state }))).rooms[roomId]).map((place) => place.replace(alice.userId, 'alice').replace(bob.userId, 'bob'))
  }

  test.each([
    ['of everything has the members too', [['*', '*']], expect.arrayContaining(['m.room.create|', 'm.room.name|', 'm.room.member|alice', 'm.room.member|bob', 'org.example.one|a'])],
    ['of a key in any type', [['*', 'a']], ['org.example.one|a', 'org.example.two|a']],
    ['of any key of a type', [['m.room.member', '*']], ['m.room.member|alice', 'm.room.member|bob']],
    ['of the reader', [['m.room.member', '$ME']], ['m.room.member|alice']],
    ['of nothing', [], []],
  ])('%s', async (_says, required, expected) => {
    expect(await stateOf(required)).toEqual(expected as string[])
  })
})

describe('the connections of Element X', () => {
  const roomList = list({ timeline_limit: 1 })
  const encryption = (since?: string): object => ({ conn_id: 'encryption', extensions: { to_device: { enabled: true, ...(since === undefined ? {} : { since }) }, e2ee: { enabled: true } } })
  const send = (who: Caller, to: Caller, text: string) =>
    done(who, 'PUT', `/v3/sendToDevice/org.example.letter/${text}`, { messages: { [to.userId]: { [to.deviceId]: { text } } } })
  const letters = ({ extensions }: Answer): unknown[] => ((extensions.to_device?.events ?? []) as ShownEvent[]).map(({ content }) => content.text)

  test('move on their own, and share one queue of messages', async () => {
    const [alice, bob] = [await someone(), await someone()]
    const roomId = await makeRoom(alice)
    const [rooms, keys] = [await slide(alice, { conn_id: 'room-list', ...roomList }), await slide(alice, encryption())]
    await say(alice, roomId, 'words')
    await send(bob, alice, `l${people}`)
    const moreKeys = await slide(alice, encryption(keys.extensions.to_device?.next_batch as string), { pos: keys.pos })
    expect([letters(moreKeys), moreKeys.rooms]).toEqual([[`l${people}`], {}])
    const moreRooms = await slide(alice, { conn_id: 'room-list', ...roomList }, { pos: rooms.pos })
    expect(bodiesOf(moreRooms.rooms[roomId]?.timeline)).toEqual(['words'])
    // The process that is woken by a push has a connection of its own to the same queue, until one of both has acknowledged.
    const push = { conn_id: 'push', extensions: { to_device: { enabled: true } } }
    expect(letters(await slide(alice, push))).toEqual([`l${people}`])
    const done1 = await slide(alice, encryption(moreKeys.extensions.to_device?.next_batch as string), { pos: moreKeys.pos })
    expect([letters(done1), letters(await slide(alice, push))]).toEqual([[], []])
  })

  test('answer at once without a position, however long they would wait', async () => {
    const alice = await someone()
    expect((await slide(alice, encryption(), { timeout: '60000' })).extensions).toMatchObject({
      to_device: { events: [], next_batch: expect.any(String) },
      e2ee: { device_one_time_keys_count: { signed_curve25519: 0 }, device_unused_fallback_key_types: [] },
    })
  })
})

test('relations come with a timeline only where a gap lies in front', async () => {
  const [alice, bob] = [await someone(), await someone()]
  const roomId = await makeRoom(alice)
  await bringIn(alice, roomId, bob)
  const first = await slide(bob, list({ timeline_limit: 2 }))
  const root = await say(alice, roomId, 'root')
  await say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const news = (await slide(bob, list({ timeline_limit: 2 }), { pos: first.pos })).rooms[roomId]
  const anew = (await slide(bob, list({ timeline_limit: 2 }))).rooms[roomId]
  expect([news?.limited, Object.keys(news?.timeline?.[0]?.unsigned ?? {}).includes('m.relations')]).toEqual([false, false])
  expect([anew?.limited, Object.keys(anew?.timeline?.[0]?.unsigned ?? {}).includes('m.relations')]).toEqual([true, true])
})
