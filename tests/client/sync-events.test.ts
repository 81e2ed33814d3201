import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, setState } from '#harness/rooms.ts'
import { joinedRoom, type SyncEvent, type SyncRoom, syncOf, told } from '#harness/sync.ts'
import type { RoomId } from '#schema/identifiers.ts'

let here: House
let alice: Caller
let bob: Caller
let people = 0
beforeAll(async () => {
  here = await house()
  ;({ alice } = here)
})
afterAll(() => here.close())

async function den(options: object = {}, isIn = true): Promise<RoomId> {
  bob = await here.register(`bob${++people}`)
  const roomId = await makeRoom(alice, options)
  if (isIn) await bringIn(alice, roomId, bob)
  return roomId
}

const ignore = (...users: Caller[]) =>
  done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.ignored_user_list`, { ignored_users: Object.fromEntries(users.map(({ userId }) => [userId, {}])) })

describe('what somebody says who is ignored', () => {
  test('is left out, though not what they do to the room', async () => {
    const roomId = await den({ power_level_content_override: { state_default: 0 } })
    await ignore(bob)
    const { next_batch: since } = await syncOf(alice)
    await say(bob, roomId, 'rude')
    await setState(bob, roomId, 'm.room.topic', { topic: 'changed' })
    await say(alice, roomId, 'calm')
    expect(told((await joinedRoom(alice, roomId, { since })).timeline)).toEqual(['m.room.topic', 'calm'])
    expect(told((await joinedRoom(alice, roomId)).timeline)).not.toContain('rude')
  })

  test('wakes nobody, nor does their receipt or invitation', async () => {
    const roomId = await den()
    const eventId = await say(alice, roomId, 'hello')
    await ignore(bob)
    const { next_batch: since } = await syncOf(alice)
    await say(bob, roomId, 'rude')
    await done(bob, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})
    await makeRoom(bob, { invite: [alice.userId] })
    expect((await syncOf(alice, { since })).rooms).toBeUndefined()
  })

  test('is there again when they are not ignored any more', async () => {
    const roomId = await den()
    await ignore(bob)
    await say(bob, roomId, 'sorry')
    await ignore()
    expect(told((await joinedRoom(alice, roomId)).timeline)).toContain('sorry')
  })
})

describe('of what was said before somebody came', () => {
  test('the state that still holds is told, wherever the timeline begins', async () => {
    const visibility = { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'joined' } }
    const roomId = await den({ preset: 'public_chat', initial_state: [visibility] }, false)
    await setState(alice, roomId, 'm.room.name', { name: 'first' })
    await setState(alice, roomId, 'm.room.name', { name: 'second' })
    const { next_batch: since } = await syncOf(bob)
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const names = ({ state, timeline }: SyncRoom): unknown[] =>
      [...(state?.events ?? []), ...timeline.events].filter(({ type }) => type === 'm.room.name').map(({ content }) => content.name)
    for (const query of [{ since }, {}, { since, filter: { room: { timeline: { limit: 1 } } } }])
      expect(names(await joinedRoom(bob, roomId, query))).toEqual(['second'])
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const { rooms } = await syncOf(bob, { filter: { room: { include_leave: true } } })
    expect(names(rooms?.leave?.[roomId] as SyncRoom)).toEqual(['second'])
  })

  const read = async (history_visibility: string, isInvitedFirst: boolean): Promise<unknown[]> => {
    const roomId = await den({ initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility } }] }, false)
    const { next_batch: since } = await syncOf(bob)
    await say(alice, roomId, 'before')
    if (isInvitedFirst) await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    await say(alice, roomId, 'between')
    if (!isInvitedFirst) await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const first = told((await joinedRoom(bob, roomId)).timeline).filter((text) => text === 'before' || text === 'between')
    const news = told((await joinedRoom(bob, roomId, { since })).timeline).filter((text) => text === 'before' || text === 'between')
    expect(news).toEqual(first)
    return first
  }

  test.each([
    ['world_readable', ['before', 'between']],
    ['shared', ['before', 'between']],
    ['invited', ['between']],
    ['joined', []],
  ])('%s history shows what it should', async (visibility, seen) => {
    expect(await read(visibility, true)).toEqual(seen)
  })

  test('nothing is shown to who was invited only afterwards, where one has to be', async () => {
    expect(await read('invited', false)).toEqual([])
  })
})

describe('what comes with an event', () => {
  const lastOf = async (who: Caller, roomId: RoomId): Promise<SyncEvent | undefined> => (await joinedRoom(who, roomId)).timeline.events.at(-1)

  test('is its age and the membership of the reader, and no room id', async () => {
    const roomId = await den()
    await say(alice, roomId, 'hello')
    const event = await lastOf(bob, roomId)
    expect(event).toEqual({
      content: { msgtype: 'm.text', body: 'hello' },
      event_id: expect.any(String),
      origin_server_ts: expect.any(Number),
      sender: alice.userId,
      type: 'm.room.message',
      unsigned: { age: expect.any(Number), membership: 'join' },
    } as never)
    expect(event?.unsigned?.age).toBeGreaterThanOrEqual(0)
  })

  test('is the membership that the reader had then (MSC4115)', async () => {
    const roomId = await den({}, false)
    await say(alice, roomId, 'before')
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    await say(alice, roomId, 'asked')
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const memberships = (await joinedRoom(bob, roomId)).timeline.events.slice(-4).map(({ content, unsigned }) => [content.body ?? content.membership, unsigned?.membership])
    expect(memberships).toEqual([['before', 'leave'], ['invite', 'invite'], ['asked', 'invite'], ['join', 'join']])
  })

  test('is what a state event replaces', async () => {
    const roomId = await den()
    const first = await setState(alice, roomId, 'm.room.topic', { topic: 'old' })
    expect((await lastOf(bob, roomId))?.unsigned).not.toHaveProperty('prev_content')
    await setState(alice, roomId, 'm.room.topic', { topic: 'new' })
    expect((await lastOf(bob, roomId))?.unsigned).toMatchObject({ prev_content: { topic: 'old' }, replaces_state: first })
  })

  test('is what redacted it, in the same answer and in later ones', async () => {
    const roomId = await den()
    const { next_batch: since } = await syncOf(bob)
    const eventId = await say(alice, roomId, 'oops')
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/r${people}`), { reason: 'typo' })
    const [redacted, redaction] = (await joinedRoom(bob, roomId, { since })).timeline.events
    expect([redacted?.content, (redacted?.unsigned?.redacted_because as SyncEvent | undefined)?.event_id]).toEqual([{}, redaction?.event_id])
    expect(redaction).toMatchObject({ type: 'm.room.redaction', redacts: eventId, content: { redacts: eventId, reason: 'typo' } })
  })

  test('are its relations where a gap lies in front', async () => {
    const roomId = await den()
    const { next_batch: since } = await syncOf(bob)
    const root = await say(alice, roomId, 'root')
    await say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
    const whole = await joinedRoom(bob, roomId, { since })
    expect(whole.timeline.events[0]?.unsigned).not.toHaveProperty('m.relations')
    const short = await joinedRoom(bob, roomId, { filter: { room: { timeline: { limit: 2 } } } })
    expect(short.timeline.events[0]?.unsigned).toMatchObject({ 'm.relations': { 'm.thread': { count: 1, latest_event: { content: { body: 'reply' } }, current_user_participated: false } } })
  })
})

describe('a first answer', () => {
  test('says what the account and its device have', async () => {
    const dave = await here.register('dave')
    const answer = await syncOf(dave)
    expect(answer).toMatchObject({ device_one_time_keys_count: { signed_curve25519: 0 }, device_unused_fallback_key_types: [] })
    expect(answer.account_data?.events.map(({ type }) => type)).toEqual(['m.push_rules'])
    expect(Object.keys(answer).filter((key) => ['device_lists', 'to_device', 'rooms'].includes(key))).toEqual([])
  })

  test('has no more events of a room than the server gives', async () => {
    const roomId = await den()
    for (let count = 0; count < 110; count++) await say(alice, roomId, `m${count}`)
    const [usual, most] = await Promise.all([joinedRoom(bob, roomId), joinedRoom(bob, roomId, { filter: { room: { timeline: { limit: 1_000 } } } })])
    expect([usual.timeline.events.length, most.timeline.events.length, most.timeline.limited]).toEqual([10, 100, true])
  })
})
