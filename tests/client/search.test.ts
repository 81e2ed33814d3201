import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'

type Found = Readonly<{
  count: number
  highlights: string[]
  results: Readonly<{
    rank: number
    result: ShownEvent
    context?: Readonly<{ start: string; end: string; events_before: ShownEvent[]; events_after: ShownEvent[]; profile_info?: unknown }>
  }>[]
  state?: Record<string, ShownEvent[]>
  groups?: Record<string, Record<string, Readonly<{ order: number; results: string[]; next_batch?: string }>>>
  next_batch?: string
}>

async function find(caller: Caller, term: string, criteria: object = {}, nextBatch?: string): Promise<Found> {
  const query = nextBatch === undefined ? '' : `?next_batch=${encodeURIComponent(nextBatch)}`
  const body = await done(caller, 'POST', `/v3/search${query}`, { search_categories: { room_events: { search_term: term, order_by: 'recent', ...criteria } } })
  return (body.search_categories as { room_events: Found }).room_events
}
const textsOf = (found: Found): unknown[] => bodiesOf(found.results.map(({ result }) => result))
const redact = (caller: Caller, roomId: RoomId, eventId: EventId) =>
  done(caller, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/s1`), {})

async function talk(...texts: readonly string[]) {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  const ids: EventId[] = []
  for (const text of texts) ids.push(await say(world.alice, roomId, text))
  return { ...world, roomId, ids }
}

describe('a search', () => {
  test('finds messages with all of its words, newest first, whatever their case', async () => {
    const { bob, roomId, ids } = await talk('Martians and men', 'men alone', 'MEN, martians')
    const found = await find(bob, 'martians men')
    expect(textsOf(found)).toEqual(['MEN, martians', 'Martians and men'])
    expect(found).toMatchObject({ count: 2, highlights: ['martians', 'men'] })
    expect(found.results[0]?.result).toMatchObject({ event_id: ids[2], room_id: roomId, type: 'm.room.message', unsigned: { membership: 'join' } })
    expect(found.results[0]?.rank).toBeNumber()
    expect(found).not.toHaveProperty('next_batch')
  })

  test('tells those who have left nothing of what was said since, not even how often', async () => {
    const { alice, bob, roomId } = await talk('secret plan')
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'secret of bob')
    expect(await find(bob, 'secret')).toMatchObject({ count: 1, results: [{ result: { content: { body: 'secret plan' } } }] })
    expect(await find(alice, 'secret')).toMatchObject({ count: 2 })
  })

  test.each([
    ['Chinese', '我们明天讨论搜索引擎', '搜索'],
    ['Japanese', '今日はサーバーが落ちた', 'サーバー'],
    ['Korean', '서울에서 만나요', '서울'],
    ['the beginning of a word', 'homeservers', 'homes'],
  ])('finds %s', async (_says, text, term) => {
    const { alice } = await talk(text, 'something else')
    expect(textsOf(await find(alice, term))).toEqual([text])
  })

  test('orders by rank: the shorter the message around the words, the closer', async () => {
    const { alice } = await talk('a bear', `a bear ${'and more '.repeat(20)}`)
    const found = await find(alice, 'bear', { order_by: 'rank' })
    expect((textsOf(found) as string[]).map((text) => text.slice(0, 12))).toEqual(['a bear', 'a bear and m'])
    expect(found.results[0]?.rank).toBeGreaterThan(found.results[1]?.rank ?? Infinity)
    expect(textsOf(await find(alice, 'bear', { order_by: undefined }))).toEqual(textsOf(found))
  })

  test('looks at names and topics too, or at the keys it names', async () => {
    const { alice, roomId } = await talk('pond')
    await setState(alice, roomId, 'm.room.name', { name: 'Pond' })
    await setState(alice, roomId, 'm.room.topic', { topic: 'All of the pond' })
    expect(textsOf(await find(alice, 'pond'))).toEqual(['m.room.topic', 'm.room.name', 'pond'])
    expect(textsOf(await find(alice, 'pond', { keys: ['content.name'] }))).toEqual(['m.room.name'])
    expect(textsOf(await find(alice, 'pond', { keys: ['content.body', 'content.topic'] }))).toEqual(['m.room.topic', 'pond'])
  })

  test('comes in pages, and what is said meanwhile does not shift them', async () => {
    const { alice, roomId } = await talk('frog 1', 'frog 2', 'frog 3', 'frog 4', 'frog 5')
    const criteria = { filter: { limit: 2 } }
    const first = await find(alice, 'frog', criteria)
    await say(alice, roomId, 'frog 6')
    const second = await find(alice, 'frog', criteria, first.next_batch)
    const third = await find(alice, 'frog', criteria, second.next_batch)
    expect([first, second, third].map(textsOf)).toEqual([['frog 5', 'frog 4'], ['frog 3', 'frog 2'], ['frog 1']])
    expect(third.next_batch).toBeUndefined()
  })

  test('is without words that are found nowhere', async () => {
    const { alice } = await talk('frog')
    expect(await find(alice, '...')).toEqual({ count: 0, highlights: [], results: [] })
    expect(await find(alice, 'toad', { groupings: { group_by: [{ key: 'room_id' }] } })).toMatchObject({ count: 0, results: [], groups: { room_id: {} } })
  })
})

describe('a filter', () => {
  test('takes rooms and senders in or out, and looks at links', async () => {
    const { alice, bob, roomId } = await talk('frog here')
    const other = await makeRoom(alice)
    await say(alice, other, 'frog there')
    await say(bob, roomId, 'frog of bob', { url: 'mxc://a.example/x' })
    const found = async (filter: object) => textsOf(await find(alice, 'frog', { filter }))
    expect(await found({ rooms: [other] })).toEqual(['frog there'])
    expect(await found({ not_rooms: [other] })).toEqual(['frog of bob', 'frog here'])
    expect(await found({ senders: [bob.userId] })).toEqual(['frog of bob'])
    expect(await found({ not_senders: [bob.userId] })).toEqual(['frog there', 'frog here'])
    expect(await found({ contains_url: true })).toEqual(['frog of bob'])
    expect(await found({ types: ['m.room.name'] })).toEqual([])
    expect(await found({ senders: [] })).toEqual([])
    expect(await found({ rooms: [] })).toEqual([])
  })
})

describe('nobody finds', () => {
  test('what is said in rooms that they are not in', async () => {
    const { register } = await talk('secret')
    expect(await find(await register('mallory'), 'secret')).toMatchObject({ count: 0, results: [] })
  })

  test('what came before or after they could see it', async () => {
    const { alice, bob, roomId } = await talk('secret before')
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' })
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await say(alice, roomId, 'secret after')
    expect(textsOf(await find(bob, 'secret'))).toEqual(['secret before'])
    await bringIn(alice, roomId, bob)
    await say(alice, roomId, 'secret again')
    expect(textsOf(await find(bob, 'secret'))).toEqual(['secret again', 'secret before'])
  })

  test('what was redacted, before or after it was indexed', async () => {
    const { alice, server, roomId, ids } = await talk('secret one')
    expect((await find(alice, 'secret')).count).toBe(1)
    await redact(alice, roomId, ids[0] ?? '$')
    const two = await say(alice, roomId, 'secret two')
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(two)}/s2`), {})
    expect((await find(alice, 'secret')).count).toBe(0)
    expect(server.store.db.query('SELECT count(*) AS total FROM search.words').get()).toEqual({ total: 0 })
  })

  test('what ignored users say', async () => {
    const { alice, bob, roomId } = await talk('frog')
    await say(bob, roomId, 'frog of bob')
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.ignored_user_list`, { ignored_users: { [bob.userId]: {} } })
    expect(textsOf(await find(alice, 'frog'))).toEqual(['frog'])
  })

  test('what is said in encrypted rooms', async () => {
    const { alice, roomId } = await talk()
    await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })
    await say(alice, roomId, 'frog')
    await setState(alice, roomId, 'm.room.name', { name: 'frog' })
    expect((await find(alice, 'frog')).count).toBe(0)
  })

  test('what is in rooms that they have forgotten', async () => {
    const { bob, roomId } = await talk('frog')
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await done(bob, 'POST', inRoom(roomId, '/forget'), {})
    expect((await find(bob, 'frog')).count).toBe(0)
  })
})

describe('results', () => {
  test('come with what was said around them, and who said it', async () => {
    const { alice, bob, roomId } = await talk('one', 'two', 'frog', 'four', 'five')
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'Bob' })
    await say(bob, roomId, 'six')
    const found = await find(alice, 'frog', { event_context: { before_limit: 1, after_limit: 4, include_profile: true } })
    const context = found.results[0]?.context
    expect(bodiesOf(context?.events_before)).toEqual(['two'])
    expect(bodiesOf(context?.events_after)).toEqual(['four', 'five', 'm.room.member', 'six'])
    expect(context?.profile_info).toEqual({ [alice.userId]: {}, [bob.userId]: { displayname: 'Bob' } })
    expect(bodiesOf((await done(alice, 'GET', inRoom(roomId, `/messages?dir=b&limit=1&from=${context?.start}`))).chunk)).toEqual(['one'])
  })

  test('have five events around them where no number is named, and few even where a great one is', async () => {
    const { alice } = await talk('1', '2', '3', '4', '5', '6', 'frog', '8', '9', '10', '11', '12', '13')
    const around = async (context: object) => {
      const { events_before: before, events_after: after } = (await find(alice, 'frog', { event_context: context })).results[0]?.context ?? {}
      return [before?.length, after?.length]
    }
    expect(await around({})).toEqual([5, 5])
    expect((await around({ before_limit: 1_000_000, after_limit: 0 }))[1]).toBe(0)
    expect((await around({ before_limit: 1_000_000, after_limit: 0 }))[0]).toBeLessThanOrEqual(50)
  })

  test('come with the state of their rooms', async () => {
    const { alice, roomId } = await talk('frog')
    await makeRoom(alice)
    const found = await find(alice, 'frog', { include_state: true })
    expect(Object.keys(found.state ?? {})).toEqual([roomId])
    expect(found.state?.[roomId]?.map(({ type }) => type)).toContain('m.room.create')
  })

  test('are grouped by room and sender, each group with a token of its own', async () => {
    const { alice, bob, roomId } = await talk('frog 1', 'frog 2')
    const other = await makeRoom(alice)
    await say(alice, other, 'frog 3')
    await say(bob, roomId, 'frog 4')
    const criteria = { filter: { limit: 2 }, groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] } }
    const found = await find(alice, 'frog', criteria)
    expect(textsOf(found)).toEqual(['frog 4', 'frog 3'])
    expect(found.groups).toMatchObject({
      room_id: { [roomId]: { order: 1, results: [found.results[0]?.result.event_id] }, [other]: { order: 2 } },
      sender: { [bob.userId]: { order: 1 }, [alice.userId]: { order: 2 } },
    })
    expect(found.groups?.room_id?.[other]).not.toHaveProperty('next_batch')
    expect(textsOf(await find(alice, 'frog', criteria, found.groups?.room_id?.[roomId]?.next_batch))).toEqual(['frog 2', 'frog 1'])
    expect(textsOf(await find(alice, 'frog', criteria, found.groups?.sender?.[alice.userId]?.next_batch))).toEqual(['frog 2', 'frog 1'])
  })

  test('are bundled with their edits', async () => {
    const { alice, roomId, ids } = await talk('frog')
    await say(alice, roomId, '* toad', { 'm.new_content': { body: 'toad' }, 'm.relates_to': { rel_type: 'm.replace', event_id: ids[0] } })
    expect((await find(alice, 'frog')).results[0]?.result.unsigned['m.relations']).toMatchObject({ 'm.replace': { content: { body: '* toad' } } })
  })
})

describe('requests', () => {
  test.each([
    ['no category', {}, 'M_MISSING_PARAM'],
    ['no term', { search_categories: { room_events: {} } }, 'M_MISSING_PARAM'],
    ['an order that does not exist', { search_categories: { room_events: { search_term: 'x', order_by: 'best' } } }, 'M_BAD_JSON'],
    ['a filter of the wrong shape', { search_categories: { room_events: { search_term: 'x', filter: { types: 1 } } } }, 'M_BAD_JSON'],
    ['a negative limit of context', { search_categories: { room_events: { search_term: 'x', event_context: { before_limit: -1 } } } }, 'M_BAD_JSON'],
  ])('with %s are refused', async (_says, body, errcode) => {
    const { alice } = await house()
    expect(await alice.answer('POST', '/v3/search', body)).toMatchObject({ status: 400, body: { errcode } })
  })

  test('with a token of nobody are refused', async () => {
    const { alice } = await house()
    const body = { search_categories: { room_events: { search_term: 'x' } } }
    for (const token of ['nonsense', btoa('[1]'), btoa('["a",2]')])
      expect(await alice.answer('POST', `/v3/search?next_batch=${token}`, body)).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('for a category that does not exist find nothing', async () => {
    const { alice } = await house()
    expect(await done(alice, 'POST', '/v3/search', { search_categories: {} })).toEqual({ search_categories: {} })
  })

  test('are refused where the admin does not want them', async () => {
    const { alice } = await house({ enable_search: false })
    expect(await alice.answer('POST', '/v3/search', { search_categories: { room_events: { search_term: 'x' } } })).toMatchObject({
      status: 403, body: { errcode: 'M_FORBIDDEN' },
    })
  })
})

test('a room that was upgraded is searched with those it came from', async () => {
  const { alice, roomId } = await talk('frog of old')
  const next = await makeRoom(alice, { creation_content: { predecessor: { room_id: roomId, event_id: '$last' } } })
  await say(alice, next, 'frog of new')
  expect(textsOf(await find(alice, 'frog', { filter: { rooms: [next] } }))).toEqual(['frog of new', 'frog of old'])
})
