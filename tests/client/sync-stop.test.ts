import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, say } from '#harness/rooms.ts'
import { until } from '#harness/until.ts'

const SLIDING = '/unstable/org.matrix.simplified_msc3575/sync'

/** Clients take an error for an error, and some of them give up; a quiet answer they follow with the next request. */
test('who waits when the server stops is answered as if the time were over, and goes on from there', async () => {
  const here = await house()
  const { alice, bob, server } = here
  const roomId = await makeRoom(alice)
  const { next_batch } = await done(alice, 'GET', '/v3/sync')
  const { start } = await done(alice, 'GET', '/v3/events?timeout=0')
  const { pos } = await done(bob, 'POST', SLIDING, {})
  const waiting = Promise.all([
    done(alice, 'GET', `/v3/sync?timeout=60000&since=${String(next_batch)}`),
    done(bob, 'POST', `${SLIDING}?timeout=60000&pos=${String(pos)}`, {}),
    done(alice, 'GET', `/v3/events?timeout=60000&from=${String(start)}`),
  ])
  await until('all to wait', () => server.notifier.watch(alice.userId).waiters.size === 2 && server.notifier.watch(bob.userId).waiters.size === 1)
  server.notifier.wakeEveryone()
  const [sync, sliding, events] = await waiting
  expect([sync.rooms, sliding.rooms, events.chunk]).toEqual([undefined, {}, []])
  await say(alice, roomId, 'still here')
  const after = (await done(alice, 'GET', `/v3/sync?timeout=60000&since=${String(sync.next_batch)}`)) as { rooms: { join: object } }
  expect(Object.keys(after.rooms.join)).toEqual([roomId])
  await here.close()
})

test('who types when the server stops is not left typing', async () => {
  const here = await house()
  const { alice, bob, server } = here
  const roomId = await makeRoom(alice)
  await bringIn(alice, roomId, bob)
  await done(bob, 'PUT', inRoom(roomId, `/typing/${bob.userId}`), { typing: true, timeout: 30_000 })
  const body = { lists: { all: { ranges: [[0, 9]], timeline_limit: 0 } }, extensions: { typing: { enabled: true } } }
  const { pos, extensions } = await done(bob, 'POST', SLIDING, body)
  const { next_batch } = await done(alice, 'GET', '/v3/sync')
  const typing = (user_ids: string[]): object => ({ type: 'm.typing', content: { user_ids } })
  expect(extensions).toEqual({ typing: { rooms: { [roomId]: typing([bob.userId]) } } })
  const waiting = Promise.all([
    done(alice, 'GET', `/v3/sync?timeout=60000&since=${String(next_batch)}`),
    done(bob, 'POST', `${SLIDING}?timeout=60000&pos=${String(pos)}`, body),
  ])
  await until('both to wait', () => [alice, bob].every(({ userId }) => server.notifier.watch(userId).waiters.size === 1))
  server.notifier.wakeEveryone()
  const [sync, sliding] = await waiting
  expect((sync.rooms as { join: Record<string, object> }).join[roomId]).toMatchObject({ ephemeral: { events: [typing([])] } })
  expect(sliding.extensions).toEqual({ typing: { rooms: { [roomId]: typing([]) } } })
  await here.close()
})
