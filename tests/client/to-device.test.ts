import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'
import { TO_DEVICE_PER_SYNC } from '#store/sync/encryption.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(async () => {
  const broken = countBrokenInvariants(here.server.store)
  await here.close()
  expect([...broken]).toEqual([])
})

type Event = { type: string; sender: string; content: Record<string, unknown> }
type Sync = { next_batch: string; to_device?: { events: Event[] } }
const sync = async (who: Caller, since?: string, timeout = 0): Promise<Sync> =>
  (await who.answer('GET', `/v3/sync?timeout=${timeout}${since === undefined ? '' : `&since=${since}`}`)).body as Sync
const bodies = ({ to_device }: Sync): unknown[] => (to_device?.events ?? []).map(({ content }) => content.n)
let txn = 0
const send = (from: Caller, to: Caller, n: unknown, { device = to.deviceId, id = `t${++txn}`, type = 'my.type' } = {}) =>
  from.answer('PUT', `/v3/sendToDevice/${type}/${id}`, { messages: { [to.userId]: { [device]: { n } } } })

describe('a message to a device', () => {
  test('comes with the next sync, and again until a later one shows that it arrived', async () => {
    const [alice, bob] = [await here.register('alice1'), await here.register('bob1')]
    const { next_batch: since } = await sync(bob)
    expect(await send(alice, bob, 'hi')).toEqual({ status: 200, body: {} })
    const first = await sync(bob, since)
    expect(first.to_device).toEqual({ events: [{ type: 'my.type', sender: alice.userId, content: { n: 'hi' } }] })
    expect(bodies(await sync(bob, since))).toEqual(['hi'])
    expect(bodies(await sync(bob, first.next_batch))).toEqual([])
    expect(bodies(await sync(bob, since))).toEqual([])
    expect(bodies(await sync(bob))).toEqual([])
  })

  test('wakes a waiting sync, and only that of its device ends', async () => {
    const bob = await here.register('woken')
    const tv = await here.login(bob.userId, 'TV')
    const [phone, other] = [await sync(bob), await sync(tv)]
    const waiting = [sync(bob, phone.next_batch, 5_000), sync(tv, other.next_batch, 150)]
    await send(here.alice, bob, 'hi')
    expect((await Promise.all(waiting)).map(bodies)).toEqual([['hi'], []])
  })

  test('comes to an initial sync too', async () => {
    const bob = await here.register('initially')
    await send(here.alice, bob, 'hi')
    expect(bodies(await sync(bob))).toEqual(['hi'])
  })

  test('is kept over a restart of the reader, in the order of sending', async () => {
    const bob = await here.register('ordered')
    for (const n of [1, 2, 3]) await send(here.alice, bob, n)
    expect(bodies(await sync(bob))).toEqual([1, 2, 3])
  })

  test('for * reaches every device, a named one gets its own', async () => {
    const bob = await here.register('wild')
    const tv = await here.login(bob.userId, 'TV')
    await here.alice.answer('PUT', '/v3/sendToDevice/my.type/wild', { messages: { [bob.userId]: { '*': { n: 'all' }, 'TV': { n: 'one' } } } })
    expect([bodies(await sync(bob)), bodies(await sync(tv))]).toEqual([['all'], ['one']])
  })

  test.each([
    ['a device that is not there', (bob: Caller) => ({ [bob.userId]: { NONE: { n: 1 } } })],
    ['a user who is not there', () => ({ '@nobody:a.example': { '*': { n: 1 } } })],
    ['what is no user', () => ({ __proto__x: { '*': { n: 1 } } })],
    ['nobody', () => ({})],
  ])('for %s is accepted and lost', async (_says, messages) => {
    const { status } = await here.alice.answer('PUT', `/v3/sendToDevice/my.type/lost${++txn}`, { messages: messages(here.bob) })
    expect([status, bodies(await sync(here.bob))]).toEqual([200, []])
  })

  test.each([
    ['without messages', {}, 400, 'M_MISSING_PARAM'],
    ['whose content is no object', { messages: { '@bob:a.example': { '*': 'text' } } }, 400, 'M_BAD_JSON'],
    ['that is too large', { messages: { '@bob:a.example': { '*': { n: 'x'.repeat(66_000) } } } }, 413, 'M_TOO_LARGE'],
  ])('%s is refused', async (_says, body, status, errcode) => {
    expect(await here.alice.answer('PUT', `/v3/sendToDevice/my.type/bad${++txn}`, body)).toMatchObject({ status, body: { errcode } })
    expect(bodies(await sync(here.bob))).toEqual([])
  })

  test('goes with its device', async () => {
    const bob = await here.register('gone')
    const tv = await here.login(bob.userId, 'TV')
    await send(here.alice, tv, 'hi')
    await tv.answer('POST', '/v3/logout', {})
    expect(bodies(await sync(await here.login(bob.userId, 'TV')))).toEqual([])
  })
})

