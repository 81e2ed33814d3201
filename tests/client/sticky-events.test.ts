import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, type ShownEvent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { STICKY_PER_ANSWER, STICKY_PER_ROOM } from '#store/sticky-events.ts'

type Room = { timeline: { events: ShownEvent[] }; msc4354_sticky?: { events: ShownEvent[] } }
type Synced = { next_batch: string; rooms?: { join?: Record<string, Room> } }

const FILTER = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 1 } } }))
const sync = async (who: Caller, since?: string): Promise<Synced> =>
  (await done(who, 'GET', `/v3/sync?filter=${FILTER}${since === undefined ? '' : `&since=${since}`}`)) as unknown as Synced

let transactions = 0
const stick = (who: Caller, roomId: RoomId, text: string, ms: number | string) =>
  who.answer('PUT', inRoom(roomId, `/send/org.example.call/s${++transactions}?org.matrix.msc4354.sticky_duration_ms=${ms}`), { text })
const textsIn = (room: Room | undefined): unknown[] => (room?.msc4354_sticky?.events ?? []).map(({ content }) => content.text)

describe('a sticky event', () => {
  test('is shown beside the timeline that has no room for it, and says how long it lasts', async () => {
    const clock = manualClock()
    const { alice, bob } = await house({}, { clock })
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const { next_batch: since } = await sync(bob)
    const { body } = await stick(alice, roomId, 'here', 60_000)
    clock.advance(20_000)
    await say(alice, roomId, 'more')
    for (const token of [since, undefined]) {
      const room = (await sync(bob, token)).rooms?.join?.[roomId]
      expect(room?.timeline.events.map(({ type }) => type)).toEqual(['m.room.message'])
      expect(room?.msc4354_sticky).toEqual({
        events: [{
          content: { text: 'here' }, event_id: body.event_id, msc4354_sticky: { duration_ms: 60_000 }, origin_server_ts: clock.now() - 20_000,
          sender: alice.userId, type: 'org.example.call', unsigned: { age: 20_000, membership: 'join', msc4354_sticky_duration_ttl_ms: 40_000 },
        }],
      } as never)
    }
  })

  test('is not shown twice, nor when it has expired', async () => {
    const clock = manualClock()
    const { alice } = await house({}, { clock })
    const roomId = await makeRoom(alice)
    const { next_batch: since } = await sync(alice)
    await stick(alice, roomId, 'here', 60_000)
    const first = await sync(alice, since)
    expect(first.rooms?.join?.[roomId]?.timeline.events).toMatchObject([{ content: { text: 'here' } }])
    expect(textsIn(first.rooms?.join?.[roomId])).toEqual([])
    await say(alice, roomId, 'more')
    expect(textsIn((await sync(alice, first.next_batch)).rooms?.join?.[roomId])).toEqual([])
    expect(textsIn((await sync(alice)).rooms?.join?.[roomId])).toEqual(['here'])
    clock.advance(60_000)
    expect(textsIn((await sync(alice)).rooms?.join?.[roomId])).toEqual([])
  })

  test('is shown to those who come later, whatever they may see of the history', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, {
      preset: 'public_chat', initial_state: [{ type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'joined' } }],
    })
    await stick(alice, roomId, 'here', 60_000)
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    expect(textsIn((await sync(bob)).rooms?.join?.[roomId])).toEqual(['here'])
  })

  test('loosens when it is redacted, and does not reach those who ignore its sender', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const { body } = await stick(alice, roomId, 'here', 60_000)
    await say(alice, roomId, 'more')
    await done(bob, 'PUT', `/v3/user/${bob.userId}/account_data/m.ignored_user_list`, { ignored_users: { [alice.userId]: {} } })
    expect(textsIn((await sync(bob)).rooms?.join?.[roomId])).toEqual([])
    expect(textsIn((await sync(alice)).rooms?.join?.[roomId])).toEqual(['here'])
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(String(body.event_id))}/r1`), {})
    expect(textsIn((await sync(alice)).rooms?.join?.[roomId])).toEqual([])
  })

  test('may be state, and may be sent later', async () => {
    const clock = manualClock()
    const { server, alice } = await house({}, { clock })
    const roomId = await makeRoom(alice)
    await done(alice, 'PUT', inRoom(roomId, '/state/org.example.slot/?org.matrix.msc4354.sticky_duration_ms=5000'), { text: 'state' })
    await done(alice, 'PUT', inRoom(roomId, '/send/org.example.call/l?org.matrix.msc4140.delay=100&org.matrix.msc4354.sticky_duration_ms=5000'), { text: 'late' })
    clock.advance(100)
    await server.settled()
    await say(alice, roomId, 'more')
    expect(textsIn((await sync(alice)).rooms?.join?.[roomId])).toEqual(['state', 'late'])
  })

  test.each([
    ['as long as an hour', 3_600_000, 200],
    ['not longer', 3_600_001, 400],
    ['not less than nothing', -1, 400],
    ['not for a word', 'long', 400],
  ])('sticks %s', async (_says, ms, status) => {
    const { alice } = await house()
    expect((await stick(alice, await makeRoom(alice), 'x', ms)).status).toBe(status)
  })

  test('is one of so many: an answer shows the newest, a room keeps some more', async () => {
    const { server, alice } = await house()
    const roomId = await makeRoom(alice)
    for (let count = 0; count <= STICKY_PER_ROOM; count++)
      await server.room(roomId).ask({ kind: 'sendMessage', userId: alice.userId, eventType: 'org.example.call', content: { text: count }, stickyMs: 3_600_000 }, 'test')
    await say(alice, roomId, 'more')
    const texts = textsIn((await sync(alice)).rooms?.join?.[roomId])
    expect([texts.length, texts[0], texts.at(-1)]).toEqual([STICKY_PER_ANSWER, STICKY_PER_ROOM - STICKY_PER_ANSWER + 1, STICKY_PER_ROOM])
    expect(server.store.db.query('SELECT count(*) AS total FROM sticky_events').get()).toEqual({ total: STICKY_PER_ROOM })
  })
})
