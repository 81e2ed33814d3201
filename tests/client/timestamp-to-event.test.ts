import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { bringIn, done, makeRoom, say, setState } from '#harness/rooms.ts'
import type { EventId } from '#schema/identifiers.ts'

const HOUR = 3_600_000

/** A message every hour. */
async function diary() {
  const clock = manualClock()
  const world = await house({}, { clock })
  const roomId = await makeRoom(world.alice)
  const start = clock.now()
  const ids: EventId[] = []
  for (let hour = 1; hour <= 3; hour++) {
    clock.advance(HOUR)
    ids.push(await say(world.alice, roomId, `hour ${hour}`))
  }
  const path = (ts: number | string, dir: string, prefix = 'v1'): string => `/${prefix}/rooms/${encodeURIComponent(roomId)}/timestamp_to_event?ts=${ts}&dir=${dir}`
  return { ...world, clock, roomId, start, ids, path }
}

describe('jumping to a date', () => {
  test.each([
    ['f', 1.5, 1], ['b', 1.5, 0], ['f', 2, 1], ['b', 2, 1], ['f', 0.1, 0], ['b', 99, 2],
  ])('in direction %s from hour %d finds message %d', async (dir, hour, index) => {
    const { alice, start, ids, path } = await diary()
    expect(await done(alice, 'GET', path(start + hour * HOUR, dir))).toEqual({ event_id: ids[index], origin_server_ts: start + (index + 1) * HOUR })
  })

  test('works under its older name', async () => {
    const { alice, start, ids, path } = await diary()
    expect(await done(alice, 'GET', path(start + HOUR, 'f', 'unstable/org.matrix.msc3030'))).toMatchObject({ event_id: ids[0] })
  })

  test('finds the event by its time, not by when it came', async () => {
    const { alice, server, roomId, start, ids, path } = await diary()
    const { eventId } = await server.room(roomId).ask(
      { kind: 'sendMessage', userId: alice.userId, eventType: 'm.room.message', content: { body: 'from the past' }, ts: start + 1.5 * HOUR }, 'test')
    expect(await done(alice, 'GET', path(start + 1.2 * HOUR, 'f'))).toMatchObject({ event_id: eventId })
    expect(await done(alice, 'GET', path(start + 1.6 * HOUR, 'f'))).toMatchObject({ event_id: ids[1] })
  })

  test('passes over what the reader may not see', async () => {
    const { alice, bob, clock, roomId, start, path } = await diary()
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' })
    for (let count = 0; count < 30; count++) await say(alice, roomId, 'unseen')
    clock.advance(HOUR)
    await bringIn(alice, roomId, bob)
    const { origin_server_ts: ts } = await done(bob, 'GET', path(start + 3 * HOUR + 1, 'f'))
    expect(ts).toBe(start + 4 * HOUR)
  })

  test('finds nothing beyond the ends, and refuses strangers and nonsense', async () => {
    const { alice, register, start, path } = await diary()
    expect(await alice.answer('GET', path(start - 1, 'b'))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await alice.answer('GET', path(start + 9 * HOUR, 'f'))).toMatchObject({ status: 404 })
    expect(await (await register('mallory')).answer('GET', path(start, 'f'))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await alice.answer('GET', path('noon', 'f'))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
    expect(await alice.answer('GET', path(start, 'x'))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })
})

test('the times of events are found by an index', async () => {
  const { server, roomId } = await diary()
  const plan = server.store.db.query('EXPLAIN QUERY PLAN SELECT * FROM events e WHERE e.room = ? AND e.ts >= ? AND e.position IS NOT NULL ORDER BY e.ts, e.num LIMIT 20')
    .all(server.store.names.find(roomId) ?? 0, 0) as { detail: string }[]
  expect(plan.map(({ detail }) => detail).join()).toMatch(/events_by_ts/)
})
