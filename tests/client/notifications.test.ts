import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'

type Listed = { actions: unknown[]; event: { content: { body: string }; event_id: string }; profile_tag: string; read: boolean; room_id: string; ts: number }

async function talk() {
  const world = await house()
  const carol = await world.register('carol')
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob, carol)
  return { ...world, carol, roomId }
}

async function list(caller: Caller, query = ''): Promise<{ notifications: Listed[]; next_token?: string }> {
  return (await done(caller, 'GET', `/v3/notifications${query}`)) as { notifications: Listed[]; next_token?: string }
}
const bodies = async (caller: Caller, query?: string): Promise<string[]> =>
  (await list(caller, query)).notifications.map(({ event }) => event.content.body)
const mention = (caller: Caller) => ({ 'm.mentions': { user_ids: [caller.userId] } })
const read = (caller: Caller, roomId: RoomId, eventId: EventId) => done(caller, 'POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(eventId)}`), {})

describe('the list of notifications', () => {
  test('has what a user was notified of, newest first', async () => {
    const { alice, bob, roomId } = await talk()
    const event = await say(alice, roomId, 'one')
    await say(bob, roomId, 'own')
    await say(alice, roomId, 'beep', { msgtype: 'm.notice' })
    await say(alice, roomId, 'bob?', mention(bob))
    expect((await list(bob)).notifications).toMatchObject([
      { actions: ['notify', { set_tweak: 'sound', value: 'default' }, { set_tweak: 'highlight' }], event: { content: { body: 'bob?' } }, read: false, room_id: roomId },
      { actions: ['notify'], event: { event_id: event, content: { body: 'one' }, type: 'm.room.message', sender: alice.userId }, profile_tag: '', read: true, room_id: roomId },
    ])
    expect(await bodies(alice)).toEqual(['own'])
  })

  test('has invitations until they are answered, but none by whom the user ignores', async () => {
    const { alice, bob, carol } = await talk()
    const invited = await makeRoom(alice, { invite: [bob.userId] })
    await makeRoom(carol, { invite: [bob.userId] })
    await done(bob, 'PUT', `/v3/user/${bob.userId}/account_data/m.ignored_user_list`, { ignored_users: { [carol.userId]: {} } })
    const { notifications } = await list(bob)
    expect(notifications).toMatchObject([
      { actions: ['notify', { set_tweak: 'sound', value: 'default' }], event: { content: { membership: 'invite' }, sender: alice.userId }, read: false, room_id: invited },
    ])
    expect((await list(bob, '?only=highlight')).notifications).toEqual([])
    await done(bob, 'POST', inRoom(invited, '/join'), {})
    expect((await list(bob)).notifications).toEqual([])
  })

  test('says what was read', async () => {
    const { alice, bob, roomId } = await talk()
    const root = await say(alice, roomId, 'root')
    const one = await say(alice, roomId, 'one', mention(bob))
    await say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
    await say(alice, roomId, 'two')
    await read(bob, roomId, one)
    expect((await list(bob)).notifications.map(({ event, read: isRead }) => [event.content.body, isRead])).toEqual([
      ['two', false], ['reply', false], ['one', true], ['root', true],
    ])
  })

  test('has highlights only if asked, those that were read too', async () => {
    const { alice, bob, carol, roomId } = await talk()
    await say(alice, roomId, 'plain')
    await say(alice, roomId, 'bob?', mention(bob))
    const all = await say(alice, roomId, 'all!', { 'm.mentions': { room: true } })
    await say(alice, roomId, 'plain again')
    await read(bob, roomId, all)
    expect([await bodies(bob, '?only=highlight'), await bodies(carol, '?only=highlight')]).toEqual([['all!', 'bob?'], ['all!']])
  })

  test('goes through all rooms and threads, page by page', async () => {
    const { alice, bob, roomId } = await talk()
    const other = await makeRoom(alice)
    await bringIn(alice, other, bob)
    const root = await say(alice, roomId, '0')
    const thread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
    for (let index = 1; index < 7; index++) await say(alice, index % 2 === 0 ? roomId : other, String(index), index % 4 === 0 ? thread : index === 5 ? mention(bob) : {})
    const pages: string[][] = []
    let from = ''
    for (;;) {
      const page = await list(bob, `?limit=3${from}`)
      pages.push(page.notifications.map(({ event }) => event.content.body))
      if (page.next_token === undefined) break
      from = `&from=${page.next_token}`
    }
    expect(pages).toEqual([['6', '5', '4'], ['3', '2', '1'], ['0']])
  })

  test('leaves out what was redacted and rooms that were left', async () => {
    const { alice, bob, roomId } = await talk()
    const one = await say(alice, roomId, 'one', mention(bob))
    await say(alice, roomId, 'two')
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(one)}/r`), {})
    expect(await bodies(bob)).toEqual(['two'])
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    expect(await bodies(bob)).toEqual([])
  })

  test.each([['a token of nobody', '?from=x'], ['a limit that is no number', '?limit=x'], ['a limit below zero', '?limit=-1']])('refuses %s', async (_says, query) => {
    const { alice } = await house()
    expect(await alice.answer('GET', `/v3/notifications${query}`)).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })
})
