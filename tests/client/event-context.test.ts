import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent } from '#harness/rooms.ts'

async function talk() {
  const world = await house()
  const roomId = await makeRoom(world.alice)
  await bringIn(world.alice, roomId, world.bob)
  const ids: string[] = []
  for (let number = 1; number <= 5; number++) ids.push(await say(world.alice, roomId, `m${number}`))
  const context = (number: number, query = ''): string => inRoom(roomId, `/context/${encodeURIComponent(ids[number - 1] ?? '')}${query}`)
  return { ...world, roomId, context }
}

describe('context', () => {
  test('shows what came before, newest first, and after, oldest first', async () => {
    const { alice, context } = await talk()
    const body = await done(alice, 'GET', context(3, '?limit=4'))
    expect(bodiesOf([body.event])).toEqual(['m3'])
    expect(bodiesOf(body.events_before)).toEqual(['m2', 'm1'])
    expect(bodiesOf(body.events_after)).toEqual(['m4', 'm5'])
  })

  test.each([[0, [], []], [1, [], ['m4']], [2, ['m2'], ['m4']], [3, ['m2'], ['m4', 'm5']]])('limit=%d counts both sides', async (limit, before, after) => {
    const { alice, context } = await talk()
    const body = await done(alice, 'GET', context(3, `?limit=${limit}`))
    expect([bodiesOf(body.events_before), bodiesOf(body.events_after)]).toEqual([before, after])
  })

  test('its tokens go on where it ends, on both sides', async () => {
    const { alice, roomId, context } = await talk()
    const { start, end } = await done(alice, 'GET', context(3, '?limit=2'))
    expect(bodiesOf((await done(alice, 'GET', inRoom(roomId, `/messages?dir=b&limit=1&from=${String(start)}`))).chunk)).toEqual(['m1'])
    expect(bodiesOf((await done(alice, 'GET', inRoom(roomId, `/messages?dir=f&limit=1&from=${String(end)}`))).chunk)).toEqual(['m5'])
  })

  test('its state is that at the last event shown', async () => {
    const { alice, roomId, context } = await talk()
    await setState(alice, roomId, 'm.room.name', { name: 'Later' })
    const names = async (query: string) => ((await done(alice, 'GET', context(5, query))).state as ShownEvent[]).filter(({ type }) => type === 'm.room.name')
    expect(await names('?limit=0')).toEqual([])
    expect(await names('?limit=2')).toHaveLength(1)
  })

  test('a filter goes for the events around and the state, not for the event', async () => {
    const { alice, context } = await talk()
    const filter = encodeURIComponent(JSON.stringify({ types: ['m.room.create'] }))
    const body = await done(alice, 'GET', context(3, `?filter=${filter}`))
    expect(bodiesOf([body.event])).toEqual(['m3'])
    expect(body.events_after).toEqual([])
    expect(bodiesOf(body.state)).toEqual(['m.room.create'])
  })

  test('lazy_load_members leaves out members who do not speak', async () => {
    const { alice, context } = await talk()
    const filter = encodeURIComponent(JSON.stringify({ lazy_load_members: true }))
    const { state } = await done(alice, 'GET', context(3, `?limit=2&filter=${filter}`))
    const members = (state as ShownEvent[]).filter(({ type }) => type === 'm.room.member').map(({ state_key: key }) => key)
    expect(members).toEqual([alice.userId])
    expect(bodiesOf(state)).toContain('m.room.create')
  })

  test('is 404 for what is not there or not to be seen, and 403 for strangers', async () => {
    const { alice, bob, register, roomId, context } = await talk()
    const carol = await register('carol')
    expect(await alice.answer('GET', inRoom(roomId, '/context/%24none'))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await carol.answer('GET', context(1))).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    const secret = await say(alice, roomId, 'secret')
    expect(await bob.answer('GET', inRoom(roomId, `/context/${encodeURIComponent(secret)}`))).toMatchObject({ status: 404 })
    expect(bodiesOf((await done(bob, 'GET', context(5, '?limit=20'))).events_after)).toEqual(['m.room.member'])
  })
})
