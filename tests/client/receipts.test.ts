import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import { findAccountData } from '#store/account-data.ts'

async function talk() {
  const world = await house()
  const { alice, bob, server } = world
  const roomId = await makeRoom(alice)
  await bringIn(alice, roomId, bob)
  const root = await say(alice, roomId, 'root')
  const reply = await say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const later = await say(alice, roomId, 'later')
  const path = (type: string, eventId: string): string => inRoom(roomId, `/receipt/${type}/${encodeURIComponent(eventId)}`)
  const rows = () => server.store.db.query("SELECT type, thread, event FROM receipts ORDER BY type, thread").values()
  const num = (eventId: string): number => server.store.db.query<{ num: number }, [string]>('SELECT num FROM events WHERE json LIKE ?').get(`%"body":"${eventId}"%`)?.num ?? -1
  return { ...world, roomId, root, reply, later, path, rows, num }
}

const invalid = (errcode = 'M_INVALID_PARAM') => ({ status: 400, body: { errcode } })

describe('receipts', () => {
  test('are kept by type and thread', async () => {
    const { bob, path, root, reply, later, rows, num } = await talk()
    expect(await done(bob, 'POST', path('m.read', later))).toEqual({})
    await done(bob, 'POST', path('m.read', root), { thread_id: 'main' })
    await done(bob, 'POST', path('m.read.private', reply), { thread_id: root })
    expect(rows()).toEqual([['m.read', '', num('later')], ['m.read', 'main', num('root')], ['m.read.private', root, num('reply')]])
  })

  test('G-90: never move back', async () => {
    const { bob, path, root, later, rows, num } = await talk()
    await done(bob, 'POST', path('m.read', later), {})
    await done(bob, 'POST', path('m.read', root), {})
    expect(rows()).toEqual([['m.read', '', num('later')]])
  })

  test('of type m.fully_read move the marker in the account data', async () => {
    const { bob, path, roomId, root, later, rows, server } = await talk()
    const marker = () => findAccountData(server.store, bob.userId, roomId, 'm.fully_read')
    await done(bob, 'POST', path('m.fully_read', later), {})
    expect(marker()).toEqual({ event_id: later })
    await done(bob, 'POST', path('m.fully_read', root), {})
    expect(marker()).toEqual({ event_id: later })
    expect(rows()).toEqual([])
  })

  test('name a thread that the event is in', async () => {
    const { bob, path, root, reply, later } = await talk()
    expect(await bob.answer('POST', path('m.read', reply), { thread_id: 'main' })).toMatchObject(invalid())
    expect(await bob.answer('POST', path('m.read', later), { thread_id: root })).toMatchObject(invalid())
    await done(bob, 'POST', path('m.read', root), { thread_id: root })
  })

  test.each([['a number', 1], ['empty', ''], ['null', null], ['a word', 'thread']])('refuse a thread_id that is %s', async (_says, threadId) => {
    const { bob, path, root } = await talk()
    expect(await bob.answer('POST', path('m.read', root), { thread_id: threadId })).toMatchObject(invalid())
  })

  test('refuse a thread for m.fully_read, types that do not exist, unknown events and strangers', async () => {
    const { bob, register, path, root } = await talk()
    const carol = await register('carol')
    expect(await bob.answer('POST', path('m.fully_read', root), { thread_id: 'main' })).toMatchObject(invalid())
    expect(await bob.answer('POST', path('m.seen', root), {})).toMatchObject(invalid())
    expect(await bob.answer('POST', path('m.read', 'nonsense'), {})).toMatchObject(invalid())
    expect(await bob.answer('POST', path('m.read', '$none'), {})).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    for (const type of ['m.read', 'm.read.private', 'm.fully_read'])
      expect(await carol.answer('POST', path(type, root), {})).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })
})
