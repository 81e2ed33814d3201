import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, setState } from '#harness/rooms.ts'
import { joinedRoom, membersIn, placesOf, type SyncEvents, type SyncRoom, syncOf, told } from '#harness/sync.ts'
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

/** Bob is someone else in every test; what is left of him in one is not seen in the next. */
async function den({ options = {}, isIn = true }: { options?: object; isIn?: boolean } = {}): Promise<RoomId> {
  bob = await here.register(`bob${++people}`)
  const roomId = await makeRoom(alice, options)
  if (isIn) await bringIn(alice, roomId, bob)
  return roomId
}

const act = (who: Caller, roomId: RoomId, how: string, body: object = {}) => done(who, 'POST', inRoom(roomId, `/${how}`), body)
const bobs = (): object => ({ user_id: bob.userId })
const own = (room: SyncRoom | undefined): unknown[] =>
  [...(room?.state?.events ?? []), ...(room?.state_after?.events ?? []), ...(room?.timeline.events ?? [])]
    .filter(({ type, state_key }) => type === 'm.room.member' && state_key === bob.userId)
    .map(({ content }) => content.membership)
const stripped = (events: SyncEvents | undefined): string[] => (events?.events ?? []).map(({ type, state_key }) => `${type}|${state_key}`)

describe.each([false, true])('who was away, with state_after %p,', (use_state_after) => {
  test('is told of a kick, with what they could see before it', async () => {
    const roomId = await den()
    const { next_batch: since } = await syncOf(bob)
    await say(alice, roomId, 'seen')
    await act(alice, roomId, 'kick', bobs())
    await say(alice, roomId, 'unseen')
    const { rooms } = await syncOf(bob, { since, use_state_after })
    expect([rooms?.join, told(rooms?.leave?.[roomId]?.timeline)]).toEqual([undefined, ['seen', 'm.room.member']])
    expect(own(rooms?.leave?.[roomId]).at(-1)).toBe('leave')
  })

  test('is told of a ban', async () => {
    const roomId = await den()
    const { next_batch: since } = await syncOf(bob)
    await act(alice, roomId, 'ban', bobs())
    const { rooms, next_batch } = await syncOf(bob, { since, use_state_after })
    expect(own(rooms?.leave?.[roomId]).at(-1)).toBe('ban')
    expect((await syncOf(bob, { since: next_batch, use_state_after })).rooms).toBeUndefined()
  })

  test('is told of a ban and of its end though they were out before, as state', async () => {
    const roomId = await den()
    await act(bob, roomId, 'leave')
    const { next_batch: since } = await syncOf(bob)
    await say(alice, roomId, 'unseen')
    await act(alice, roomId, 'ban', bobs())
    const banned = await syncOf(bob, { since, use_state_after })
    await say(alice, roomId, 'unseen too')
    await act(alice, roomId, 'unban', bobs())
    const free = await syncOf(bob, { since: banned.next_batch, use_state_after })
    const rooms = [banned, free].map((answer) => answer.rooms?.leave?.[roomId])
    expect(rooms.map(own)).toEqual([['ban'], ['leave']])
    expect(rooms.map((room) => told(room?.timeline))).toEqual([[], []])
  })

  test('is told of a ban from a room in which they never were, and of nothing else there', async () => {
    const roomId = await den({ isIn: false })
    const { next_batch: since } = await syncOf(bob)
    await act(alice, roomId, 'ban', bobs())
    const room = (await syncOf(bob, { since, use_state_after })).rooms?.leave?.[roomId]
    expect([told(room?.timeline), placesOf(room?.state ?? room?.state_after)]).toEqual([[], [`m.room.member|${bob.userId}`]])
    expect(own(room)).toEqual(['ban'])
  })

  test('is told that an invitation was taken back', async () => {
    const roomId = await den({ isIn: false })
    await act(alice, roomId, 'invite', bobs())
    const { next_batch: since } = await syncOf(bob)
    await act(alice, roomId, 'kick', bobs())
    const { rooms } = await syncOf(bob, { since, use_state_after })
    expect([rooms?.invite, own(rooms?.leave?.[roomId])]).toEqual([undefined, ['leave']])
  })

  test('is told that they have left and forgotten a room elsewhere', async () => {
    const roomId = await den()
    const { next_batch: since } = await syncOf(bob)
    await act(bob, roomId, 'leave')
    await act(bob, roomId, 'forget')
    const { rooms, next_batch } = await syncOf(bob, { since, use_state_after })
    expect([rooms?.join, own(rooms?.leave?.[roomId]).at(-1)]).toEqual([undefined, 'leave'])
    expect((await syncOf(bob, { since: next_batch })).rooms).toBeUndefined()
    expect((await syncOf(bob, { filter: { room: { include_leave: true } } })).rooms?.leave?.[roomId]).toBeUndefined()
  })

  test('is told who changed before they left, though they were banned as well', async () => {
    const roomId = await den()
    const carol = await here.register(`carol${people}`)
    await bringIn(alice, roomId, carol)
    const filter = { room: { state: { lazy_load_members: true } } }
    const { next_batch: since } = await syncOf(bob, { filter })
    await act(carol, roomId, 'leave')
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'Bob' })
    await act(bob, roomId, 'leave')
    await say(alice, roomId, 'unseen')
    await act(alice, roomId, 'ban', bobs())
    const room = (await syncOf(bob, { since, use_state_after, filter })).rooms?.leave?.[roomId]
    expect({ ...membersIn(room?.state_after), ...membersIn(room?.timeline) }).toEqual({ [bob.userId]: use_state_after ? 'leave' : 'ban', [carol.userId]: 'leave' })
    expect(own(room).includes('ban')).toBe(true)
    expect(told(room?.timeline)).not.toContain('unseen')
    expect(placesOf(room?.state ?? room?.state_after)).not.toContain('m.room.create|')
  })

  test('is told who changed while they were out, when they have been in again meanwhile', async () => {
    const roomId = await den({ options: { preset: 'public_chat' } })
    const carol = await here.register(`carol${people}`)
    await bringIn(alice, roomId, carol)
    const filter = { room: { state: { lazy_load_members: true } } }
    await syncOf(bob, { filter })
    await act(bob, roomId, 'leave')
    const { next_batch: since } = await syncOf(bob, { filter })
    await act(carol, roomId, 'leave')
    await act(bob, roomId, 'join')
    await act(bob, roomId, 'leave')
    const room = (await syncOf(bob, { since, use_state_after, filter: { room: { ...filter.room, timeline: { limit: 1 } } } })).rooms?.leave?.[roomId]
    expect(membersIn(room?.state ?? room?.state_after)[carol.userId]).toBe('leave')
  })

  test('sees a room anew that they left and came back to', async () => {
    const roomId = await den({ options: { preset: 'public_chat', name: 'The den' } })
    const { next_batch: since } = await syncOf(bob)
    await act(bob, roomId, 'leave')
    await act(bob, roomId, 'join')
    const room = await joinedRoom(bob, roomId, { since, use_state_after, filter: { room: { timeline: { limit: 1 } } } })
    expect([room.timeline.limited, told(room.timeline)]).toEqual([true, ['m.room.member']])
    expect(placesOf(room.state ?? room.state_after)).toContain('m.room.name|')
  })

  test('sees all of a room in which they have been meanwhile', async () => {
    const roomId = await den({ options: { preset: 'public_chat' }, isIn: false })
    const { next_batch: since } = await syncOf(bob)
    await act(bob, roomId, 'join')
    await say(bob, roomId, 'was here')
    await act(bob, roomId, 'leave')
    const room = (await syncOf(bob, { since, use_state_after })).rooms?.leave?.[roomId]
    expect(told(room?.timeline).slice(-2)).toEqual(['was here', 'm.room.member'])
    expect(own(room).at(-1)).toBe('leave')
  })
})

