import { describe, expect, test } from 'bun:test'
import type { Caller } from '#harness/house.ts'
import { house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

type Page = Readonly<{ chunk: ShownEvent[]; start: string; end?: string; state?: ShownEvent[] }>

const page = async (caller: Caller, roomId: RoomId, query: string): Promise<Page> =>
  (await done(caller, 'GET', inRoom(roomId, `/messages?${query}`))) as unknown as Page

async function talk(count: number) {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  for (let number = 1; number <= count; number++) await say(world.alice, roomId, `m${number}`)
  return { ...world, roomId }
}

/** Every body from one end to the other. */
async function readAll(caller: Caller, roomId: RoomId, dir: 'b' | 'f', limit: number): Promise<unknown[]> {
  const bodies: unknown[] = []
  let from = ''
  for (;;) {
    const { chunk, end } = await page(caller, roomId, `dir=${dir}&limit=${limit}${from}`)
    bodies.push(...bodiesOf(chunk))
    if (end === undefined) return bodies
    from = `&from=${end}`
  }
}

describe('paging', () => {
  test('goes back from the newest and on from the first', async () => {
    const { alice, roomId } = await talk(5)
    expect(bodiesOf((await page(alice, roomId, 'dir=b&limit=3')).chunk)).toEqual(['m5', 'm4', 'm3'])
    expect(bodiesOf((await page(alice, roomId, 'dir=f&limit=2')).chunk)).toEqual(['m.room.create', 'm.room.member'])
  })

  test('takes an empty token for none, as clients send it that were given none', async () => {
    const { alice, roomId } = await talk(2)
    expect(bodiesOf((await page(alice, roomId, 'dir=b&limit=1&from=&to=')).chunk)).toEqual(['m2'])
  })

  test.each([1, 2, 3, 7, 50])('gives every event once in pages of %d, in both directions', async (limit) => {
    const { alice, roomId } = await talk(5)
    const back = await readAll(alice, roomId, 'b', limit)
    expect(back).toEqual((await readAll(alice, roomId, 'f', limit)).reverse())
    expect(back.slice(0, 5)).toEqual(['m5', 'm4', 'm3', 'm2', 'm1'])
    expect(back.at(-1)).toBe('m.room.create')
  })

  test('starts at a token of /sync, and an event that came later is not behind it', async () => {
    const { alice, roomId } = await talk(2)
    const { next_batch: token } = await done(alice, 'GET', '/v3/sync')
    await say(alice, roomId, 'later')
    expect(bodiesOf((await page(alice, roomId, `dir=b&limit=2&from=${String(token)}`)).chunk)).toEqual(['m2', 'm1'])
    expect(bodiesOf((await page(alice, roomId, `dir=f&from=${String(token)}`)).chunk)).toEqual(['later'])
  })

  test('stops at `to`', async () => {
    const { alice, roomId } = await talk(5)
    const { end } = await page(alice, roomId, 'dir=b&limit=2')
    expect(bodiesOf((await page(alice, roomId, `dir=b&to=${end}`)).chunk)).toEqual(['m5', 'm4'])
    expect(bodiesOf((await page(alice, roomId, `dir=f&limit=100&to=${end}`)).chunk).at(-1)).toBe('m3')
  })

  test('G-78: `end` is there as long as there are events, and gone with an empty page', async () => {
    const { alice, roomId } = await talk(1)
    const first = await page(alice, roomId, 'dir=b&limit=100')
    expect(first.end).toBeString()
    expect(await page(alice, roomId, `dir=b&from=${first.end}`)).toEqual({ chunk: [], start: first.end ?? '' })
  })

  test('a filter that lets nothing through leads straight to the beginning', async () => {
    const { alice, roomId } = await talk(3)
    const filter = encodeURIComponent(JSON.stringify({ types: ['org.example.none'] }))
    expect(await page(alice, roomId, `dir=b&limit=1&filter=${filter}`)).toEqual({ chunk: [], start: expect.any(String) as unknown as string })
  })

  test('limit=0 gives no events but a place to go on from', async () => {
    const { alice, roomId } = await talk(1)
    const { chunk, end } = await page(alice, roomId, 'dir=b&limit=0')
    expect(chunk).toEqual([])
    expect(bodiesOf((await page(alice, roomId, `dir=b&limit=1&from=${end}`)).chunk)).toEqual(['m1'])
  })

  test.each([
    ['no direction', 'limit=3', 'M_MISSING_PARAM'],
    ['a direction that does not exist', 'dir=up', 'M_INVALID_PARAM'],
    ['a token of nobody', 'dir=b&from=nonsense', 'M_INVALID_PARAM'],
    ['an end that is no token', 'dir=b&to=nonsense', 'M_INVALID_PARAM'],
    ['a negative limit', 'dir=b&limit=-1', 'M_INVALID_PARAM'],
    ['a limit that is no number', 'dir=b&limit=many', 'M_INVALID_PARAM'],
    ['a filter that is no JSON', 'dir=b&filter=%7B', 'M_NOT_JSON'],
    ['a filter of the wrong shape', 'dir=b&filter=%7B%22types%22%3A1%7D', 'M_BAD_JSON'],
  ])('refuses %s', async (_says, query, errcode) => {
    const { alice, roomId } = await talk(0)
    expect(await alice.answer('GET', inRoom(roomId, `/messages?${query}`))).toMatchObject({ status: 400, body: { errcode } })
  })
})

describe('events', () => {
  test('say the room, the reader’s membership, and to the sending device its transaction', async () => {
    const { alice, bob, login, roomId } = await talk(0)
    const { event_id: eventId } = await done(alice, 'PUT', inRoom(roomId, '/send/m.room.message/my-txn'), { body: 'hello' })
    const tablet = await login(alice.userId, 'TABLET')
    const shown = {
      content: { body: 'hello' },
      event_id: eventId,
      origin_server_ts: expect.any(Number),
      room_id: roomId,
      sender: alice.userId,
      type: 'm.room.message',
      unsigned: { age: expect.any(Number), membership: 'join' },
    }
    const newest = async (caller: Caller) => (await page(caller, roomId, 'dir=b&limit=1')).chunk[0] as unknown
    expect(await newest(alice)).toEqual({ ...shown, unsigned: { ...shown.unsigned, transaction_id: 'my-txn' } })
    expect(await newest(tablet)).toEqual(shown)
    expect(await newest(bob)).toEqual(shown)
  })

  test('G-80: a redacted one says by what', async () => {
    const { alice, roomId } = await talk(0)
    const eventId = await say(alice, roomId, 'oops')
    const { event_id: redactionId } = await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/r1`), { reason: 'typo' })
    const { chunk } = await page(alice, roomId, 'dir=b&limit=2')
    expect(chunk[0]).toMatchObject({ type: 'm.room.redaction', redacts: eventId, content: { redacts: eventId, reason: 'typo' } } as never)
    expect(chunk[1]).toMatchObject({ event_id: eventId, content: {}, unsigned: { redacted_because: { event_id: redactionId } } })
  })

  test('filters pick by type and sender, and by the presence of a url', async () => {
    const { alice, bob, roomId } = await talk(1)
    await say(bob, roomId, 'mine')
    await say(bob, roomId, 'picture', { url: 'mxc://a.example/1' })
    const bodies = async (filter: object) => bodiesOf((await page(alice, roomId, `dir=b&limit=9&filter=${encodeURIComponent(JSON.stringify(filter))}`)).chunk)
    expect(await bodies({ types: ['m.room.message'], senders: [bob.userId] })).toEqual(['picture', 'mine'])
    expect(await bodies({ types: ['m.room.message'], contains_url: false })).toEqual(['mine', 'm1'])
    expect(await bodies({ not_types: ['m.room.*'] })).toEqual([])
  })

  test('lazy_load_members brings the member events of the senders, once each', async () => {
    const { alice, bob, roomId } = await talk(2)
    await say(bob, roomId, 'hi')
    const filter = encodeURIComponent(JSON.stringify({ lazy_load_members: true }))
    const { state } = await page(alice, roomId, `dir=b&limit=3&filter=${filter}`)
    expect(state?.map(({ state_key: key, content }) => [key, content.membership])).toEqual([[bob.userId, 'join'], [alice.userId, 'join']])
    expect((await page(alice, roomId, `dir=b&limit=1&filter=${filter}`)).state?.map(({ state_key: key }) => key)).toEqual([bob.userId])
  })

  test('of those whom the reader ignores are left out, but not their state', async () => {
    const { alice, bob, roomId, server } = await talk(1)
    await say(bob, roomId, 'spam')
    await server.user(alice.userId).ask({ kind: 'setAccountData', roomId: null, type: 'm.ignored_user_list', content: { ignored_users: { [bob.userId]: {} } } }, 'test')
    expect(bodiesOf((await page(alice, roomId, 'dir=b&limit=3')).chunk)).toEqual(['m1', 'm.room.member', 'm.room.member'])
    expect(bodiesOf((await page(bob, roomId, 'dir=b&limit=1')).chunk)).toEqual(['spam'])
  })
})

test('what an erased user said is whole to those who were there, and redacted to those who came later', async () => {
  const { alice, bob, register, server } = await house()
  const roomId = await makeRoom(alice, { preset: 'public_chat' })
  const carol = await register('carol')
  await done(bob, 'POST', inRoom(roomId, '/join'), {})
  await say(bob, roomId, 'secret')
  await done(carol, 'POST', inRoom(roomId, '/join'), {})
  await server.user(bob.userId).ask({ kind: 'deactivateUser', isErased: true }, 'test')
  const said = async (caller: Caller) => (await page(caller, roomId, 'dir=b&limit=2')).chunk.find(({ type }) => type === 'm.room.message')?.content
  expect(await said(alice)).toEqual({ msgtype: 'm.text', body: 'secret' })
  expect(await said(carol)).toEqual({})
})

describe('history visibility', () => {
  const told = async (visibility: string) => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: visibility })
    await say(alice, roomId, 'before the invite')
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    await say(alice, roomId, 'before the join')
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await say(alice, roomId, 'after the join')
    const { chunk } = await page(bob, roomId, 'dir=b&limit=50')
    return bodiesOf(chunk).filter((body) => !String(body).startsWith('m.'))
  }

  test.each([
    ['shared', ['after the join', 'before the join', 'before the invite']],
    ['invited', ['after the join', 'before the join']],
    ['joined', ['after the join']],
    ['world_readable', ['after the join', 'before the join', 'before the invite']],
  ])('%s decides what a newcomer sees', async (visibility, bodies) => {
    expect(await told(visibility)).toEqual(bodies)
  })

  test.each(['b', 'f'])('who has left sees nothing that came after, in direction %s', async (dir) => {
    const { alice, bob, roomId } = await talk(1)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'secret')
    const bodies = bodiesOf((await page(bob, roomId, `dir=${dir}&limit=50`)).chunk)
    expect(bodies).toContain('m1')
    expect(bodies).not.toContain('secret')
    const { chunk } = await page(bob, roomId, 'dir=b&limit=1')
    expect(chunk[0]).toMatchObject({ type: 'm.room.member', state_key: bob.userId, content: { membership: 'leave' }, unsigned: { membership: 'leave' } })
  })

  test('strangers see a world readable room and no other', async () => {
    const { alice, register, roomId } = await talk(1)
    const guest = await register('gast', { isGuest: true })
    expect(await guest.answer('GET', inRoom(roomId, '/messages?dir=b'))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    await say(alice, roomId, 'to all')
    expect(bodiesOf((await page(guest, roomId, 'dir=b&limit=50')).chunk)).toEqual(['to all', 'm.room.history_visibility'])
  })
})
