import { describe, expect, test } from 'bun:test'
import type { JournalRow } from '#actors/kernel/journal.ts'
import { house } from '#harness/house.ts'
import { sessionCache } from '#store/session-cache.ts'

const row = (actor: string, kind: string): JournalRow => ({ position: 1, actor, cause: 'test', ts: 0, fact: { kind } })

describe('the cache of sessions', () => {
  test.each([
    ['a lock', 'user/@alice:a.example', 'lockChanged', false],
    ['a new session on the device', 'device/@alice:a.example/PHONE', 'sessionStarted', false],
    ['the end of the device', 'device/@alice:a.example/PHONE', 'deviceDeleted', false],
    ['a kind that it does not know', 'user/@alice:a.example', 'somethingNew', false],
    ['a message to a device', 'device/@alice:a.example/PHONE', 'toDeviceQueued', true],
    ['an event in a room', 'room/!den', 'eventAppended', true],
  ])('after %s it is kept only where that cannot matter', async (_says, actor, kind, isKept) => {
    const { server, alice, close } = await house()
    const sessions = sessionCache(server.store)
    const before = sessions.find(alice.token)
    expect(before).toMatchObject({ userId: alice.userId })
    sessions.committed({ rows: [row(actor, kind)], snapshots: [] })
    expect(sessions.find(alice.token) === before).toBe(isKept)
    await close()
  })

  test('a token ends with the request that ends it', async () => {
    const { alice, close } = await house()
    expect((await alice.answer('GET', '/v3/account/whoami')).status).toBe(200)
    await alice.answer('POST', '/v3/logout', {})
    expect((await alice.answer('GET', '/v3/account/whoami')).status).toBe(401)
    await close()
  })
})