describe('a knock', () => {
  const KNOCKED = { initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }], name: 'Knock here' }
  const knock = (roomId: RoomId) => done(bob, 'POST', `/v3/knock/${encodeURIComponent(roomId)}`, { reason: 'please' })

  test('shows stripped state with the own event last, once', async () => {
    const roomId = await den({ options: KNOCKED, isIn: false })
    const { next_batch: since } = await syncOf(bob)
    await knock(roomId)
    const { rooms, next_batch } = await syncOf(bob, { since })
    const events = rooms?.knock?.[roomId]?.knock_state
    expect(stripped(events)).toEqual(expect.arrayContaining(['m.room.create|', 'm.room.join_rules|', 'm.room.name|']))
    expect(events?.events.at(-1)).toEqual({ type: 'm.room.member', sender: bob.userId, state_key: bob.userId, content: { membership: 'knock', reason: 'please' } })
    expect((await syncOf(bob, { since: next_batch })).rooms).toBeUndefined()
    expect(Object.keys((await syncOf(bob)).rooms?.knock ?? {})).toEqual([roomId])
  })

  test('becomes an invitation, or ends', async () => {
    const roomId = await den({ options: KNOCKED, isIn: false })
    await knock(roomId)
    const { next_batch: since } = await syncOf(bob)
    await act(alice, roomId, 'invite', bobs())
    const invited = await syncOf(bob, { since })
    expect([invited.rooms?.knock, Object.keys(invited.rooms?.invite ?? {})]).toEqual([undefined, [roomId]])
    await act(bob, roomId, 'leave')
    expect(own((await syncOf(bob, { since: invited.next_batch })).rooms?.leave?.[roomId])).toEqual(['leave'])
  })

  test('is told to those in the room as a member', async () => {
    const roomId = await den({ options: KNOCKED, isIn: false })
    const { next_batch: since } = await syncOf(alice)
    await knock(roomId)
    expect(membersIn((await joinedRoom(alice, roomId, { since })).timeline)).toEqual({ [bob.userId]: 'knock' })
  })
})

