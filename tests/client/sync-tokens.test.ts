import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { house } from '#harness/house.ts'
import { bodiesOf, done, inRoom, makeRoom, say, type ShownEvent } from '#harness/rooms.ts'

type Synced = { next_batch: string; rooms?: { join?: Record<string, { timeline: { events: ShownEvent[]; limited: boolean }; ephemeral: { events: object[] } }> } }

test('G-65: a token is as good after a restart as before, for any device; only what nobody keeps is forgotten', async () => {
  const file = join(tmpdir(), `warren-tokens-${process.pid}.db`)
  const database = { name: 'sqlite3', args: { database: file } }
  try {
    const first = await house({ database })
    const roomId = await makeRoom(first.alice)
    const { next_batch: since } = (await done(first.alice, 'GET', '/v3/sync')) as Synced
    await say(first.alice, roomId, 'before')
    await done(first.alice, 'PUT', inRoom(roomId, `/typing/${first.alice.userId}`), { typing: true, timeout: 30_000 })
    await first.close()

    const second = await house({ database }, { isNew: false })
    await say(second.alice, roomId, 'after')
    const tablet = await second.login(second.alice.userId, 'TABLET')
    for (const who of [second.alice, tablet]) {
      const room = ((await done(who, 'GET', `/v3/sync?since=${since}`)) as Synced).rooms?.join?.[roomId]
      expect(bodiesOf(room?.timeline.events)).toEqual(['before', 'after'])
      expect(room?.timeline.limited).toBe(false)
      expect(room?.ephemeral.events).toEqual([])
    }
    const again = ((await done(second.alice, 'GET', `/v3/sync?since=${since}`)) as Synced).rooms?.join?.[roomId]
    expect(bodiesOf(again?.timeline.events)).toEqual(['before', 'after'])
    await second.close()
  } finally {
    for (const suffix of ['', '-wal', '-shm', '.reserve']) rmSync(file + suffix, { force: true })
  }
})
