import { describe, expect, test } from 'bun:test'
import { type Clock, systemClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'
import { hasAnnotation } from '#store/relations.ts'

let transactions = 0
const sendEvent = (caller: Caller, roomId: RoomId, type: string, content: object) =>
  caller.answer('PUT', inRoom(roomId, `/send/${type}/r${++transactions}`), content)
const relates = (relType: string, eventId: EventId, more: object = {}) => ({ 'm.relates_to': { rel_type: relType, event_id: eventId, ...more } })

async function relate(caller: Caller, roomId: RoomId, relType: string, eventId: EventId, more: object = {}): Promise<EventId> {
  return say(caller, roomId, `${relType} by ${caller.userId.slice(1, 4)}`, { ...relates(relType, eventId), ...more })
}
async function react(caller: Caller, roomId: RoomId, eventId: EventId, key: string): Promise<EventId> {
  const { status, body } = await sendEvent(caller, roomId, 'm.reaction', relates('m.annotation', eventId, { key }))
  expect(status).toBe(200)
  return body.event_id as EventId
}
const edit = (caller: Caller, roomId: RoomId, eventId: EventId, text: string): Promise<EventId> =>
  say(caller, roomId, `* ${text}`, { ...relates('m.replace', eventId), 'm.new_content': { msgtype: 'm.text', body: text } })
const redact = (caller: Caller, roomId: RoomId, eventId: EventId, body: object = {}) =>
  done(caller, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/r${++transactions}`), body)
const ignore = (caller: Caller, ...users: readonly Caller[]) =>
  done(caller, 'PUT', `/v3/user/${caller.userId}/account_data/m.ignored_user_list`, {
    ignored_users: Object.fromEntries(users.map(({ userId }) => [userId, {}])),
  })

/** A clock that shows a later time whenever it is looked at: of two edits one is the newer. */
function busyClock(): Clock {
  let now = systemClock.now()
  return { ...systemClock, now: () => ++now }
}

/** A room of alice and bob, and a message of alice's in it. */
async function conversation() {
  const world = await house({}, { clock: busyClock() })
  const { alice, bob } = world
  const roomId = await makeRoom(alice)
  await bringIn(alice, roomId, bob)
  const root = await say(alice, roomId, 'root')
  const path = (rest: string, eventId = root): string => `/v1/rooms/${encodeURIComponent(roomId)}/relations/${encodeURIComponent(eventId)}${rest}`
  const eventOf = async (caller: Caller, eventId = root): Promise<ShownEvent> =>
    (await done(caller, 'GET', inRoom(roomId, `/event/${encodeURIComponent(eventId)}`))) as ShownEvent
  const bundle = async (caller: Caller, eventId = root) => (await eventOf(caller, eventId)).unsigned['m.relations'] as Record<string, Record<string, unknown>> | undefined
  return { ...world, roomId, root, path, eventOf, bundle }
}

const idsOf = (body: Record<string, unknown>): string[] => (body.chunk as ShownEvent[]).map(({ event_id: eventId }) => eventId)

describe('what relates to an event', () => {
  test('is listed newest first, by relation type and by event type', async () => {
    const { alice, bob, roomId, root, path } = await conversation()
    const reply = await relate(bob, roomId, 'm.thread', root)
    const reaction = await react(bob, roomId, root, '👍')
    const reference = await relate(alice, roomId, 'm.reference', root)
    await say(alice, roomId, 'unrelated')
    expect(idsOf(await done(alice, 'GET', path('')))).toEqual([reference, reaction, reply])
    expect(idsOf(await done(alice, 'GET', path('?dir=f')))).toEqual([reply, reaction, reference])
    expect(idsOf(await done(alice, 'GET', path('/m.annotation')))).toEqual([reaction])
    expect(idsOf(await done(alice, 'GET', path('/m.annotation/m.room.message')))).toEqual([])
    expect(idsOf(await done(alice, 'GET', path('/m.thread/m.room.message')))).toEqual([reply])
    expect(idsOf(await done(alice, 'GET', path('/org.example.none')))).toEqual([])
  })

  test.each(['b', 'f'])('is paged in direction %s, each event once, without a token after the last', async (dir) => {
    const { alice, roomId, root, path } = await conversation()
    const ids: EventId[] = []
    for (let count = 0; count < 5; count++) ids.push(await relate(alice, roomId, 'm.reference', root))
    const seen: string[] = []
    let from = ''
    for (let pages = 0; pages < 3; pages++) {
      const body = await done(alice, 'GET', path(`?limit=2&dir=${dir}${from}`))
      seen.push(...idsOf(body))
      expect('prev_batch' in body).toBe(from !== '')
      if (body.next_batch === undefined) break
      from = `&from=${String(body.next_batch)}`
    }
    expect(seen).toEqual(dir === 'f' ? ids : ids.toReversed())
  })

  test('starts at a token of /sync and stops at one', async () => {
    const { alice, roomId, root, path } = await conversation()
    const before = await relate(alice, roomId, 'm.reference', root)
    const { next_batch: token } = await done(alice, 'GET', '/v3/sync')
    const later = await relate(alice, roomId, 'm.reference', root)
    expect(idsOf(await done(alice, 'GET', path(`?from=${String(token)}`)))).toEqual([before])
    expect(idsOf(await done(alice, 'GET', path(`?to=${String(token)}`)))).toEqual([later])
  })

  test('is followed further with recurse, three relations deep', async () => {
    const { alice, bob, roomId, root, path } = await conversation()
    const reply = await relate(bob, roomId, 'm.thread', root)
    const edited = await edit(bob, roomId, reply, 'better')
    const reaction = await react(alice, roomId, edited, '👍')
    const onRoot = await react(alice, roomId, root, '🎉')
    const onThat = await relate(alice, roomId, 'm.reference', onRoot)
    const all = await done(alice, 'GET', path('?recurse=true'))
    expect(idsOf(all)).toEqual([onThat, onRoot, reaction, edited, reply])
    expect(all.recursion_depth).toBe(3)
    expect(idsOf(await done(alice, 'GET', path('/m.annotation?recurse=true')))).toEqual([onRoot, reaction])
    expect(idsOf(await done(alice, 'GET', path('?org.matrix.msc3981.recurse=true&limit=2')))).toEqual([onThat, onRoot])
    const direct = await done(alice, 'GET', path(''))
    expect([idsOf(direct), direct.recursion_depth]).toEqual([[onRoot, reply], undefined])
    expect(idsOf(await done(alice, 'GET', path('?recurse=true', reply)))).toEqual([reaction, edited])
  })

  test('is without what was redacted and without what ignored users said', async () => {
    const { alice, bob, roomId, root, path } = await conversation()
    const kept = await relate(alice, roomId, 'm.reference', root)
    await redact(bob, roomId, await relate(bob, roomId, 'm.reference', root))
    await relate(bob, roomId, 'm.reference', root)
    expect(idsOf(await done(alice, 'GET', path('')))).toHaveLength(2)
    await ignore(alice, bob)
    expect(idsOf(await done(alice, 'GET', path('')))).toEqual([kept])
  })

  test('is 404 for what is not there, and for those who may not see the event', async () => {
    const { alice, register, path } = await conversation()
    const mallory = await register('mallory')
    expect(await alice.answer('GET', path('', '$none'))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await mallory.answer('GET', path(''))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await alice.answer('GET', path('?from=nonsense'))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
    expect(await alice.answer('GET', path('?dir=up'))).toMatchObject({ status: 400 })
  })

  test('has the parent with it on the path that bots still use', async () => {
    const { alice, roomId, root } = await conversation()
    const reference = await relate(alice, roomId, 'm.reference', root)
    const body = await done(alice, 'GET', `/unstable/rooms/${encodeURIComponent(roomId)}/relations/${encodeURIComponent(root)}/m.reference`)
    expect(idsOf(body)).toEqual([reference])
    expect(body.original_event).toMatchObject({ event_id: root, unsigned: { 'm.relations': { 'm.reference': { chunk: [{ event_id: reference }] } } } })
  })

  test('does not reach into another room', async () => {
    const { alice, root, path } = await conversation()
    const other = await makeRoom(alice)
    expect(await sendEvent(alice, other, 'm.room.message', { body: 'x', ...relates('m.reference', root) })).toMatchObject({ status: 400, body: { errcode: 'M_UNKNOWN' } })
    await setState(alice, other, 'org.example.state', relates('m.reference', root))
    expect(idsOf(await done(alice, 'GET', path('')))).toEqual([])
  })
})

describe('edits', () => {
  test('G-79: the newest is bundled whole, and the original keeps its content', async () => {
    const { alice, bob, roomId, root, bundle, eventOf } = await conversation()
    await edit(alice, roomId, root, 'first')
    const newest = await edit(alice, roomId, root, 'second')
    const shown = await eventOf(bob)
    expect(shown.content.body).toBe('root')
    expect(await bundle(bob)).toEqual({
      'm.replace': {
        content: { msgtype: 'm.text', body: '* second', ...relates('m.replace', root), 'm.new_content': { msgtype: 'm.text', body: 'second' } },
        event_id: newest,
        origin_server_ts: expect.any(Number),
        room_id: roomId,
        sender: alice.userId,
        type: 'm.room.message',
        unsigned: { age: expect.any(Number), membership: 'join' },
      },
    })
  })

  test('G-79: of someone else, of another type, without new content or of an edit do not count', async () => {
    const { alice, bob, roomId, root, bundle } = await conversation()
    await edit(bob, roomId, root, 'forged')
    await sendEvent(alice, roomId, 'm.sticker', { ...relates('m.replace', root), 'm.new_content': { body: 'x' } })
    const hollow = await relate(alice, roomId, 'm.replace', root)
    await edit(alice, roomId, hollow, 'edit of an edit')
    expect(await bundle(alice)).toBeUndefined()
    expect(await bundle(alice, hollow)).toBeUndefined()
  })

  test('that are redacted give way to the one before, and none shows once the original is redacted', async () => {
    const { alice, roomId, root, bundle } = await conversation()
    const first = await edit(alice, roomId, root, 'first')
    const second = await edit(alice, roomId, root, 'second')
    await redact(alice, roomId, second)
    expect(await bundle(alice)).toMatchObject({ 'm.replace': { event_id: first } })
    await redact(alice, roomId, root)
    expect(await bundle(alice)).toBeUndefined()
  })

  test('tell a transaction id to the device that sent them and to no other', async () => {
    const { alice, login, roomId, root, bundle } = await conversation()
    await edit(alice, roomId, root, 'better')
    const tablet = await login(alice.userId, 'TABLET')
    expect((await bundle(alice))?.['m.replace']?.unsigned).toHaveProperty('transaction_id')
    expect((await bundle(tablet))?.['m.replace']?.unsigned).not.toHaveProperty('transaction_id')
  })
})

describe('threads', () => {
  test('are bundled with their count, the latest event with its own bundle, and whether the reader took part', async () => {
    const { alice, bob, register, roomId, root, bundle } = await conversation()
    const carol = await register('carol')
    await bringIn(alice, roomId, carol)
    await relate(bob, roomId, 'm.thread', root)
    const latest = await relate(bob, roomId, 'm.thread', root)
    const edited = await edit(bob, roomId, latest, 'better')
    const thread = { count: 2, latest_event: { event_id: latest, room_id: roomId, unsigned: { 'm.relations': { 'm.replace': { event_id: edited } } } } }
    expect(await bundle(alice)).toMatchObject({ 'm.thread': { ...thread, current_user_participated: true } })
    expect(await bundle(bob)).toMatchObject({ 'm.thread': { ...thread, current_user_participated: true } })
    expect(await bundle(carol)).toMatchObject({ 'm.thread': { ...thread, current_user_participated: false } })
  })

  test('G-79: leave out ignored users, from the count and as the latest', async () => {
    const { alice, bob, register, roomId, root, bundle } = await conversation()
    const carol = await register('carol')
    await bringIn(alice, roomId, carol)
    const kept = await relate(carol, roomId, 'm.thread', root)
    await relate(bob, roomId, 'm.thread', root)
    await ignore(alice, bob)
    expect(await bundle(alice)).toMatchObject({ 'm.thread': { count: 1, latest_event: { event_id: kept } } })
    await ignore(alice, bob, carol)
    expect(await bundle(alice)).toBeUndefined()
  })

  test('shrink when one of their events is redacted, and stay when their root is', async () => {
    const { alice, bob, roomId, root, bundle } = await conversation()
    const first = await relate(bob, roomId, 'm.thread', root)
    const second = await relate(bob, roomId, 'm.thread', root)
    await redact(bob, roomId, second)
    expect(await bundle(alice)).toMatchObject({ 'm.thread': { count: 1, latest_event: { event_id: first } } })
    await redact(alice, roomId, root)
    expect(await bundle(alice)).toMatchObject({ 'm.thread': { count: 1 } })
    await redact(bob, roomId, first)
    expect(await bundle(alice)).toBeUndefined()
  })

  test('tell those who have left nothing of what came later', async () => {
    const { alice, bob, roomId, root, bundle } = await conversation()
    const before = await relate(alice, roomId, 'm.thread', root)
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    await relate(alice, roomId, 'm.thread', root)
    await edit(alice, roomId, root, 'secret')
    await relate(alice, roomId, 'm.reference', root)
    expect(await bundle(bob)).toEqual({ 'm.thread': expect.objectContaining({ count: 1 }) as never })
    expect(await bundle(bob)).toMatchObject({ 'm.thread': { latest_event: { event_id: before } } })
  })
})

describe('references', () => {
  test('are bundled as a list of ids, oldest first, without those of ignored users', async () => {
    const { alice, bob, roomId, root, bundle } = await conversation()
    const ids = [await relate(alice, roomId, 'm.reference', root), await relate(bob, roomId, 'm.reference', root)]
    expect(await bundle(alice)).toEqual({ 'm.reference': { chunk: ids.map((eventId) => ({ event_id: eventId })) } })
    await ignore(alice, bob)
    expect(await bundle(alice)).toEqual({ 'm.reference': { chunk: [{ event_id: ids[0] }] } })
  })

  test('to state and annotations are not bundled', async () => {
    const { alice, roomId, root, bundle } = await conversation()
    await react(alice, roomId, root, '👍')
    expect(await bundle(alice)).toBeUndefined()
    const state = await setState(alice, roomId, 'org.example.beacon', { live: true })
    await relate(alice, roomId, 'm.reference', state)
    expect(await bundle(alice, state)).toBeUndefined()
  })
})

describe('bundles are on', () => {
  const bundled = (events: unknown, root: EventId): unknown =>
    (events as ShownEvent[]).find(({ event_id: eventId }) => eventId === root)?.unsigned['m.relations']
  const shown = { 'm.replace': expect.objectContaining({ type: 'm.room.message' }) as never }

  test('messages, context, relations', async () => {
    const { alice, roomId, root, path } = await conversation()
    const child = await relate(alice, roomId, 'm.reference', root)
    await edit(alice, roomId, root, 'better')
    await edit(alice, roomId, child, 'better')
    expect(bundled((await done(alice, 'GET', inRoom(roomId, '/messages?dir=b'))).chunk, root)).toMatchObject(shown)
    const context = await done(alice, 'GET', inRoom(roomId, `/context/${encodeURIComponent(child)}`))
    expect(bundled([context.event], child as EventId)).toMatchObject(shown)
    expect(bundled(context.events_before, root)).toMatchObject(shown)
    expect(bundled((await done(alice, 'GET', path('/m.reference'))).chunk, child)).toMatchObject(shown)
  })

  test('a timeline that has a gap in front of it, and no other', async () => {
    const { alice, roomId, root } = await conversation()
    await edit(alice, roomId, root, 'better')
    const timelineOf = (body: Record<string, unknown>) =>
      (body.rooms as { join: Record<string, { timeline: { events: unknown; limited: boolean } }> }).join[roomId]?.timeline
    const filter = (limit: number) => encodeURIComponent(JSON.stringify({ room: { timeline: { limit } } }))
    const limited = timelineOf(await done(alice, 'GET', `/v3/sync?filter=${filter(3)}`))
    expect([limited?.limited, bundled(limited?.events, root)]).toMatchObject([true, shown])
    const whole = timelineOf(await done(alice, 'GET', `/v3/sync?filter=${filter(50)}`))
    expect([whole?.limited, bundled(whole?.events, root)]).toEqual([false, undefined])
  })
})

describe('a filter for events that others relate to', () => {
  /** A root with a thread by bob, another message with a reaction by alice, and a room name with a thread by bob. */
  async function related() {
    const { alice, bob, roomId, root, ...world } = await conversation()
    const name = await setState(alice, roomId, 'm.room.name', { name: 'Den' })
    const other = await say(bob, roomId, 'other root')
    await relate(bob, roomId, 'm.thread', root)
    await react(alice, roomId, other, '👍')
    await relate(bob, roomId, 'm.thread', name)
    await say(alice, roomId, 'last')
    return { ...world, alice, bob, roomId, root, other, name }
  }
  type World = Awaited<ReturnType<typeof related>>
  type Section = Readonly<{ events: readonly ShownEvent[] }>

  const written = (filter: object): string => encodeURIComponent(JSON.stringify(filter))
  const idsIn = (events: unknown): string[] => (events as ShownEvent[]).map(({ event_id: id }) => id).toSorted()
  const syncOf = async ({ alice, roomId }: World, filter: object): Promise<Record<'timeline' | 'state', Section>> => {
    const { rooms } = await done(alice, 'GET', `/v3/sync?filter=${written({ room: filter })}`)
    return (rooms as { join: Record<string, Record<'timeline' | 'state', Section>> }).join[roomId] as never
  }
  const places: Readonly<Record<string, (world: World, filter: object) => Promise<unknown>>> = {
    '/messages': async ({ alice, roomId }, filter) =>
      (await done(alice, 'GET', inRoom(roomId, `/messages?dir=b&limit=50&filter=${written(filter)}`))).chunk,
    'the events of /context': async ({ alice, roomId, other }, filter) => {
      const body = await done(alice, 'GET', inRoom(roomId, `/context/${encodeURIComponent(other)}?limit=50&filter=${written(filter)}`))
      return [...(body.events_before as object[]), body.event, ...(body.events_after as object[])]
    },
    'the timeline of /sync': async (world, filter) => (await syncOf(world, { timeline: { limit: 50, ...filter } })).timeline.events,
  }

  test.each(Object.entries(places))('is kept by %s', async (place, read) => {
    const world = await related()
    const { alice, root, name, other } = world
    // The event in the middle of a context is shown whatever the filter says.
    const always = place.includes('context') ? [other] : []
    const sorted = (...ids: string[]) => [...new Set([...ids, ...always])].toSorted()
    expect(idsIn(await read(world, { related_by_rel_types: ['m.thread'] }))).toEqual(sorted(root, name))
    expect(idsIn(await read(world, { related_by_rel_types: ['m.thread'], types: ['m.room.message'] }))).toEqual(sorted(root))
    expect(idsIn(await read(world, { related_by_senders: [alice.userId] }))).toEqual(sorted(other))
    expect(idsIn(await read(world, { related_by_senders: [alice.userId], related_by_rel_types: ['m.thread'] }))).toEqual(sorted())
  })

  test('is kept by /search', async () => {
    const { alice, other, ...world } = await related()
    const search = async (filter: object) => {
      const { search_categories: found } = await done(alice, 'POST', '/v3/search', {
        search_categories: { room_events: { search_term: 'root', filter } },
      })
      return (found as { room_events: { results: { result: ShownEvent }[] } }).room_events.results.map(({ result }) => result.event_id).toSorted()
    }
    expect(await search({})).toEqual([world.root, other].toSorted())
    expect(await search({ related_by_rel_types: ['m.thread'] })).toEqual([world.root])
    expect(await search({ related_by_senders: [alice.userId] })).toEqual([other])
  })

  test('is kept for state, in /sync and in /context', async () => {
    const world = await related()
    const { alice, roomId, root, other, name } = world
    const filter = { related_by_rel_types: ['m.thread'] }
    const { state } = await syncOf(world, { state: filter, timeline: { limit: 1 } })
    expect(idsIn(state.events)).toEqual([name])
    const context = await done(alice, 'GET', inRoom(roomId, `/context/${encodeURIComponent(other)}?filter=${written(filter)}`))
    expect(idsIn(context.state)).toEqual([name])
    expect(idsIn(context.events_before)).toEqual([root, name].toSorted())
  })

  test('no longer counts a relation that is redacted', async () => {
    const world = await related()
    const reaction = await react(world.bob, world.roomId, world.root, '🎉')
    const read = (filter: object) => places['/messages']?.(world, filter)
    const filter = { related_by_senders: [world.bob.userId], related_by_rel_types: ['m.annotation'] }
    expect(idsIn(await read(filter))).toEqual([world.root])
    await redact(world.bob, world.roomId, reaction)
    expect(idsIn(await read(filter))).toEqual([])
  })
})

describe('sending', () => {
  test('refuses an annotation that the same user has made before, until it is redacted', async () => {
    const { alice, bob, server, roomId, root } = await conversation()
    const reaction = await react(alice, roomId, root, '👍')
    const annotation = { eventId: root, userId: alice.userId, type: 'm.reaction', key: '👍' }
    expect(hasAnnotation(server.store, annotation)).toBe(true)
    expect(hasAnnotation(server.store, { ...annotation, key: '👎' })).toBe(false)
    expect(await sendEvent(alice, roomId, 'm.reaction', relates('m.annotation', root, { key: '👍' }))).toMatchObject({
      status: 400, body: { errcode: 'M_DUPLICATE_ANNOTATION' },
    })
    await react(bob, roomId, root, '👍')
    await redact(alice, roomId, reaction)
    expect(hasAnnotation(server.store, annotation)).toBe(false)
    await react(alice, roomId, root, '👍')
  })

  test('refuses a thread on an event that relates to another', async () => {
    const { alice, roomId, root } = await conversation()
    const reply = await relate(alice, roomId, 'm.thread', root)
    expect(await sendEvent(alice, roomId, 'm.room.message', { body: 'x', ...relates('m.thread', reply) })).toMatchObject({
      status: 400, body: { errcode: 'M_UNKNOWN' },
    })
  })
})

describe('a redaction with relations', () => {
  test.each(['with_rel_types', 'with_relations', 'org.matrix.msc3912.with_relations'])('takes the named types along (%s)', async (name) => {
    const { alice, bob, roomId, root, path } = await conversation()
    const thread = await relate(bob, roomId, 'm.thread', root)
    await edit(alice, roomId, root, 'better')
    await react(bob, roomId, root, '👍')
    await redact(alice, roomId, root, { reason: 'gone', [name]: ['m.replace', 'm.annotation'] })
    expect(idsOf(await done(alice, 'GET', path('')))).toEqual([thread])
  })

  test('takes all along with *, but leaves what the user may not redact', async () => {
    const { alice, bob, roomId, root, path } = await conversation()
    const own = await say(bob, roomId, 'of bob')
    const kept = await relate(alice, roomId, 'm.reference', own)
    await relate(bob, roomId, 'm.reference', own)
    await redact(bob, roomId, own, { with_relations: ['*'] })
    expect(idsOf(await done(alice, 'GET', path('', own)))).toEqual([kept])
    await relate(bob, roomId, 'm.thread', root)
    await redact(alice, roomId, root, { with_relations: ['*'] })
    expect(idsOf(await done(alice, 'GET', path('')))).toEqual([])
  })
})
