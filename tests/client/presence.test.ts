import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { SMALL_ROOM } from '#http/presence.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

type Presence = { sender: string; type: string; content: { presence: string; last_active_ago?: number; currently_active?: boolean; status_msg?: string } }
type Sync = { next_batch: string; presence?: { events: Presence[] } }

const sync = async (who: Caller, query: Record<string, string> = {}): Promise<Sync> =>
  (await done(who, 'GET', `/v3/sync?${new URLSearchParams(query)}`)) as unknown as Sync
const seen = ({ presence }: Sync): Record<string, string> =>
  Object.fromEntries((presence?.events ?? []).map(({ sender, content }) => [sender, content.presence]))
const set = (who: Caller, presence: string, more: object = {}) => who.answer('PUT', `/v3/presence/${who.userId}/status`, { presence, ...more })
const status = (who: Caller, of: Caller) => who.answer('GET', `/v3/presence/${of.userId}/status`)

describe('the status', () => {
  test('is what was set, to oneself and to those who share a room', async () => {
    const [alice, bob, carol] = [await here.register('status'), await here.register('status-bob'), await here.register('status-carol')]
    await bringIn(alice, await makeRoom(alice), bob)
    expect(await set(alice, 'online', { status_msg: 'here' })).toEqual({ status: 200, body: {} })
    const shown = { presence: 'online', status_msg: 'here', currently_active: true, last_active_ago: expect.any(Number) }
    expect((await status(alice, alice)).body).toEqual(shown)
    expect((await status(bob, alice)).body).toEqual(shown)
    expect(await status(carol, alice)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  })

  test('of someone who never was there is offline', async () => {
    const alice = await here.register('never')
    expect((await status(alice, alice)).body).toEqual({ presence: 'offline' })
  })

  test('of others cannot be set, nor one that does not exist', async () => {
    expect((await here.bob.answer('PUT', `/v3/presence/${here.alice.userId}/status`, { presence: 'online' })).status).toBe(403)
    expect((await set(here.alice, 'asleep')).body.errcode).toBe('M_BAD_JSON')
    expect((await here.alice.answer('GET', '/v3/sync?set_presence=asleep')).body.errcode).toBe('M_INVALID_PARAM')
  })
})

describe('a sync', () => {
  test('shows its own user, online by syncing', async () => {
    const alice = await here.register('own')
    expect(seen(await sync(alice))).toEqual({ [alice.userId]: 'online' })
  })

  test('with set_presence=offline leaves its user offline', async () => {
    const alice = await here.register('hidden')
    expect(seen(await sync(alice, { set_presence: 'offline' }))).toEqual({})
    expect((await status(alice, alice)).body).toEqual({ presence: 'offline' })
  })

  test('can say that its user is unavailable', async () => {
    const alice = await here.register('away')
    expect(seen(await sync(alice, { set_presence: 'unavailable' }))).toEqual({ [alice.userId]: 'unavailable' })
  })

  test('wakes for a change of someone who shares a room, and for nobody else', async () => {
    const [alice, bob, stranger] = [await here.register('waits'), await here.register('waits-bob'), await here.register('waits-stranger')]
    await bringIn(alice, await makeRoom(alice), bob)
    const { next_batch: since } = await sync(alice)
    await set(stranger, 'unavailable')
    expect(seen(await sync(alice, { since }))).toEqual({})
    const waiting = sync(alice, { since, timeout: '5000' })
    await Bun.sleep(20)
    await set(bob, 'unavailable', { status_msg: 'tea' })
    const woken = await waiting
    expect(woken.presence?.events).toEqual([
      { type: 'm.presence', sender: bob.userId, content: { presence: 'unavailable', status_msg: 'tea', last_active_ago: expect.any(Number) } },
    ])
    expect(seen(await sync(alice, { since: woken.next_batch }))).toEqual({})
  })

  test('shows the presence of those who come into a room, and of those in a room into which its user comes', async () => {
    const [alice, bob] = [await here.register('comes'), await here.register('comes-bob')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    const { next_batch: since } = await sync(alice)
    const { next_batch: sinceBob } = await sync(bob)
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    expect(seen(await sync(alice, { since }))).toEqual({ [bob.userId]: 'online' })
    expect(seen(await sync(bob, { since: sinceBob }))[alice.userId]).toBe('online')
  })

  test('tells those who come into a room and those who are there of each other, also of who never was online', async () => {
    const [alice, bob] = [await here.register('unseen'), await here.register('unseen-bob')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    const quiet = { set_presence: 'offline' }
    const [{ next_batch: since }, { next_batch: sinceBob }] = [await sync(alice, quiet), await sync(bob, quiet)]
    await done(bob, 'POST', inRoom(roomId, '/join'), {})
    const told = await sync(alice, { ...quiet, since })
    expect(told.presence?.events).toEqual([{ type: 'm.presence', sender: bob.userId, content: { presence: 'offline' } }])
    expect(seen(await sync(bob, { ...quiet, since: sinceBob }))).toEqual({ [alice.userId]: 'offline' })
    await done(bob, 'PUT', `/v3/profile/${bob.userId}/displayname`, { displayname: 'Bob' })
    const { next_batch: later, ...renamed } = await sync(alice, { ...quiet, since: told.next_batch })
    await done(bob, 'POST', inRoom(roomId, '/leave'), {})
    expect([seen(renamed as Sync), seen(await sync(alice, { ...quiet, since: later }))]).toEqual([{}, {}])
  })

  test('leaves those who never were online out where a room is large', async () => {
    const [alice, last, later] = [await here.register('many'), await here.register('many-last'), await here.register('many-later')]
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    await set(alice, 'online')
    for (let n = 3; n <= SMALL_ROOM; n++) await done(await here.register(`many-${n}`), 'POST', inRoom(roomId, '/join'), {})
    const comes = async (who: Caller): Promise<string[]> => {
      const { next_batch: since } = await sync(who, { set_presence: 'offline' })
      await done(who, 'POST', inRoom(roomId, '/join'), {})
      return Object.values(seen(await sync(who, { since, set_presence: 'offline' }))).sort()
    }
    expect(await comes(last)).toEqual([...Array.from({ length: SMALL_ROOM - 2 }, () => 'offline'), 'online'])
    expect(await comes(later)).toEqual(['online'])
  })

  test('shows at first those who are there, and passes a filter', async () => {
    const [alice, bob, carol] = [await here.register('initial'), await here.register('initial-bob'), await here.register('initial-carol')]
    await bringIn(alice, await makeRoom(alice), bob, carol)
    await set(bob, 'online')
    await set(carol, 'offline', { status_msg: 'gone' })
    expect(seen(await sync(alice))).toEqual({ [alice.userId]: 'online', [bob.userId]: 'online' })
    const filter = JSON.stringify({ presence: { not_senders: [bob.userId] } })
    expect(seen(await sync(alice, { filter }))).toEqual({ [alice.userId]: 'online' })
    expect(seen(await sync(alice, { filter: JSON.stringify({ presence: { types: [] } }) }))).toEqual({})
  })
})

describe('sliding sync', () => {
  test('shows that its user is there, or not', async () => {
    const [alice, bob] = [await here.register('slides'), await here.register('slides-bob')]
    const path = '/unstable/org.matrix.simplified_msc3575/sync'
    await done(alice, 'POST', `${path}?set_presence=unavailable`, {})
    await done(bob, 'POST', `${path}?set_presence=offline`, {})
    expect([(await status(alice, alice)).body.presence, (await status(bob, bob)).body.presence]).toEqual(['unavailable', 'offline'])
  })
})

describe('the settings', () => {
  const inHouse = async (overrides: object, work: (there: House) => Promise<void>): Promise<void> => {
    const there = await house(overrides as Record<string, unknown>)
    await work(there).finally(() => there.close())
  }

  test('can switch presence off', () =>
    inHouse({ presence: { enabled: false } }, async ({ alice }) => {
      expect(await set(alice, 'online')).toEqual({ status: 200, body: {} })
      expect((await sync(alice)).presence).toBeUndefined()
      expect((await status(alice, alice)).body).toEqual({ presence: 'offline' })
    }))

  test('say how fast it may change: what comes too fast is passed over', () =>
    inHouse({ rc_presence: { per_user: { per_second: 0.001, burst_count: 1 } } }, async ({ alice }) => {
      await set(alice, 'unavailable')
      expect(await set(alice, 'online')).toEqual({ status: 200, body: {} })
      expect((await status(alice, alice)).body.presence).toBe('unavailable')
    }))

  test('say whether those who are offline are shown at first', () =>
    inHouse({ presence: { include_offline_users_on_sync: true } }, async ({ alice, bob }) => {
      await bringIn(alice, await makeRoom(alice), bob)
      await set(bob, 'offline', { status_msg: 'gone' })
      expect(seen(await sync(alice))[bob.userId]).toBe('offline')
    }))
})

test('someone who sends something is there again', async () => {
  const alice = await here.register('sends')
  const roomId = await makeRoom(alice)
  await sync(alice, { set_presence: 'unavailable' })
  await say(alice, roomId, 'hello')
  await here.server.settled()
  expect((await status(alice, alice)).body.presence).toBe('online')
})
