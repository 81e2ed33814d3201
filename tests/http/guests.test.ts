import { describe, expect, test } from 'bun:test'
import { type Caller, house, type House } from '#harness/house.ts'
import { done, inRoom, makeRoom, say, setState, stateContent } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'

type Scene = Readonly<{ opened: House; guest: Caller; inside: RoomId; square: RoomId; closed: RoomId; event: EventId }>

/** A guest is in one room; another one can be looked into by everybody, a third one takes no guests. */
async function scene(): Promise<Scene> {
  const opened = await house()
  const { alice, register } = opened
  const guest = await register('gast', { isGuest: true })
  const inside = await makeRoom(alice, { preset: 'public_chat' })
  await setState(alice, inside, 'm.room.guest_access', { guest_access: 'can_join' })
  await done(guest, 'POST', inRoom(inside, '/join'), {})
  const square = await makeRoom(alice, { initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }] })
  const event = await say(alice, square, 'to all')
  return { opened, guest, inside, square, closed: await makeRoom(alice, { preset: 'public_chat' }), event }
}

type Request = [method: string, path: string, body?: object]

// spec: client-server-api#guest-access
describe('a guest', () => {
  test.each<[string, (scene: Scene) => Request]>([
    ['read the state of a room that all can read', ({ square }) => ['GET', inRoom(square, '/state')]],
    ['read one place of it', ({ square }) => ['GET', inRoom(square, '/state/m.room.create/')]],
    ['read what was said around an event', ({ square, event }) => ['GET', inRoom(square, `/context/${encodeURIComponent(event)}`)]],
    ['read one event', ({ square, event }) => ['GET', inRoom(square, `/event/${encodeURIComponent(event)}`)]],
    ['read messages', ({ square }) => ['GET', inRoom(square, '/messages?dir=b')]],
    ['read members', ({ square }) => ['GET', inRoom(square, '/members')]],
    ['sync', () => ['GET', '/v3/sync']],
    ['speak, whatever the type', ({ inside }) => ['PUT', inRoom(inside, '/send/org.example.any/t'), {}]],
    ['leave', ({ inside }) => ['POST', inRoom(inside, '/leave'), {}]],
    ['send to devices', () => ['PUT', '/v3/sendToDevice/org.example.any/t', { messages: {} }]],
    ['change their name', ({ guest }) => ['PUT', `/v3/profile/${guest.userId}/displayname`, { displayname: 'G' }]],
    ['remove their name', ({ guest }) => ['DELETE', `/v3/profile/${guest.userId}/displayname`]],
    ['see their devices', () => ['GET', '/v3/devices']],
    ['see one of them', () => ['GET', '/v3/devices/PHONE']],
    ['name it', () => ['PUT', '/v3/devices/PHONE', { display_name: 'x' }]],
    ['ask who they are', () => ['GET', '/v3/account/whoami']],
    ['upload keys', () => ['POST', '/v3/keys/upload', {}]],
    ['query keys', () => ['POST', '/v3/keys/query', { device_keys: {} }]],
    ['claim keys', () => ['POST', '/v3/keys/claim', { one_time_keys: {} }]],
    ['log out', () => ['POST', '/v3/logout', {}]],
  ])('can %s', async (_says, request) => {
    const here = await scene()
    expect((await here.guest.answer(...request(here))).status).toBe(200)
  })

  test.each<[string, (scene: Scene) => Request]>([
    ['make rooms', () => ['POST', '/v3/createRoom', {}]],
    ['join a room that takes none', ({ closed }) => ['POST', inRoom(closed, '/join'), {}]],
    ['invite', ({ inside }) => ['POST', inRoom(inside, '/invite'), { user_id: '@bob:a.example' }]],
    ['kick', ({ inside }) => ['POST', inRoom(inside, '/kick'), { user_id: '@bob:a.example' }]],
    ['change their picture', ({ guest }) => ['PUT', `/v3/profile/${guest.userId}/avatar_url`, { avatar_url: 'mxc://a.example/x' }]],
    ['remove devices', () => ['DELETE', '/v3/devices/PHONE', {}]],
    ['change the password', () => ['POST', '/v3/account/password', { new_password: 'x' }]],
    ['make aliases', ({ inside }) => ['PUT', '/v3/directory/room/%23x:a.example', { room_id: inside }]],
    ['search for users', () => ['POST', '/v3/user_directory/search', { search_term: 'x' }]],
    ['report', ({ inside }) => ['POST', inRoom(inside, '/report'), { reason: 'x' }]],
    ['get OpenID tokens', ({ guest }) => ['POST', `/v3/user/${guest.userId}/openid/request_token`, {}]],
    ['log others in', () => ['POST', '/v1/login/get_token', {}]],
    ['have events sent later in the new form', ({ inside }) => ['PUT', inRoom(inside, '/delayed_event/m.room.message/x'), { delay: 1, content: {} }]],
  ])('cannot %s', async (_says, request) => {
    const here = await scene()
    expect(await here.guest.answer(...request(here))).toMatchObject({ status: 403, body: { errcode: 'M_GUEST_ACCESS_FORBIDDEN' } })
  })

  test('G-87: sees nothing of a room that cannot be looked into from outside', async () => {
    const { guest, closed } = await scene()
    for (const path of ['/state', '/messages?dir=b', '/members', '/state/m.room.create/'])
      expect(await guest.answer('GET', inRoom(closed, path))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })

  test('leaves when the room takes no more of them, users stay', async () => {
    const { opened: { server, alice, bob }, guest, inside } = await scene()
    await done(bob, 'POST', inRoom(inside, '/join'), {})
    await setState(alice, inside, 'm.room.guest_access', { guest_access: 'forbidden' })
    await server.settled()
    expect(await stateContent(alice, inside, 'm.room.member', guest.userId)).toEqual({ membership: 'leave' })
    expect(await stateContent(alice, inside, 'm.room.member', bob.userId)).toMatchObject({ membership: 'join' })
  })
})

describe('G-87: who is not in a room', () => {
  test.each(['invite', 'ban'])('sees after an %s no more than stripped state', async (action) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { name: 'secret' })
    await say(alice, roomId, 'private')
    await done(alice, 'POST', inRoom(roomId, `/${action}`), { user_id: bob.userId })
    for (const path of ['/state', '/messages?dir=b', '/members', '/state/m.room.name/'])
      expect(await bob.answer('GET', inRoom(roomId, path))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    const rooms = (await done(bob, 'GET', '/v3/sync')).rooms as { invite?: Record<string, { invite_state: { events: object[] } }>; join?: object } | undefined
    expect(rooms?.join).toBeUndefined()
    const stripped = rooms?.invite?.[roomId]?.invite_state.events ?? []
    expect(stripped.length > 0).toBe(action === 'invite')
    for (const event of stripped) expect(Object.keys(event).toSorted()).toEqual(['content', 'sender', 'state_key', 'type'])
  })

  test('sees after a knock no more than stripped state', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { name: 'secret', initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }] })
    await done(bob, 'POST', `/v3/knock/${roomId}`, {})
    expect((await bob.answer('GET', inRoom(roomId, '/state'))).status).toBe(403)
    const rooms = (await done(bob, 'GET', '/v3/sync')).rooms as { knock?: Record<string, { knock_state: { events: { type: string }[] } }> }
    expect(rooms.knock?.[roomId]?.knock_state.events.at(-1)).toMatchObject({ type: 'm.room.member', content: { membership: 'knock' } } as never)
  })
})
