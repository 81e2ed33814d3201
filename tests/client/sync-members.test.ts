import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import { joinedRoom, membersIn, syncOf } from '#harness/sync.ts'

const LAZY = { room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } }
const REDUNDANT = { room: { state: { lazy_load_members: true, include_redundant_members: true }, timeline: { limit: 1 } } }
const PUBLIC = { preset: 'public_chat', name: 'The den' }

/** A room of alice's with bob and carol in it. */
async function den(options: object = PUBLIC) {
  const here = await house()
  const carol = await here.register('carol')
  const roomId = await makeRoom(here.alice, options)
  for (const guest of [here.bob, carol]) await done(guest, 'POST', inRoom(roomId, '/join'), {})
  return { ...here, carol, roomId }
}

describe('members that are loaded lazily', () => {
  test('are told again when the answer that told them was lost', async () => {
    const { alice, bob, roomId } = await den()
    await say(alice, roomId, 'mine')
    const { next_batch: since } = await syncOf(alice, { filter: LAZY })
    await say(bob, roomId, 'one')
    const first = await syncOf(alice, { filter: LAZY, since })
    const again = await syncOf(alice, { filter: LAZY, since })
    const bobs = { [bob.userId]: 'join' }
    expect([first, again].map(({ rooms }) => membersIn(rooms?.join?.[roomId]?.state))).toEqual([bobs, bobs])
    await say(bob, roomId, 'two')
    expect(membersIn((await joinedRoom(alice, roomId, { filter: LAZY, since: again.next_batch })).state)).toEqual({})
  })

  test('are told every time to who asks for it', async () => {
    const { alice, bob, roomId } = await den()
    const { next_batch: since } = await syncOf(alice, { filter: REDUNDANT })
    await say(bob, roomId, 'one')
    const first = await syncOf(alice, { filter: REDUNDANT, since })
    await say(bob, roomId, 'two')
    const second = await syncOf(alice, { filter: REDUNDANT, since: first.next_batch })
    const bobs = { [bob.userId]: 'join' }
    expect([first, second].map(({ rooms }) => membersIn(rooms?.join?.[roomId]?.state))).toEqual([bobs, bobs])
  })

  test('are told to each device on its own', async () => {
    const { alice, bob, roomId, login } = await den()
    const tablet = await login(alice.userId, 'TABLET')
    await say(alice, roomId, 'mine')
    const [phone, other] = [await syncOf(alice, { filter: LAZY }), await syncOf(tablet, { filter: LAZY })]
    await say(bob, roomId, 'one')
    expect(membersIn((await joinedRoom(alice, roomId, { filter: LAZY, since: phone.next_batch })).state)).toEqual({ [bob.userId]: 'join' })
    expect(membersIn((await joinedRoom(tablet, roomId, { filter: LAZY, since: other.next_batch })).state)).toEqual({ [bob.userId]: 'join' })
  })

  test('are told when they change in a gap, whoever they are', async () => {
    const { alice, bob, carol, roomId } = await den()
    const { next_batch: since } = await syncOf(alice, { filter: LAZY })
    await done(carol, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'Bobby' })
    for (const text of ['one', 'two', 'three']) await say(alice, roomId, text)
    const room = await joinedRoom(alice, roomId, { filter: LAZY, since })
    expect(room.timeline.limited).toBe(true)
    expect(membersIn(room.state)).toEqual({ [bob.userId]: 'join', [carol.userId]: 'leave' })
  })

  test('are told when they changed while the reader was out of the room', async () => {
    const { alice, bob, carol, roomId } = await den()
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const { next_batch: since } = await syncOf(bob, { filter: LAZY })
    await done(carol, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'gone')
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const room = await joinedRoom(bob, roomId, { filter: LAZY, since, use_state_after: true })
    expect(membersIn(room.state_after)).toEqual({ [bob.userId]: 'join', [carol.userId]: 'leave' })
  })

  test('are told when they changed around a leaving that the client has missed', async () => {
    const { alice, bob, carol, roomId } = await den()
    const { next_batch: since } = await syncOf(bob, { filter: LAZY })
    await done(carol, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await done(alice, 'PUT', `/v3/profile/${alice.userId}/displayname`, { displayname: 'Alice' })
    const room = await joinedRoom(bob, roomId, { filter: LAZY, since, use_state_after: true })
    expect(membersIn(room.state_after)).toEqual({ [alice.userId]: 'join', [bob.userId]: 'join', [carol.userId]: 'leave' })
  })

  test('are told to who joins of who has asked them in, as they are now', async () => {
    const { alice, bob, roomId, register } = await den()
    const dave = await register('dave')
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: dave.userId })
    const { next_batch: since } = await syncOf(dave, { filter: LAZY })
    await done(alice, 'PUT', `/v3/profile/${alice.userId}/displayname`, { displayname: 'Alice' })
    await say(bob, roomId, 'words')
    await done(dave, 'POST', inRoom(roomId, '/join'), {})
    const { state } = await joinedRoom(dave, roomId, { filter: LAZY, since })
    expect(state?.events.find(({ state_key }) => state_key === alice.userId)?.content).toEqual({ membership: 'join', displayname: 'Alice' })
  })

  test('are, to who joins for the first time, the reader and those who speak', async () => {
    const { alice, roomId, register } = await den()
    const dave = await register('dave')
    const { next_batch: since } = await syncOf(dave, { filter: LAZY })
    await done(dave, 'POST', inRoom(roomId, '/join'), {})
    await say(alice, roomId, 'welcome')
    const room = await joinedRoom(dave, roomId, { filter: LAZY, since })
    expect(membersIn(room.state)).toEqual({ [alice.userId]: 'join', [dave.userId]: 'join' })
  })

  test('are told again though the answer that told them was lost and never asked for again', async () => {
    const { alice, bob, carol, roomId } = await den()
    await say(alice, roomId, 'mine')
    const { next_batch: since } = await syncOf(alice, { filter: LAZY })
    await say(bob, roomId, 'lost')
    expect(membersIn((await joinedRoom(alice, roomId, { filter: LAZY, since })).state)).toEqual({ [bob.userId]: 'join' })
    await say(carol, roomId, 'instead')
    const second = await syncOf(alice, { filter: LAZY, since })
    expect(membersIn(second.rooms?.join?.[roomId]?.state)).toEqual({ [carol.userId]: 'join' })
    await say(bob, roomId, 'again')
    expect(membersIn((await joinedRoom(alice, roomId, { filter: LAZY, since: second.next_batch })).state)).toEqual({ [bob.userId]: 'join' })
  })

  test('come with the people by whom a room without a name is shown', async () => {
    const { alice, bob, carol, roomId } = await den({ preset: 'public_chat' })
    await say(alice, roomId, 'mine')
    const room = await joinedRoom(alice, roomId, { filter: LAZY })
    expect(room.summary['m.heroes']).toEqual([bob.userId, carol.userId])
    expect(membersIn(room.state)).toEqual({ [alice.userId]: 'join', [bob.userId]: 'join', [carol.userId]: 'join' })
  })

  test('come with the reader in a full state', async () => {
    const { alice, bob, roomId } = await den()
    await say(bob, roomId, 'one')
    const { next_batch: since } = await syncOf(alice, { filter: LAZY })
    expect(membersIn((await joinedRoom(alice, roomId, { filter: LAZY, since, full_state: true })).state)).toEqual({ [alice.userId]: 'join' })
  })
})

