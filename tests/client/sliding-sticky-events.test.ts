import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say, type ShownEvent } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

const SLIDING = '/unstable/org.matrix.simplified_msc3575/sync'
const KEY = 'org.matrix.msc4354.sticky_events'

type Sticky = Readonly<{ next_batch: string; rooms: Record<string, { events: ShownEvent[] }> }>

async function slide(who: Caller, extension: object = {}, query: Record<string, string> = {}): Promise<Sticky & { pos: string }> {
  const body = { lists: { all: { ranges: [[0, 19]], timeline_limit: 1 } }, extensions: { [KEY]: { enabled: true, ...extension } } }
  const { pos, extensions } = await done(who, 'POST', `${SLIDING}?${new URLSearchParams(query)}`, body)
  return { pos: pos as string, ...(extensions as Record<string, Sticky>)[KEY] as Sticky }
}

let transactions = 0
const stick = (who: Caller, roomId: RoomId, text: string, ms = 60_000) =>
  done(who, 'PUT', inRoom(roomId, `/send/org.example.call/s${++transactions}?org.matrix.msc4354.sticky_duration_ms=${ms}`), { text })
const texts = ({ rooms }: Sticky, roomId: RoomId): unknown[] => (rooms[roomId]?.events ?? []).map(({ content }) => content.text)

describe('sticky events in sliding sync (MSC4354)', () => {
  test('come with a token of their own, once, but for what the timeline shows', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    await stick(alice, roomId, 'one')
    await stick(alice, roomId, 'two')
    const first = await slide(bob)
    expect(texts(first, roomId)).toEqual(['one'])
    await say(alice, roomId, 'words')
    const again = await slide(bob, {}, { pos: first.pos })
    expect(texts(again, roomId)).toEqual(['one', 'two'])
    const later = await slide(bob, { since: again.next_batch }, { pos: again.pos })
    expect(later.rooms).toEqual({})
    await stick(alice, roomId, 'three')
    await say(alice, roomId, 'more words')
    expect(texts(await slide(bob, { since: later.next_batch }, { pos: later.pos }), roomId)).toEqual(['three'])
  })

  test('come in pages, oldest first', async () => {
    const { alice } = await house()
    const rooms = [await makeRoom(alice), await makeRoom(alice)] as const
    for (const [index, text] of ['one', 'two', 'three'].entries()) await stick(alice, rooms[index % 2] ?? rooms[0], text)
    for (const roomId of rooms) await say(alice, roomId, 'words')
    const first = await slide(alice, { limit: 2 })
    expect([texts(first, rooms[0]), texts(first, rooms[1])]).toEqual([['one'], ['two']])
    const second = await slide(alice, { limit: 2, since: first.next_batch }, { pos: first.pos })
    expect([texts(second, rooms[0]), texts(second, rooms[1])]).toEqual([['three'], []])
  })

  test('do not come when they have expired, nor of those who are ignored or rooms that were left', async () => {
    const clock = manualClock()
    const { alice, bob } = await house({}, { clock })
    const [short, ignored, left] = [await makeRoom(alice), await makeRoom(alice), await makeRoom(bob)]
    await bringIn(alice, ignored, bob)
    await bringIn(bob, left, alice)
    await stick(alice, short, 'short', 1_000)
    await stick(bob, ignored, 'ignored')
    await stick(bob, left, 'left')
    for (const roomId of [short, ignored]) await say(alice, roomId, 'words')
    await done(alice, 'POST', inRoom(left, '/leave'), {})
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.ignored_user_list`, { ignored_users: { [bob.userId]: {} } })
    clock.advance(2_000)
    expect((await slide(alice)).rooms).toEqual({})
  })

  test('wake who waits only when there are any', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob)
    const first = await slide(bob)
    const quiet = await slide(bob, { since: first.next_batch }, { pos: first.pos, timeout: '50' })
    expect(quiet.rooms).toEqual({})
    const waiting = slide(bob, { since: quiet.next_batch }, { pos: quiet.pos, timeout: '10000' })
    await stick(alice, roomId, 'one')
    expect((await waiting).rooms).toEqual({})
  })

  test('refuse a token that is none of this server', async () => {
    const { alice } = await house()
    const { status, body } = await alice.answer('POST', SLIDING, { extensions: { [KEY]: { enabled: true, since: 'x' } } })
    expect({ status, errcode: body.errcode }).toEqual({ status: 400, errcode: 'M_INVALID_PARAM' })
  })
})
