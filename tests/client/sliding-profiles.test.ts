import { describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'

const SLIDING = '/unstable/org.matrix.simplified_msc3575/sync'
const KEY = 'org.matrix.msc4262.profiles'

type Profiles = Record<string, { updated?: Record<string, unknown>; removed?: string[] } | null>
type Answer = Readonly<{ pos: string; profiles: Profiles | undefined; rooms: string[] }>

async function slide(who: Caller, body: object, query: Record<string, string> = {}): Promise<Answer> {
  const { pos, rooms, extensions } = await done(who, 'POST', `${SLIDING}?${new URLSearchParams(query)}`, body)
  const extension = (extensions as Record<string, { users: Profiles } | undefined>)[KEY]
  return { pos: pos as string, profiles: extension?.users, rooms: Object.keys(rooms as object) }
}

const asking = (extension: object = {}, members = '$LAZY'): object => ({
  lists: { all: { ranges: [[0, 19]], timeline_limit: 1, required_state: [['m.room.member', members]] } },
  extensions: { [KEY]: { enabled: true, ...extension } },
})
const set = (who: Caller, field: string, value: unknown) => done(who, 'PUT', `/v3/profile/${who.userId}/${field}`, { [field]: value })
const unset = (who: Caller, field: string) => done(who, 'DELETE', `/v3/profile/${who.userId}/${field}`)

/** Alice, and bob and carol in a room of hers; bob spoke last. */
async function den(): Promise<House & { carol: Caller; roomId: `!${string}` }> {
  const here = await house()
  const carol = await here.register('carol', { displayname: 'Carol' })
  await set(here.alice, 'displayname', 'Alice')
  await set(here.bob, 'displayname', 'Bob')
  await set(here.bob, 'm.tz', 'Europe/Berlin')
  const roomId = await makeRoom(here.alice)
  await bringIn(here.alice, roomId, here.bob, carol)
  await say(here.bob, roomId, 'hello')
  return { ...here, carol, roomId }
}

describe('profiles (MSC4262)', () => {
  test('of those who come into sight are whole, with lazy members those who speak, and the own', async () => {
    const { alice, bob, carol, roomId } = await den()
    const first = await slide(alice, asking())
    expect(first.profiles).toEqual({
      [alice.userId]: { updated: { displayname: 'Alice' } },
      [bob.userId]: { updated: { 'displayname': 'Bob', 'm.tz': 'Europe/Berlin' } },
    })
    await say(bob, roomId, 'again')
    const second = await slide(alice, asking(), { pos: first.pos })
    expect(second.profiles).toBeUndefined()
    await say(carol, roomId, 'me too')
    expect((await slide(alice, asking(), { pos: second.pos })).profiles).toEqual({ [carol.userId]: { updated: { displayname: 'Carol' } } })
  })

  test('are those of all members where all are asked for', async () => {
    const { alice, carol } = await den()
    expect(Object.keys((await slide(alice, asking({}, '*'))).profiles ?? {})).toHaveLength(3)
    expect((await slide(alice, asking({}, carol.userId))).profiles).toMatchObject({ [carol.userId]: { updated: { displayname: 'Carol' } } })
  })

  test('are told as they change, of everyone who shares a room, and wake who waits', async () => {
    const { alice, bob, carol } = await den()
    const first = await slide(alice, asking())
    const waiting = slide(alice, asking(), { pos: first.pos, timeout: '10000' })
    await set(carol, 'org.example.mood', { text: 'fine' })
    const second = await waiting
    expect([second.profiles, second.rooms]).toEqual([{ [carol.userId]: { updated: { 'org.example.mood': { text: 'fine' } } } }, []])
    await unset(bob, 'm.tz')
    await set(bob, 'org.example.mood', null)
    const third = await slide(alice, asking(), { pos: second.pos })
    expect(third.profiles).toEqual({ [bob.userId]: { updated: { 'org.example.mood': null }, removed: ['m.tz'] } })
    expect((await slide(alice, asking(), { pos: third.pos })).profiles).toBeUndefined()
  })

  test('are told to the other devices of who changes them, and not to strangers', async () => {
    const { alice, login, register } = await den()
    const [tablet, stranger] = [await login(alice.userId, 'TABLET'), await register('stranger')]
    const before = [await slide(tablet, asking()), await slide(stranger, asking())]
    await set(alice, 'displayname', 'Alice L')
    const after = await Promise.all([tablet, stranger].map((who, index) => slide(who, asking(), { pos: before[index]?.pos ?? '' })))
    expect(after.map(({ profiles }) => profiles)).toEqual([{ [alice.userId]: { updated: { displayname: 'Alice L' } } }, undefined])
  })

  test('have the fields that are asked for; with others they are told anew', async () => {
    const { alice, bob } = await den()
    const first = await slide(alice, asking({ fields: ['m.tz'] }))
    expect(first.profiles).toEqual({ [bob.userId]: { updated: { 'm.tz': 'Europe/Berlin' } } })
    await set(bob, 'displayname', 'Bobby')
    const second = await slide(alice, asking({ fields: ['m.tz'] }), { pos: first.pos })
    expect(second.profiles).toBeUndefined()
    const third = await slide(alice, asking({ fields: ['m.tz', 'displayname'] }), { pos: second.pos })
    expect(third.profiles).toMatchObject({ [bob.userId]: { updated: { 'displayname': 'Bobby', 'm.tz': 'Europe/Berlin' } }, [alice.userId]: { updated: { displayname: 'Alice' } } })
  })

  test('that were told in an answer that got lost are told again', async () => {
    const { alice, bob, carol, roomId } = await den()
    const first = await slide(alice, asking())
    await say(carol, roomId, 'me too')
    await set(bob, 'm.tz', 'UTC')
    const expected = { [bob.userId]: { updated: { 'm.tz': 'UTC' } }, [carol.userId]: { updated: { displayname: 'Carol' } } }
    const lost = await slide(alice, asking(), { pos: first.pos })
    const again = await slide(alice, asking(), { pos: first.pos })
    expect([lost.profiles, again.profiles]).toEqual([expected, expected])
  })

  test('may be forgotten when no room is shared any more, and come whole when one is', async () => {
    const { alice, bob, roomId } = await den()
    const first = await slide(alice, asking())
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const second = await slide(alice, asking(), { pos: first.pos })
    expect(second.profiles).toEqual({ [bob.userId]: null })
    await set(bob, 'm.tz', 'UTC')
    await bringIn(alice, roomId, bob)
    expect((await slide(alice, asking(), { pos: second.pos })).profiles).toEqual({ [bob.userId]: { updated: { 'displayname': 'Bob', 'm.tz': 'UTC' } } })
  })

  test('are caught up on when they are asked for again', async () => {
    const { alice, bob } = await den()
    const first = await slide(alice, asking())
    const off = await slide(alice, { lists: {} }, { pos: first.pos })
    await set(bob, 'm.tz', 'UTC')
    const stillOff = await slide(alice, { lists: {} }, { pos: off.pos })
    const on = await slide(alice, asking(), { pos: stillOff.pos })
    expect([off.profiles, stillOff.profiles, on.profiles?.[bob.userId]]).toEqual([undefined, undefined, { updated: { 'displayname': 'Bob', 'm.tz': 'UTC' } }])
  })

  test('are of rooms in scope', async () => {
    const { alice, bob } = await den()
    expect(Object.keys((await slide(alice, asking({ lists: [], rooms: [] }))).profiles ?? {})).toEqual([alice.userId])
    expect(Object.keys((await slide(alice, asking({ lists: ['all'] }))).profiles ?? {})).toEqual([alice.userId, bob.userId])
  })
})
