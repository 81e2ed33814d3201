import { describe, expect, test } from 'bun:test'
import { MUTUAL_ROOMS_PAGE } from '#client/mutual-rooms.ts'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom } from '#harness/rooms.ts'

const mutual = (who: Caller, other: string, more = '') => who.answer('GET', `/v1/mutual_rooms?user_id=${encodeURIComponent(other)}${more}`)

describe('mutual rooms', () => {
  test('are those in which both are joined', async () => {
    const { alice, bob } = await house()
    const [shared, left, invited] = [await makeRoom(alice), await makeRoom(alice), await makeRoom(alice, { invite: [bob.userId] })]
    await makeRoom(bob)
    await bringIn(alice, shared, bob)
    await bringIn(alice, left, bob)
    expect((await mutual(alice, bob.userId)).body).toEqual({ joined: [shared, left], count: 2 })
    await done(bob, 'POST', inRoom(left, '/leave'), {})
    expect(await mutual(bob, alice.userId)).toEqual({ status: 200, body: { joined: [shared], count: 1 } })
    expect(invited).not.toBe(shared)
    expect(await alice.answer('GET', `/unstable/uk.half-shot.msc2666/user/mutual_rooms?user_id=${bob.userId}`)).toEqual({
      status: 200, body: { joined: [shared], count: 1 },
    })
    expect(await mutual(alice, '@nobody:a.example')).toEqual({ status: 200, body: { joined: [], count: 0 } })
  })

  test.each([
    ['one’s own', '@alice:a.example', ''],
    ['what is no user id', 'alice', ''],
    ['a token from elsewhere', '@bob:a.example', '&from=x'],
  ])('are refused for %s', async (_says, other, more) => {
    const { alice } = await house()
    expect(await mutual(alice, other, more)).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('come in pages', async () => {
    const { server, alice, bob } = await house()
    const rooms: string[] = []
    for (let index = 0; index <= MUTUAL_ROOMS_PAGE; index++) {
      const roomId = await makeRoom(alice, { preset: 'public_chat' })
      await server.room(roomId).ask({ kind: 'joinRoomById', userId: bob.userId, profile: {} }, 'test')
      rooms.push(roomId)
    }
    for (const [path, from, next] of [
      ['/v1/mutual_rooms', 'from', 'next_batch'],
      ['/unstable/uk.half-shot.msc2666/user/mutual_rooms', 'batch_token', 'next_batch_token'],
    ] as const) {
      const first = await done(alice, 'GET', `${path}?user_id=${bob.userId}`)
      expect(first).toEqual({ joined: rooms.slice(0, -1), count: MUTUAL_ROOMS_PAGE + 1, [next]: expect.any(String) })
      const second = await done(alice, 'GET', `${path}?user_id=${bob.userId}&${from}=${String(first[next])}`)
      expect(second).toEqual({ joined: rooms.slice(-1), count: MUTUAL_ROOMS_PAGE + 1 })
    }
  })
})