test('who comes into a room is told who types there already', async () => {
  const roomId = await den({ options: { preset: 'public_chat' }, isIn: false })
  await done(alice, 'PUT', inRoom(roomId, `/typing/${alice.userId}`), { typing: true })
  const { next_batch: since } = await syncOf(bob)
  await act(bob, roomId, 'join')
  const { ephemeral } = await joinedRoom(bob, roomId, { since })
  expect(ephemeral.events).toEqual([{ type: 'm.typing', content: { user_ids: [alice.userId] } }])
})

describe('a room that was left and entered again between two syncs', () => {
  test('has a gap, though its timeline goes back to the beginning', async () => {
    const roomId = await den({ options: { preset: 'public_chat' } })
    const { next_batch: since } = await syncOf(bob)
    await act(bob, roomId, 'leave')
    await act(bob, roomId, 'join')
    const { timeline } = await joinedRoom(bob, roomId, { since, filter: { room: { timeline: { limit: 50 } } } })
    expect([timeline.events[0]?.type, timeline.limited]).toEqual(['m.room.create', true])
  })
})

describe('rooms that were left', () => {
  const LEFT = { room: { include_leave: true, timeline: { limit: 3 } } }

  test('are in a first sync only where they are asked for, as they were then', async () => {
    const roomId = await den({ options: { name: 'then' } })
    await say(alice, roomId, 'seen')
    await act(bob, roomId, 'leave')
    await setState(alice, roomId, 'm.room.name', { name: 'now' })
    await say(alice, roomId, 'unseen')
    expect((await syncOf(bob)).rooms).toBeUndefined()
    const room = (await syncOf(bob, { filter: LEFT })).rooms?.leave?.[roomId]
    expect([told(room?.timeline), room?.timeline.limited]).toEqual([['m.room.member', 'seen', 'm.room.member'], true])
    expect(room?.state?.events.filter(({ type }) => type === 'm.room.name').map(({ content }) => content)).toEqual([{ name: 'then' }])
    expect(own(room).at(-1)).toBe('leave')
  })

  test('are in a first sync also unasked where somebody else has shown them out', async () => {
    const kicked = await den()
    const [banned, asked, ended] = [await makeRoom(alice), await makeRoom(alice), await makeRoom(alice)]
    for (const roomId of [banned, ended]) await bringIn(alice, roomId, bob)
    await act(alice, kicked, 'kick', bobs())
    await act(alice, banned, 'ban', bobs())
    await act(alice, asked, 'invite', bobs())
    await act(alice, asked, 'kick', bobs())
    await act(bob, ended, 'leave')
    const { rooms } = await syncOf(bob)
    expect(Object.fromEntries(Object.entries(rooms?.leave ?? {}).map(([roomId, room]) => [roomId, own(room).at(-1)])))
      .toEqual({ [kicked]: 'leave', [banned]: 'ban', [asked]: 'leave' })
    for (const roomId of [kicked, banned, asked]) await act(bob, roomId, 'forget')
    expect((await syncOf(bob)).rooms).toBeUndefined()
  })

  test('are told to be banned from, though that came later', async () => {
    const roomId = await den()
    await act(bob, roomId, 'leave')
    await act(alice, roomId, 'ban', bobs())
    expect(own((await syncOf(bob, { filter: LEFT })).rooms?.leave?.[roomId]).at(-1)).toBe('ban')
  })

  test('show nothing that was said or set between leaving and being banned', async () => {
    const roomId = await den({ options: { name: 'then' } })
    await act(bob, roomId, 'leave')
    await setState(alice, roomId, 'm.room.name', { name: 'now' })
    await act(alice, roomId, 'ban', bobs())
    for (const query of [{ filter: LEFT }, { filter: { room: { include_leave: true, timeline: { limit: 1 } } } }, { filter: LEFT, use_state_after: true }]) {
      const room = (await syncOf(bob, query)).rooms?.leave?.[roomId]
      const state = room?.state ?? room?.state_after
      expect(state?.events.filter(({ type }) => type === 'm.room.name').map(({ content }) => content)).toEqual([{ name: 'then' }])
      const told = room?.state_after ? membersIn(room.state_after)[bob.userId] : own(room).at(-1)
      expect(told).toBe('ban')
    }
  })

  test('show nothing to who was invited and never came', async () => {
    const roomId = await den({ isIn: false })
    await act(alice, roomId, 'invite', bobs())
    await act(bob, roomId, 'leave')
    const room = (await syncOf(bob, { filter: LEFT })).rooms?.leave?.[roomId]
    expect([placesOf(room?.state), told(room?.timeline), own(room)]).toEqual([[], ['m.room.member'], ['leave']])
    const { next_batch: since } = await syncOf(bob)
    expect(placesOf((await syncOf(bob, { filter: LEFT, since, full_state: true })).rooms?.leave?.[roomId]?.state)).toEqual([])
  })

  test('are left out of a full state of now, unless they are asked for', async () => {
    const roomId = await den()
    await act(bob, roomId, 'leave')
    const { next_batch: since } = await syncOf(bob)
    expect((await syncOf(bob, { since, full_state: true })).rooms).toBeUndefined()
    expect(Object.keys((await syncOf(bob, { since, full_state: true, filter: LEFT })).rooms?.leave ?? {})).toEqual([roomId])
  })
})

