import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { done, makeRoom, say } from '#harness/rooms.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

const path = (roomId: string, root: string): string =>
  `/unstable/io.element.msc4306/rooms/${encodeURIComponent(roomId)}/thread/${encodeURIComponent(root)}/subscription`
const listed = (who: Caller, query: Record<string, string> = {}) =>
  done(who, 'GET', `/unstable/io.element.msc4308/thread_subscriptions?${new URLSearchParams({ dir: 'b', ...query })}`)

describe('a thread', () => {
  test('is subscribed to and left, any number of times', async () => {
    const roomId = await makeRoom(here.alice)
    const root = await say(here.alice, roomId, 'root')
    expect(await here.alice.answer('GET', path(roomId, root))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    for (let time = 0; time < 2; time++) await done(here.alice, 'PUT', path(roomId, root), {})
    expect(await done(here.alice, 'GET', path(roomId, root))).toEqual({ automatic: false })
    for (let time = 0; time < 2; time++) await done(here.alice, 'DELETE', path(roomId, root))
    expect((await here.alice.answer('GET', path(roomId, root))).status).toBe(404)
  })

  test('is subscribed to automatically by an event that is in it, unless that is older than the leaving', async () => {
    const roomId = await makeRoom(here.alice)
    const root = await say(here.alice, roomId, 'root')
    const inside = await say(here.alice, roomId, 'inside', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
    const outside = await say(here.alice, roomId, 'outside')
    expect((await here.alice.answer('PUT', path(roomId, root), { automatic: outside })).body.errcode).toBe('IO.ELEMENT.MSC4306.M_NOT_IN_THREAD')
    await done(here.alice, 'PUT', path(roomId, root), { automatic: inside })
    expect(await done(here.alice, 'GET', path(roomId, root))).toEqual({ automatic: true })
    await done(here.alice, 'DELETE', path(roomId, root))
    expect(await here.alice.answer('PUT', path(roomId, root), { automatic: inside }))
      .toMatchObject({ status: 409, body: { errcode: 'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION' } })
  })

  test('in a room of others is not there', async () => {
    const roomId = await makeRoom(here.alice)
    const root = await say(here.alice, roomId, 'root')
    for (const [method, body] of [['GET', undefined], ['PUT', {}], ['DELETE', undefined]] as const)
      expect(await here.bob.answer(method, path(roomId, root), body)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  })
})

describe('a listing', () => {
  test('goes back page by page', async () => {
    const alice = await here.register('pages')
    const roomId = await makeRoom(alice)
    const roots = [await say(alice, roomId, 'a'), await say(alice, roomId, 'b'), await say(alice, roomId, 'c')]
    for (const root of roots) await done(alice, 'PUT', path(roomId, root), {})
    await done(alice, 'DELETE', path(roomId, roots[2] ?? ''))
    const first = await listed(alice, { limit: '2' })
    expect(first).toEqual({
      subscribed: { [roomId]: { [roots[1] ?? '']: { automatic: false, bump_stamp: expect.any(Number) } } },
      unsubscribed: { [roomId]: { [roots[2] ?? '']: { bump_stamp: expect.any(Number) } } },
      end: expect.any(String),
    })
    expect(await listed(alice, { from: first.end as string })).toEqual({
      subscribed: { [roomId]: { [roots[0] ?? '']: { automatic: false, bump_stamp: expect.any(Number) } } },
    })
    expect(await listed(alice, { to: String(here.server.notifier.seen.position) })).toEqual({})
  })

  test.each([
    ['a direction other than back', { dir: 'f' }],
    ['a limit of none', { limit: '0' }],
    ['a token of something else', { from: 'nonsense' }],
  ] as const)('refuses %s', async (_says, query) => {
    const answer = await here.alice.answer('GET', `/unstable/io.element.msc4308/thread_subscriptions?${new URLSearchParams({ dir: 'b', ...query })}`)
    expect(answer).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })
})
