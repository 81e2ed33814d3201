import { describe, expect, test } from 'bun:test'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, type ShownEvent } from '#harness/rooms.ts'
import type { EventId, RoomId } from '#schema/identifiers.ts'

/** A room of alice and bob with three messages of alice's. */
async function conversation() {
  const world = await house()
  const { alice, bob } = world
  const roomId = await makeRoom(alice)
  await bringIn(alice, roomId, bob)
  const roots = [await say(alice, roomId, 'one'), await say(alice, roomId, 'two'), await say(bob, roomId, 'three')] as const
  const path = (query = ''): string => `/v1/rooms/${encodeURIComponent(roomId)}/threads${query}`
  return { ...world, roomId, roots, path }
}

const add = (caller: Caller, roomId: RoomId, root: EventId): Promise<EventId> =>
  say(caller, roomId, 'in the thread', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
const idsOf = (body: Record<string, unknown>): string[] => (body.chunk as ShownEvent[]).map(({ event_id: eventId }) => eventId)

describe('the threads of a room', () => {
  test('are listed by their latest event, newest first, with their bundles', async () => {
    const { alice, bob, roomId, roots: [one, two, three], path } = await conversation()
    await add(bob, roomId, one)
    await add(bob, roomId, three)
    await add(bob, roomId, two)
    const latest = await add(bob, roomId, one)
    const body = await done(alice, 'GET', path())
    expect(idsOf(body)).toEqual([one, two, three])
    expect(body.chunk).toMatchObject([{ unsigned: { 'm.relations': { 'm.thread': { count: 2, latest_event: { event_id: latest } } } } }, {}, {}])
    expect(body).not.toHaveProperty('next_batch')
    expect(idsOf(await done(alice, 'GET', `/unstable/org.matrix.msc3856/rooms/${encodeURIComponent(roomId)}/threads`))).toEqual([one, two, three])
  })

  test('may be those alone that the reader has begun or added to', async () => {
    const { alice, bob, roomId, roots: [one, two, three], path } = await conversation()
    await add(alice, roomId, one)
    await add(bob, roomId, two)
    await add(alice, roomId, three)
    expect(idsOf(await done(bob, 'GET', path('?include=participated')))).toEqual([three, two])
    expect(idsOf(await done(bob, 'GET', path('?include=all')))).toEqual([three, two, one])
  })

  test('come in pages', async () => {
    const { alice, bob, roomId, roots, path } = await conversation()
    for (const root of roots) await add(bob, roomId, root)
    const first = await done(alice, 'GET', path('?limit=2'))
    const second = await done(alice, 'GET', path(`?limit=2&from=${String(first.next_batch)}`))
    expect([...idsOf(first), ...idsOf(second)]).toEqual(roots.toReversed())
    expect(second).not.toHaveProperty('next_batch')
  })

  test('whose root an ignored user has sent show it redacted', async () => {
    const { alice, bob, roomId, roots: [one, , three], path } = await conversation()
    await add(alice, roomId, three)
    await add(alice, roomId, one)
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.ignored_user_list`, { ignored_users: { [bob.userId]: {} } })
    const { chunk } = await done(alice, 'GET', path())
    expect(chunk).toMatchObject([{ event_id: one, content: { body: 'one' } }, { event_id: three, content: {} }])
    expect((chunk as ShownEvent[])[1]?.content).toEqual({})
  })

  test('are hidden where their root is, and none are left when their events are redacted', async () => {
    const { alice, register, roomId, roots: [one], path } = await conversation()
    await done(alice, 'PUT', inRoom(roomId, '/state/m.room.history_visibility/'), { history_visibility: 'joined' })
    const late = await say(alice, roomId, 'late')
    await add(alice, roomId, one)
    const inLate = await add(alice, roomId, late)
    const carol = await register('carol')
    await bringIn(alice, roomId, carol)
    await add(alice, roomId, late)
    expect(idsOf(await done(carol, 'GET', path()))).toEqual([one])
    await done(alice, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(inLate)}/x1`), {})
    expect(idsOf(await done(alice, 'GET', path()))).toEqual([late, one])
  })

  test.each([['?limit=0', 'M_INVALID_PARAM'], ['?limit=-1', 'M_INVALID_PARAM'], ['?from=s5', 'M_INVALID_PARAM'], ['?include=some', 'M_INVALID_PARAM']])(
    'refuse %s', async (query, errcode) => {
      const { alice, path } = await conversation()
      expect(await alice.answer('GET', path(query))).toMatchObject({ status: 400, body: { errcode } })
    })

  test('are for those who may look into the room', async () => {
    const { register, path } = await conversation()
    const mallory = await register('mallory')
    expect(await mallory.answer('GET', path())).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })
})
