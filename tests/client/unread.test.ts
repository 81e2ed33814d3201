import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, setState } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { countMissed } from '#store/unread.ts'

/** A room of three that alice owns; everything before is read by all. */
async function talk(options: object = {}) {
  const world = await house()
  const carol = await world.register('carol', { displayname: 'Carol' })
  const roomId = await makeRoom(world.alice, options)
  await bringIn(world.alice, roomId, world.bob, carol)
  return { ...world, carol, roomId }
}

const THREADS = { room: { timeline: { unread_thread_notifications: true } } }
const OLD_THREADS = { room: { timeline: { 'org.matrix.msc3773.unread_thread_notifications': true } } }

type Room = { unread_notifications?: unknown; unread_thread_notifications?: unknown }

/** A first sync, as it is without a token. */
async function roomOf(caller: Caller, roomId: RoomId, filter: object = {}): Promise<Room> {
  const body = await done(caller, 'GET', `/v3/sync?filter=${encodeURIComponent(JSON.stringify(filter))}`)
  return (body.rooms as { join: Record<string, Room> }).join[roomId] ?? {}
}

const counts = (notification_count: number, highlight_count = 0) => ({ notification_count, highlight_count })
const unread = async (caller: Caller, roomId: RoomId, filter?: object): Promise<unknown> => (await roomOf(caller, roomId, filter)).unread_notifications
const read = (caller: Caller, roomId: RoomId, eventId: EventId, thread?: string, type = 'm.read') =>
  done(caller, 'POST', inRoom(roomId, `/receipt/${type}/${encodeURIComponent(eventId)}`), thread === undefined ? {} : { thread_id: thread })