describe('a transaction id', () => {
  test('names a request of its device: the same one is sent once, however it comes', async () => {
    const [alice, bob] = [await here.register('alice2'), await here.register('bob2')]
    await Promise.all([send(alice, bob, 1, { id: 'same' }), send(alice, bob, 1, { id: 'same' })])
    const first = await sync(bob)
    expect(bodies(first)).toEqual([1])
    await sync(bob, first.next_batch)
    await send(alice, bob, 1, { id: 'same' })
    await send(alice, bob, 2, { id: 'other' })
    expect(bodies(await sync(bob, first.next_batch))).toEqual([2])
  })

  test('of another device or another type is another request', async () => {
    const [alice, bob] = [await here.register('alice3'), await here.register('bob3')]
    const tv = await here.login(alice.userId, 'TV')
    await send(alice, bob, 1, { id: 'same' })
    await send(tv, bob, 2, { id: 'same' })
    await send(alice, bob, 3, { id: 'same', type: 'your.type' })
    expect(bodies(await sync(bob))).toEqual([1, 2, 3])
  })
})

test('one sync brings a hundred, the token says where the rest begins, and nothing is lost or doubled', async () => {
  const bob = await here.register('flooded')
  const { next_batch: since } = await sync(bob)
  const all = Array.from({ length: 2 * TO_DEVICE_PER_SYNC + 50 }, (_, index) => index)
  for (const n of all) await send(here.alice, bob, n)
  const pages: unknown[][] = []
  let token = since
  for (let count = 0; count < 4; count++) {
    // Each page is asked for twice, as by a client that has lost the answer.
    await sync(bob, token)
    const page = await sync(bob, token)
    pages.push(bodies(page))
    token = page.next_batch
    if (count === 0) await send(here.alice, bob, 'late')
  }
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 51, 0])
  expect(pages.flat()).toEqual([...all, 'late'])
  expect(token).not.toContain('_d')
})

test('a token from the future acknowledges nothing', async () => {
  const bob = await here.register('future')
  await send(here.alice, bob, 'hi')
  await sync(bob, 's999999999_0_0')
  expect(bodies(await sync(bob))).toEqual(['hi'])
})

test('requests for room keys are let through at a rate, the others are dropped without a word', async () => {
  const clock = manualClock(1_700_000_000_000)
  const slow = await house({}, { clock })
  const statuses = new Set<number>()
  for (let count = 0; count < 103; count++) {
    const { status } = await slow.alice.answer('PUT', `/v3/sendToDevice/m.room_key_request/r${count}`, { messages: { [slow.bob.userId]: { '*': { n: count } } } })
    statuses.add(status)
  }
  const first = await sync(slow.bob)
  const second = await sync(slow.bob, first.next_batch)
  expect([[...statuses], bodies(first).length + bodies(second).length]).toEqual([[200], 100])
  await slow.close()
})