describe('a full state', () => {
  test('comes at once with the news alone in the timeline', async () => {
    const roomId = await den({ options: { name: 'The den' } })
    const invited = await makeRoom(alice, { invite: [bob.userId] })
    const { next_batch: since } = await syncOf(bob)
    await say(alice, roomId, 'news')
    const { rooms } = await syncOf(bob, { since, full_state: true, timeout: 60_000 })
    const room = rooms?.join?.[roomId]
    expect(told(room?.timeline)).toEqual(['news'])
    expect(placesOf(room?.state)).toEqual(expect.arrayContaining(['m.room.create|', 'm.room.name|', `m.room.member|${bob.userId}`]))
    expect(Object.keys(rooms?.invite ?? {})).toEqual([invited])
    const quiet = await joinedRoom(bob, roomId, { since: (await syncOf(bob, { since })).next_batch, full_state: true, timeout: 60_000 })
    expect([told(quiet.timeline), quiet.summary]).toEqual([[], { 'm.joined_member_count': 2, 'm.invited_member_count': 0 }])
  })
})

describe('account data in a full state', () => {
  const put = (path: string, content: object) => done(bob, 'PUT', `/v3/user/${bob.userId}${path}`, content)

  test('is all of it, and what was deleted meanwhile', async () => {
    const roomId = await den()
    await put('/account_data/org.example.kept', { a: 1 })
    await put('/account_data/org.example.gone', { a: 2 })
    await put(`/rooms/${roomId}/account_data/org.example.room`, { a: 3 })
    const { next_batch: since } = await syncOf(bob)
    await done(bob, 'DELETE', `/unstable/org.matrix.msc3391/user/${bob.userId}/account_data/org.example.gone`)
    await done(bob, 'DELETE', `/unstable/org.matrix.msc3391/user/${bob.userId}/rooms/${roomId}/account_data/org.example.room`)
    const { account_data: own, rooms } = await syncOf(bob, { since, full_state: true })
    expect(own?.events.map(({ type, content }) => [type, type === 'm.push_rules' || content])).toEqual([
      ['org.example.kept', { a: 1 }], ['org.example.gone', {}], ['m.push_rules', true],
    ])
    expect(rooms?.join?.[roomId]?.account_data.events).toEqual([{ type: 'org.example.room', content: {} }])
  })
})

