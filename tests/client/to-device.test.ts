import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { WAITING_LIMIT_MS } from '#actors/device/to-device.ts'
import { DELIVERED_LIMIT_BYTES, DEVICES_PER_REQUEST, MESSAGE_LIMIT_BYTES } from '#client/to-device.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'
import { TO_DEVICE_PER_SYNC } from '#store/sync/encryption.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(async () => {
  const broken = countBrokenInvariants(here.server.store)
  await here.close()
  expect([...broken.values()]).toEqual([0, 0])
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

describe('a request', () => {
  /** A user with so many devices. */
  const crowd = async (name: string, count: number): Promise<Caller> => {
    const bob = await here.register(name)
    const create = { kind: 'createDevice', displayName: null } as const
    await Promise.all(Array.from({ length: count - 1 }, (_, n) => here.server.device(bob.userId, deviceIdOf(`D${n}`)).ask(create, 'test')))
    return bob
  }
  const waiting = (bob: Caller): number =>
    here.server.store.db.query<{ n: number }, [number]>('SELECT count(*) AS n FROM to_device WHERE user = ?').get(here.server.store.names.find(bob.userId) ?? -1)?.n ?? 0

  test('reaches so many devices and no more', async () => {
    const bob = await crowd('many', DEVICES_PER_REQUEST)
    expect((await send(here.alice, bob, 1, { device: '*' })).status).toBe(200)
    expect(waiting(bob)).toBe(DEVICES_PER_REQUEST)
    await here.login(bob.userId, 'ONEMORE')
    expect(await send(here.alice, bob, 2, { device: '*' })).toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } })
    expect(waiting(bob)).toBe(DEVICES_PER_REQUEST)
  })

  test('cannot make much of little by way of *', async () => {
    const large = 'x'.repeat(MESSAGE_LIMIT_BYTES - 100)
    const bob = await crowd('amplified', Math.ceil(DELIVERED_LIMIT_BYTES / MESSAGE_LIMIT_BYTES) + 2)
    expect(await send(here.alice, bob, large, { device: '*' })).toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } })
    expect(waiting(bob)).toBe(0)
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

  test('of a device that was removed says nothing of a new one that has its name', async () => {
    const clock = manualClock(1_700_000_000_000)
    const { alice, bob, login, close } = await house({}, { clock })
    const first = await login(alice.userId, 'TV')
    await send(first, bob, 1, { id: 'same' })
    await first.answer('POST', '/v3/logout', {})
    clock.advance(1_000)
    await send(await login(alice.userId, 'TV'), bob, 2, { id: 'same' })
    expect(bodies(await sync(bob))).toEqual([1, 2])
    await close()
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

test('what a device has not fetched for long goes, also when nobody writes to it any more', async () => {
  const clock = manualClock(1_700_000_000_000)
  const { alice, bob, server, close } = await house({}, { clock })
  const waiting = (): number => server.store.db.query<{ n: number }, []>('SELECT count(*) AS n FROM to_device').get()?.n ?? 0
  await send(alice, bob, 'old')
  clock.advance(WAITING_LIMIT_MS)
  await send(alice, alice, 'young')
  await server.settled()
  expect(waiting()).toBe(2)
  clock.advance(60 * 60_000)
  await send(alice, alice, 'new')
  await server.settled()
  expect([waiting(), bodies(await sync(bob)), bodies(await sync(alice))]).toEqual([2, [], ['young', 'new']])
  await close()
})

test('a token from the future acknowledges nothing', async () => {
  const bob = await here.register('future')
  await send(here.alice, bob, 'hi')
  await sync(bob, 's999999999_0_0')
  expect(bodies(await sync(bob))).toEqual(['hi'])
})

describe('requests for room keys', () => {
  /** How many of so many requests each reader gets; all are answered alike. */
  const requested = async (slow: House, count: number, readers: Caller[], from = slow.alice, first = 0): Promise<number[]> => {
    const messages = Object.fromEntries(readers.map(({ userId }) => [userId, { '*': { request_id: 'r' } }]))
    for (let n = first; n < first + count; n++)
      expect(await from.answer('PUT', `/v3/sendToDevice/m.room_key_request/r${n}`, { messages })).toEqual({ status: 200, body: {} })
    const read: number[] = []
    for (const reader of readers) {
      const one = await sync(reader)
      const two = await sync(reader, one.next_batch)
      const three = await sync(reader, two.next_batch)
      read.push([one, two, three].reduce((sum, { to_device }) => sum + (to_device?.events.length ?? 0), 0))
    }
    return read
  }

  test('go out as fast as rc_key_requests says, by default a hundred at once and twenty a second; the others are dropped without a word', async () => {
    const clock = manualClock(1_700_000_000_000)
    const slow = await house({}, { clock })
    expect(await requested(slow, 103, [slow.bob])).toEqual([100])
    clock.advance(2_000)
    expect(await requested(slow, 50, [slow.bob], slow.alice, 200)).toEqual([40])
    await slow.close()
  })

  test('count once for each user that is asked, and not at all for one’s own devices', async () => {
    const slow = await house({ rc_key_requests: { per_second: 0, burst_count: 3 } })
    const carol = await slow.register('carol')
    expect(await requested(slow, 5, [slow.alice, slow.bob, carol])).toEqual([5, 2, 1])
    await slow.close()
  })

  test('count for the device that sends them; other messages are not counted', async () => {
    const slow = await house({ rc_key_requests: { per_second: 0, burst_count: 1 } })
    const tv = await slow.login(slow.alice.userId, 'TV')
    expect(await requested(slow, 2, [slow.bob])).toEqual([1])
    expect(await requested(slow, 2, [slow.bob], tv)).toEqual([1])
    for (let n = 0; n < 5; n++) await send(slow.alice, slow.bob, n)
    expect(bodies(await sync(slow.bob))).toEqual([0, 1, 2, 3, 4])
    await slow.close()
  })
})