const inThread = (root: EventId) => ({ 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
const mention = (...names: Caller[]) => ({ 'm.mentions': { user_ids: names.map(({ userId }) => userId) } })

describe('unread counts', () => {
  test('are zero for who has just joined, and then rise', async () => {
    const { alice, bob, carol, roomId } = await talk()
    expect(await unread(bob, roomId)).toEqual(counts(0))
    await say(alice, roomId, 'one')
    await say(alice, roomId, 'two')
    expect([await unread(bob, roomId), await unread(carol, roomId), await unread(alice, roomId)]).toEqual([counts(2), counts(2), counts(0)])
  })

  test('come with the room in later syncs too', async () => {
    const { alice, bob, roomId } = await talk()
    const first = await done(bob, 'GET', '/v3/sync')
    const event = await say(alice, roomId, 'one')
    const second = await done(bob, 'GET', `/v3/sync?since=${String(first.next_batch)}`)
    expect((second.rooms as { join: Record<string, Room> }).join[roomId]?.unread_notifications).toEqual(counts(1))
    await read(bob, roomId, event)
    const third = await done(bob, 'GET', `/v3/sync?since=${String(second.next_batch)}`)
    expect((third.rooms as { join: Record<string, Room> }).join[roomId]?.unread_notifications).toEqual(counts(0))
    expect((await done(bob, 'GET', `/v3/sync?since=${String(third.next_batch)}`)).rooms).toBeUndefined()
  })

  test.each(['m.read', 'm.read.private'])('G-72: %s clears what comes before it', async (type) => {
    const { alice, bob, roomId } = await talk()
    await say(alice, roomId, 'one')
    const two = await say(alice, roomId, 'two')
    await say(alice, roomId, 'three')
    await read(bob, roomId, two, undefined, type)
    expect(await unread(bob, roomId)).toEqual(counts(1))
  })

  test('G-90: an older receipt brings nothing back', async () => {
    const { alice, bob, roomId } = await talk()
    const one = await say(alice, roomId, 'one')
    const two = await say(alice, roomId, 'two')
    await read(bob, roomId, two, undefined, 'm.read.private')
    await read(bob, roomId, one)
    expect(await unread(bob, roomId)).toEqual(counts(0))
  })

  test('are cleared by writing, and own messages never count', async () => {
    const { alice, bob, carol, roomId } = await talk()
    await say(alice, roomId, 'one')
    await say(bob, roomId, 'two')
    await say(bob, roomId, 'three')
    expect([await unread(alice, roomId), await unread(bob, roomId), await unread(carol, roomId)]).toEqual([counts(2), counts(0), counts(3)])
  })

  test('are not cleared by a change of name', async () => {
    const { alice, bob, roomId } = await talk()
    await say(alice, roomId, 'one')
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'Robert' })
    expect(await unread(bob, roomId)).toEqual(counts(1))
  })

  test('highlight who is mentioned, and nobody else', async () => {
    const { alice, bob, carol, roomId } = await talk()
    await say(alice, roomId, 'bob?', mention(bob, alice))
    expect([await unread(bob, roomId), await unread(carol, roomId), await unread(alice, roomId)]).toEqual([counts(1, 1), counts(1), counts(0)])
    await say(bob, roomId, 'yes')
    expect(await unread(bob, roomId)).toEqual(counts(0))
  })

  test('G-73: @room highlights everyone if its sender has the level', async () => {
    const { alice, bob, carol, roomId } = await talk()
    await say(alice, roomId, 'all!', { 'm.mentions': { room: true } })
    await say(bob, roomId, 'all!', { 'm.mentions': { room: true } })
    expect(await unread(carol, roomId)).toEqual(counts(2, 1))
    const levels = { users: { [bob.userId]: 20 }, notifications: { room: 20 } }
    await setState(alice, roomId, 'm.room.power_levels', levels)
    await say(bob, roomId, 'all!', { 'm.mentions': { room: true } })
    expect(await unread(carol, roomId)).toEqual(counts(3, 2))
  })

  test('keep to the words that a user listens for', async () => {
    const { alice, bob, carol, roomId } = await talk()
    const rule = { pattern: 'cheese', actions: ['notify', { set_tweak: 'highlight' }] }
    await done(bob, 'PUT', '/v3/pushrules/global/content/cheese', rule)
    await say(alice, roomId, 'More Cheese, please')
    expect([await unread(bob, roomId), await unread(carol, roomId)]).toEqual([counts(1, 1), counts(1)])
  })

  test('stay at zero in a muted room, but for what came before', async () => {
    const { alice, bob, carol, roomId } = await talk()
    await say(alice, roomId, 'before')
    const mute = { conditions: [{ kind: 'event_match', key: 'room_id', pattern: roomId }], actions: [] }
    await done(bob, 'PUT', `/v3/pushrules/global/override/${encodeURIComponent(roomId)}`, mute)
    await say(alice, roomId, 'muted', mention(bob))
    expect([await unread(bob, roomId), await unread(carol, roomId)]).toEqual([counts(1), counts(2)])
    await done(bob, 'DELETE', `/v3/pushrules/global/override/${encodeURIComponent(roomId)}`)
    const last = await say(alice, roomId, 'after')
    expect(await unread(bob, roomId)).toEqual(counts(2))
    await read(bob, roomId, last)
    expect(await unread(bob, roomId)).toEqual(counts(0))
  })

  test('leave out notices, edits, reactions and those who are ignored', async () => {
    const { alice, bob, carol, roomId } = await talk()
    const one = await say(alice, roomId, 'one')
    await say(alice, roomId, '* uno', { 'm.relates_to': { rel_type: 'm.replace', event_id: one }, 'm.new_content': { body: 'uno', msgtype: 'm.text' } })
    await say(alice, roomId, 'beep', { msgtype: 'm.notice' })
    await done(alice, 'PUT', inRoom(roomId, '/send/m.reaction/r1'), { 'm.relates_to': { rel_type: 'm.annotation', event_id: one, key: '👍' } })
    expect(await unread(bob, roomId)).toEqual(counts(1))
    await done(bob, 'PUT', `/v3/user/${bob.userId}/account_data/m.ignored_user_list`, { ignored_users: { [alice.userId]: {} } })
    await say(alice, roomId, 'two', mention(bob))
    expect([await unread(bob, roomId), await unread(carol, roomId)]).toEqual([counts(1), counts(2)])
  })

  test('lose what is redacted, whether it was personal or not', async () => {
    const { alice, bob, roomId } = await talk()
    const one = await say(alice, roomId, 'one')
    const two = await say(alice, roomId, 'two', mention(bob))
    await say(alice, roomId, 'three')
    const redact = (eventId: EventId) => done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/${encodeURIComponent(`x${eventId}`)}`), {})
    await redact(two)
    expect(await unread(bob, roomId)).toEqual(counts(2))
    await redact(one)
    expect(await unread(bob, roomId)).toEqual(counts(1))
  })

  test('count from the join of who comes late, and anew after coming back', async () => {
    const { alice, bob, roomId, register } = await talk({ preset: 'public_chat' })
    await say(alice, roomId, 'one')
    const dora = await register('dora')
    await done(dora, 'POST', inRoom(roomId, '/join'), {})
    await say(alice, roomId, 'two')
    expect([await unread(bob, roomId), await unread(dora, roomId)]).toEqual([counts(2), counts(1)])
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    expect(await unread(bob, roomId)).toEqual(counts(0))
  })

  test('are the same for someone to whom the room is new after a restart of the writer', async () => {
    const { alice, bob, roomId, server } = await talk()
    await say(alice, roomId, 'one')
    server.store.audiences.rooms.clear()
    await say(alice, roomId, 'two')
    expect(await unread(bob, roomId)).toEqual(counts(2))
  })

  test('add up over rooms for a badge', async () => {
    const { alice, bob, roomId, server } = await talk()
    const other = await makeRoom(alice)
    await bringIn(alice, other, bob)
    for (const room of [roomId, roomId, other]) await say(alice, room, 'hi')
    expect([countMissed(server.store, bob.userId, { byRoom: false }), countMissed(server.store, bob.userId, { byRoom: true })]).toEqual([3, 2])
    expect(countMissed(server.store, alice.userId, { byRoom: false })).toBe(0)
  })
})

describe('unread counts of threads', () => {
  test.each([['the spec', THREADS], ['MSC3773', OLD_THREADS]])('stand apart where the filter asks for it by the name of %s', async (_says, filter) => {
    const { alice, bob, roomId } = await talk()
    const root = await say(alice, roomId, 'root')
    await say(alice, roomId, 'reply', inThread(root))
    await say(alice, roomId, 'bob?', { ...inThread(root), ...mention(bob) })
    const threads = { [root]: counts(2, 1) }
    expect(await roomOf(bob, roomId, filter)).toMatchObject({
      unread_notifications: counts(1),
      unread_thread_notifications: threads,
      'org.matrix.msc3773.unread_thread_notifications': threads,
    })
    const whole = await roomOf(bob, roomId)
    expect([whole.unread_notifications, whole.unread_thread_notifications]).toEqual([counts(3, 1), undefined])
  })

  test('are cleared thread by thread, or all at once', async () => {
    const { alice, bob, roomId } = await talk()
    const root = await say(alice, roomId, 'root')
    const other = await say(alice, roomId, 'other')
    const reply = await say(alice, roomId, 'reply', inThread(root))
    const answer = await say(alice, roomId, 'answer', inThread(other))
    await read(bob, roomId, other, 'main')
    expect(await roomOf(bob, roomId, THREADS)).toMatchObject({ unread_notifications: counts(0), unread_thread_notifications: { [root]: counts(1), [other]: counts(1) } })
    await read(bob, roomId, reply, root)
    expect((await roomOf(bob, roomId, THREADS)).unread_thread_notifications).toEqual({ [other]: counts(1) })
    await read(bob, roomId, answer)
    expect((await roomOf(bob, roomId, THREADS)).unread_thread_notifications).toEqual({})
  })

  test('are not touched by what is read or written in the main timeline', async () => {
    const { alice, bob, roomId } = await talk()
    const root = await say(alice, roomId, 'root')
    await say(alice, roomId, 'reply', inThread(root))
    const later = await say(alice, roomId, 'later')
    await read(bob, roomId, later, 'main')
    await say(bob, roomId, 'hello')
    expect(await roomOf(bob, roomId, THREADS)).toMatchObject({ unread_notifications: counts(0), unread_thread_notifications: { [root]: counts(1) } })
    await say(bob, roomId, 'and here', inThread(root))
    expect((await roomOf(bob, roomId, THREADS)).unread_thread_notifications).toEqual({})
  })
})