test('who comes back into a room is told which of its account data they have deleted', async () => {
  const roomId = await den({ options: { preset: 'public_chat' } })
  await done(bob, 'PUT', `/v3/user/${bob.userId}/rooms/${roomId}/account_data/org.example.x`, { a: 1 })
  await act(bob, roomId, 'leave')
  await done(bob, 'DELETE', `/unstable/org.matrix.msc3391/user/${bob.userId}/rooms/${roomId}/account_data/org.example.x`)
  const { next_batch: since } = await syncOf(bob)
  await act(bob, roomId, 'join')
  expect((await joinedRoom(bob, roomId, { since })).account_data.events).toEqual([{ type: 'org.example.x', content: {} }])
  expect((await joinedRoom(bob, roomId)).account_data.events).toEqual([])
})

describe('state_after', () => {
  test('is there though nothing has changed, and holds nothing but what has', async () => {
    const roomId = await den({ options: { name: 'before' } })
    const { next_batch: since } = await syncOf(bob, { use_state_after: true })
    await say(alice, roomId, 'words')
    const still = await joinedRoom(bob, roomId, { since, use_state_after: true })
    expect([still.state_after?.events, 'state' in still]).toEqual([[], false])
    await setState(alice, roomId, 'm.room.name', { name: 'between' })
    await setState(alice, roomId, 'm.room.name', { name: 'after' })
    const room = await joinedRoom(bob, roomId, { since, use_state_after: true })
    expect(room.state_after?.events.map(({ content }) => content)).toEqual([{ name: 'after' }])
  })

  test('of a gap stands at its end', async () => {
    const roomId = await den({ options: { name: 'before' } })
    const filter = { room: { timeline: { limit: 1 } } }
    const { next_batch: since } = await syncOf(bob, { use_state_after: true, filter })
    await setState(alice, roomId, 'm.room.topic', { topic: 'in the gap' })
    await setState(alice, roomId, 'm.room.name', { name: 'in the timeline' })
    const room = await joinedRoom(bob, roomId, { since, use_state_after: true, filter })
    expect([room.timeline.limited, placesOf(room.state_after)]).toEqual([true, ['m.room.name|', 'm.room.topic|']])
  })
})
