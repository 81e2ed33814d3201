import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, setState } from '#harness/rooms.ts'
import { joinedRoom, placesOf, syncOf, told } from '#harness/sync.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'

let here: House
let alice: Caller
let bob: Caller
let roomId: RoomId
beforeAll(async () => {
  here = await house()
  ;({ alice, bob } = here)
})
afterAll(() => here.close())

/** Every test has a room of its own, with bob in it. */
async function den(options: object = {}): Promise<RoomId> {
  roomId = await makeRoom(alice, options)
  await bringIn(alice, roomId, bob)
  return roomId
}

const timeline = (filter: object): object => ({ room: { timeline: filter } })
const relate = (rel_type: string, event_id: EventId) => ({ 'm.relates_to': { rel_type, event_id } })
const read = async (filter: object): Promise<unknown[]> => told((await joinedRoom(alice, roomId, { filter: { room: { rooms: [roomId], timeline: { types: ['m.room.message'], ...filter } } } })).timeline)

describe('a filter of the timeline', () => {
  test('takes types, with stars, and leaves out others', async () => {
    await den()
    await say(bob, roomId, 'hello')
    await done(bob, 'PUT', inRoom(roomId, '/send/org.example.poke/p1'), { body: 'poke' })
    const all = async (filter: object): Promise<unknown[]> => told((await joinedRoom(alice, roomId, { filter: timeline(filter) })).timeline)
    expect(await all({ types: ['org.example.*'] })).toEqual(['poke'])
    expect(await all({ types: ['m.room.message', 'org.*'], not_types: ['*.poke'] })).toEqual(['hello'])
    expect(await all({ types: [] })).toEqual([])
  })

  test('takes senders, and leaves out others', async () => {
    await den()
    await say(alice, roomId, 'from alice')
    await say(bob, roomId, 'from bob')
    expect(await read({ senders: [bob.userId] })).toEqual(['from bob'])
    expect(await read({ not_senders: [bob.userId] })).toEqual(['from alice'])
    expect(await read({ senders: [bob.userId], not_senders: [bob.userId] })).toEqual([])
  })

  test('asks whether there is a URL', async () => {
    await den()
    await say(bob, roomId, 'words')
    await say(bob, roomId, 'picture', { msgtype: 'm.image', url: 'mxc://a.example/picture' })
    expect([await read({ contains_url: true }), await read({ contains_url: false })]).toEqual([['picture'], ['words']])
  })

  test('takes events to which others relate, by whom and how', async () => {
    await den()
    const thread = await say(alice, roomId, 'thread')
    const liked = await say(alice, roomId, 'liked')
    await say(alice, roomId, 'plain')
    await say(bob, roomId, 'reply', relate('m.thread', thread))
    await done(alice, 'PUT', inRoom(roomId, '/send/m.reaction/like'), { 'm.relates_to': { rel_type: 'm.annotation', event_id: liked, key: '+' } })
    expect(await read({ related_by_rel_types: ['m.thread'] })).toEqual(['thread'])
    expect(await read({ related_by_senders: [alice.userId] })).toEqual(['liked'])
    expect(await read({ related_by_senders: [bob.userId], related_by_rel_types: ['m.annotation'] })).toEqual([])
  })

  test('names its rooms, and those that it leaves out', async () => {
    const den1 = await den()
    const den2 = await den()
    const joined = async (room: object): Promise<string[]> => Object.keys((await syncOf(alice, { filter: { room } })).rooms?.join ?? {}).filter((id) => id === den1 || id === den2)
    expect(await joined({ rooms: [den1] })).toEqual([den1])
    expect(await joined({ rooms: [den1, den2], not_rooms: [den1] })).toEqual([den2])
    await say(bob, den2, 'two')
    const kept = await joinedRoom(alice, den2, { filter: { room: { timeline: { rooms: [den1] } } } })
    expect(told(kept.timeline)).toEqual([])
  })

  test('finds the newest that it wants behind many that it does not', async () => {
    await den()
    await say(bob, roomId, 'the one')
    for (let count = 0; count < 30; count++) await done(bob, 'PUT', inRoom(roomId, `/send/org.example.noise/n${count}`), {})
    expect(await read({ limit: 3 })).toEqual(['the one'])
  })
})