describe('the summary', () => {
  test('names those who have left when nobody else is there', async () => {
    const { alice, bob, carol, roomId } = await den({ preset: 'public_chat' })
    for (const guest of [bob, carol]) await done(guest, 'POST', inRoom(roomId, '/leave'), {})
    const { summary } = await joinedRoom(alice, roomId)
    expect(summary).toEqual({ 'm.heroes': [bob.userId, carol.userId], 'm.joined_member_count': 1, 'm.invited_member_count': 0 })
  })

  test('counts who is invited, and is told when it changes', async () => {
    const { alice, bob, carol, roomId, register } = await den({ preset: 'public_chat' })
    const dave = await register('dave')
    const { next_batch: since } = await syncOf(alice)
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: dave.userId })
    const { summary } = await joinedRoom(alice, roomId, { since })
    expect(summary).toEqual({ 'm.heroes': [bob.userId, carol.userId, dave.userId], 'm.joined_member_count': 3, 'm.invited_member_count': 1 })
  })

  test('names people in the order in which they came', async () => {
    const { alice, bob, carol, roomId } = await den({ preset: 'public_chat' })
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    expect((await joinedRoom(alice, roomId)).summary['m.heroes']).toEqual([carol.userId, bob.userId])
  })

  test('is left out where it is as it was', async () => {
    const { alice, bob, roomId } = await den()
    const { next_batch: since } = await syncOf(alice)
    await say(bob, roomId, 'hello')
    expect((await joinedRoom(alice, roomId, { since })).summary).toEqual({})
  })

  test('is told when the filter keeps members out of the timeline', async () => {
    const { alice, carol, roomId } = await den()
    const filter = { room: { timeline: { types: ['m.room.message'] } } }
    const { next_batch: since } = await syncOf(alice, { filter })
    await done(carol, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'bye')
    expect((await joinedRoom(alice, roomId, { since, filter })).summary).toEqual({ 'm.joined_member_count': 2, 'm.invited_member_count': 0 })
  })

  test('has no people in it where the room has a name', async () => {
    const { alice, roomId } = await den()
    expect((await joinedRoom(alice, roomId)).summary).toEqual({ 'm.joined_member_count': 3, 'm.invited_member_count': 0 })
  })
})

test('an invited member is told of, and one who is brought in is joined', async () => {
  const { alice, bob, register } = await den()
  const erin = await register('erin')
  const roomId = await makeRoom(alice)
  const { next_batch: since } = await syncOf(alice)
  await bringIn(alice, roomId, bob)
  await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: erin.userId })
  expect(membersIn((await joinedRoom(alice, roomId, { since, use_state_after: true })).state_after)).toEqual({ [bob.userId]: 'join', [erin.userId]: 'invite' })
})
