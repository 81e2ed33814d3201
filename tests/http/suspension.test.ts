import { describe, expect, test } from 'bun:test'
import { type Caller, house, type House } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'

type Scene = Readonly<{ opened: House; bob: Caller; roomId: RoomId; open: RoomId; invited: RoomId; own: EventId; other: EventId }>

/** Bob has said something, is invited somewhere, and is then suspended. */
async function scene(): Promise<Scene> {
  const opened = await house()
  const { server, alice, bob } = opened
  const roomId = await makeRoom(alice, { power_level_content_override: { users_default: 100 } , room_version: '11' })
  await bringIn(alice, roomId, bob)
  const [own, other] = [await say(bob, roomId, 'mine'), await say(alice, roomId, 'hers')]
  const open = await makeRoom(alice, { preset: 'public_chat', room_alias_name: 'open' })
  const invited = await makeRoom(alice, { invite: [bob.userId] })
  await server.user(bob.userId).ask({ kind: 'suspendUser', isSuspended: true }, 'test')
  return { opened, bob, roomId, open, invited, own, other }
}

const SUSPENDED = { status: 403, body: { errcode: 'M_USER_SUSPENDED' } }

describe('a suspended user', () => {
  test.each<[string, (scene: Scene) => [method: string, path: string, body?: object]]>([
    ['send', ({ roomId }) => ['PUT', inRoom(roomId, '/send/m.room.message/x'), { body: 'x' }]],
    ['send later', ({ roomId }) => ['PUT', inRoom(roomId, '/delayed_event/m.room.message/x'), { delay: 1, content: {} }]],
    ['set state', ({ roomId }) => ['PUT', inRoom(roomId, '/state/m.room.topic'), { topic: 'x' }]],
    ['redact what others said', ({ roomId, other }) => ['PUT', inRoom(roomId, `/redact/${encodeURIComponent(other)}/x`), {}]],
    ['redact it by send', ({ roomId, other }) => ['PUT', inRoom(roomId, '/send/m.room.redaction/x'), { redacts: other }]],
    ['create a room', () => ['POST', '/v3/createRoom', {}]],
    ['join', ({ open }) => ['POST', inRoom(open, '/join'), {}]],
    ['join by alias', () => ['POST', '/v3/join/%23open:a.example', {}]],
    ['accept an invite', ({ invited }) => ['POST', inRoom(invited, '/join'), {}]],
    ['knock', ({ open }) => ['POST', `/v3/knock/${open}`, {}]],
    ['invite', ({ roomId }) => ['POST', inRoom(roomId, '/invite'), { user_id: '@carol:a.example' }]],
    ['kick', ({ roomId }) => ['POST', inRoom(roomId, '/kick'), { user_id: '@alice:a.example' }]],
    ['ban', ({ roomId }) => ['POST', inRoom(roomId, '/ban'), { user_id: '@alice:a.example' }]],
    ['change their name', ({ bob }) => ['PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'x' }]],
    ['remove their name', ({ bob }) => ['DELETE', `/v3/profile/${bob.userId}/displayname`]],
    ['make an alias', ({ roomId }) => ['PUT', '/v3/directory/room/%23x:a.example', { room_id: roomId }]],
    ['publish a room', ({ roomId }) => ['PUT', `/v3/directory/list/room/${roomId}`, { visibility: 'public' }]],
  ])('cannot %s', async (_says, request) => {
    const here = await scene()
    expect(await here.bob.answer(...request(here))).toMatchObject(SUSPENDED)
  })

  test.each<[string, (scene: Scene) => [method: string, path: string, body?: object]]>([
    ['sync', () => ['GET', '/v3/sync']],
    ['read messages', ({ roomId }) => ['GET', inRoom(roomId, '/messages?dir=b')]],
    ['take back their own words', ({ roomId, own }) => ['PUT', inRoom(roomId, `/redact/${encodeURIComponent(own)}/x`), {}]],
    ['take them back by send', ({ roomId, own }) => ['PUT', inRoom(roomId, '/send/m.room.redaction/x'), { redacts: own }]],
    ['leave', ({ roomId }) => ['POST', inRoom(roomId, '/leave'), {}]],
    ['reject an invite', ({ invited }) => ['POST', inRoom(invited, '/leave'), {}]],
    ['report', ({ roomId }) => ['POST', inRoom(roomId, '/report'), { reason: 'x' }]],
    ['log out', () => ['POST', '/v3/logout', {}]],
  ])('can %s', async (_says, request) => {
    const here = await scene()
    expect((await here.bob.answer(...request(here))).status).toBe(200)
  })

  test('can do everything again afterwards', async () => {
    const { opened: { server }, bob, roomId } = await scene()
    await server.user(bob.userId).ask({ kind: 'suspendUser', isSuspended: false }, 'test')
    await say(bob, roomId, 'back')
    expect((await done(bob, 'GET', '/v3/account/whoami')).user_id).toBe(bob.userId)
  })
})