describe('state that the filter keeps out of the timeline', () => {
  const MESSAGES = timeline({ types: ['m.room.message'] })

  test('is told as state, at first', async () => {
    await den({ name: 'before' })
    await say(bob, roomId, 'one')
    await setState(alice, roomId, 'm.room.name', { name: 'after' })
    await say(bob, roomId, 'two')
    const room = await joinedRoom(alice, roomId, { filter: MESSAGES })
    expect(told(room.timeline)).toEqual(['one', 'two'])
    expect(room.state?.events.filter(({ type }) => type === 'm.room.name').map(({ content }) => content)).toEqual([{ name: 'after' }])
  })

  test('is told as state later', async () => {
    await den()
    const { next_batch: since } = await syncOf(alice, { filter: MESSAGES })
    await setState(alice, roomId, 'm.room.topic', { topic: 'quiet' })
    const silent = await joinedRoom(alice, roomId, { filter: MESSAGES, since })
    expect([told(silent.timeline), placesOf(silent.state)]).toEqual([[], ['m.room.topic|']])
    await say(bob, roomId, 'hello')
    const room = await joinedRoom(alice, roomId, { filter: MESSAGES, since })
    expect([told(room.timeline), placesOf(room.state)]).toEqual([['hello'], ['m.room.topic|']])
  })

  test('is not told where the filter of the state does not want it either', async () => {
    await den()
    const filter = { room: { timeline: { types: ['m.room.message'] }, state: { not_types: ['m.room.topic'] } } }
    const { next_batch: since } = await syncOf(alice, { filter })
    await setState(alice, roomId, 'm.room.topic', { topic: 'quiet' })
    expect((await syncOf(alice, { filter, since })).rooms).toBeUndefined()
  })

  test('is in the timeline alone where that may hold it', async () => {
    await den()
    const { next_batch: since } = await syncOf(alice)
    await setState(alice, roomId, 'm.room.topic', { topic: 'quiet' })
    const room = await joinedRoom(alice, roomId, { since })
    expect([told(room.timeline), placesOf(room.state)]).toEqual([['m.room.topic'], []])
  })
})

describe('filters of what is not in the timeline', () => {
  test('choose types of state', async () => {
    await den({ name: 'named', topic: 'said' })
    const filter = { room: { state: { types: ['m.room.name', 'm.room.t*'], not_types: ['m.room.topic'] }, timeline: { limit: 0 } } }
    expect(placesOf((await joinedRoom(alice, roomId, { filter })).state)).toEqual(['m.room.name|'])
  })

  test('choose account data, of the account and of rooms', async () => {
    await den()
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/org.example.a`, { a: 1 })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/rooms/${roomId}/account_data/org.example.b`, { b: 1 })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/rooms/${roomId}/account_data/org.example.c`, { c: 1 })
    const { account_data, rooms } = await syncOf(alice, { filter: { account_data: { types: ['org.example.*'] }, room: { account_data: { not_types: ['org.example.c'] } } } })
    expect(account_data?.events).toEqual([{ type: 'org.example.a', content: { a: 1 } }])
    expect(rooms?.join?.[roomId]?.account_data.events).toEqual([{ type: 'org.example.b', content: { b: 1 } }])
  })

  test('choose what is ephemeral; counts are told all the same', async () => {
    await den()
    const eventId = await say(bob, roomId, 'read me')
    const filter = { room: { ephemeral: { types: ['m.typing'] } } }
    const { next_batch: since } = await syncOf(alice, { filter })
    await done(alice, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})
    const room = await joinedRoom(alice, roomId, { filter, since })
    expect([room.ephemeral.events, room.unread_notifications]).toEqual([[], { highlight_count: 0, notification_count: 0 }])
    await done(bob, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})
    const { next_batch } = await syncOf(alice, { filter, since })
    expect((await syncOf(alice, { filter, since: next_batch })).rooms).toBeUndefined()
  })
})

describe('the form of events', () => {
  test('has only the fields that are asked for', async () => {
    await den()
    await say(bob, roomId, 'hello')
    const filter = { event_fields: ['content.body', 'sender'], room: { timeline: { limit: 1 } } }
    expect((await joinedRoom(alice, roomId, { filter })).timeline.events).toEqual([{ content: { body: 'hello' }, sender: bob.userId }] as never)
  })

  test('is that of servers where it is asked for', async () => {
    await den()
    const eventId = await say(bob, roomId, 'hello')
    const filter = { event_format: 'federation', room: { timeline: { limit: 1 } } }
    const [event] = (await joinedRoom(alice, roomId, { filter })).timeline.events
    expect(event).toMatchObject({ event_id: eventId, room_id: roomId, auth_events: expect.any(Array), hashes: { sha256: expect.any(String) }, signatures: { 'a.example': expect.anything() } })
  })
})
