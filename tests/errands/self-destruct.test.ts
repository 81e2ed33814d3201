import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ManualClock, manualClock } from '#actors/kernel/clock.ts'
import { SELF_DESTRUCT_EVERY_MS, SELF_DESTRUCTS_PER_ROUND } from '#errands/self-destruct.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import { done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

const SELF_DESTRUCT_AFTER = 'org.matrix.self_destruct_after'
const ON = { enable_ephemeral_messages: true }

type Scene = House & Readonly<{ clock: ManualClock; roomId: RoomId }>

async function scene(options: Record<string, unknown> = ON): Promise<Scene> {
  const clock = manualClock()
  const opened = await house(options, { clock })
  return { ...opened, clock, roomId: await makeRoom(opened.alice) }
}

const contentOf = async (who: Caller, roomId: RoomId, eventId: string) =>
  (await done(who, 'GET', inRoom(roomId, `/event/${encodeURIComponent(eventId)}`))).content
async function pass({ clock, server }: Scene, ms: number): Promise<void> {
  clock.advance(ms)
  await server.settled()
}
const waiting = ({ server }: House): number => server.store.db.query<{ total: number }, []>('SELECT count(*) AS total FROM self_destructs').get()?.total ?? -1

describe('a message that ends', () => {
  test('loses its content when its time has come, and not before', async () => {
    const here = await scene()
    const { alice, clock, roomId } = here
    const content = { msgtype: 'm.text', body: 'psst', [SELF_DESTRUCT_AFTER]: clock.now() + 2 * SELF_DESTRUCT_EVERY_MS }
    const eventId = await say(alice, roomId, 'psst', content)
    await pass(here, SELF_DESTRUCT_EVERY_MS)
    expect(await contentOf(alice, roomId, eventId)).toEqual(content)
    await pass(here, SELF_DESTRUCT_EVERY_MS)
    const { chunk } = await done(alice, 'GET', inRoom(roomId, '/messages?dir=b&limit=1'))
    expect(chunk).toMatchObject([{ event_id: eventId, content: {} }])
    expect(await done(alice, 'GET', inRoom(roomId, `/event/${eventId}`))).not.toHaveProperty('unsigned.redacted_because')
    expect(waiting(here)).toBe(0)
  })

  test('is the redacted one where it was redacted before, and nobody keeps what it said', async () => {
    const here = await scene()
    const { alice, clock, roomId, server } = here
    const eventId = await say(alice, roomId, 'psst', { [SELF_DESTRUCT_AFTER]: clock.now() + 1 })
    const { event_id: redaction } = await done(alice, 'PUT', inRoom(roomId, `/redact/${eventId}/r`), {})
    await pass(here, SELF_DESTRUCT_EVERY_MS)
    expect(await done(alice, 'GET', inRoom(roomId, `/event/${eventId}`))).toMatchObject({ content: {}, unsigned: { redacted_because: { event_id: redaction } } })
    expect(server.store.db.query('SELECT count(*) AS kept FROM redacted_originals').get()).toEqual({ kept: 0 })
    expect(waiting(here)).toBe(0)
  })

  test('is never found by its words', async () => {
    const here = await scene()
    const { alice, clock, roomId } = here
    await say(alice, roomId, 'albatross', { [SELF_DESTRUCT_AFTER]: clock.now() + SELF_DESTRUCT_EVERY_MS })
    const staying = await say(alice, roomId, 'another albatross')
    const found = async (): Promise<unknown> =>
      (await done(alice, 'POST', '/v3/search', { search_categories: { room_events: { search_term: 'albatross' } } })).search_categories
    const only = { room_events: { count: 1, results: [{ result: { event_id: staying } }] } }
    expect(await found()).toMatchObject(only)
    await pass(here, SELF_DESTRUCT_EVERY_MS)
    expect(await found()).toMatchObject(only)
  })

  test('counts no longer', async () => {
    const here = await scene()
    const { alice, bob, clock, roomId } = here
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    await say(alice, roomId, 'albatross', { [SELF_DESTRUCT_AFTER]: clock.now() + SELF_DESTRUCT_EVERY_MS })
    const unread = async (): Promise<unknown> => {
      const { rooms } = await done(bob, 'GET', '/v3/sync') as { rooms: { join: Record<string, { unread_notifications: object }> } }
      return rooms.join[roomId]?.unread_notifications
    }
    expect(await unread()).toEqual({ notification_count: 1, highlight_count: 0 })
    await pass(here, SELF_DESTRUCT_EVERY_MS)
    expect(await unread()).toEqual({ notification_count: 0, highlight_count: 0 })
  })

  test('goes on after a restart', async () => {
    const clock = manualClock()
    const path = join(tmpdir(), `self-destruct-${process.pid}.db`)
    const options = { ...ON, database: { name: 'sqlite3', args: { database: path } } }
    const first = await house(options, { clock })
    const roomId = await makeRoom(first.alice)
    const eventId = await say(first.alice, roomId, 'psst', { [SELF_DESTRUCT_AFTER]: clock.now() + SELF_DESTRUCT_EVERY_MS })
    await first.close()
    const second = await house(options, { clock, isNew: false })
    await pass({ ...second, clock, roomId }, SELF_DESTRUCT_EVERY_MS)
    expect(await contentOf(second.alice, roomId, eventId)).toEqual({})
    await second.close()
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
  })

  test('stays while the configuration does not have messages end', async () => {
    const here = await scene({})
    const eventId = await say(here.alice, here.roomId, 'psst', { [SELF_DESTRUCT_AFTER]: 1 })
    await pass(here, SELF_DESTRUCT_EVERY_MS)
    expect(await contentOf(here.alice, here.roomId, eventId)).toMatchObject({ body: 'psst' })
    expect(waiting(here)).toBe(0)
  })
})

test('of more than can end in one round, the others follow', async () => {
  const here = await scene()
  const { alice, clock, roomId } = here
  for (let n = 0; n <= SELF_DESTRUCTS_PER_ROUND; n++) await say(alice, roomId, `m${n}`, { [SELF_DESTRUCT_AFTER]: clock.now() })
  await pass(here, SELF_DESTRUCT_EVERY_MS)
  expect(waiting(here)).toBe(1)
  await pass(here, SELF_DESTRUCT_EVERY_MS)
  expect(waiting(here)).toBe(0)
})
