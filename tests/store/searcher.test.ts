import { afterAll, describe, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { loadConfig } from '#config'
import { type House, house } from '#harness/house.ts'
import { bodiesOf, done, makeRoom, say } from '#harness/rooms.ts'
import { openHomeserver } from '#homeserver'
import type { RoomId } from '#schema/identifiers.ts'
import { INDEX_FILE } from '#store/searcher.ts'

const root = mkdtempSync(join(tmpdir(), 'warren-searcher-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let count = 0

const optionsFor = (folder: string) => ({ data_dir: folder, database: { name: 'sqlite3', args: { database: join(folder, 'homeserver.db') } } })

/** A house on disk, whose searches go to the thread. */
async function onDisk(): Promise<House & { folder: string; index: string }> {
  const folder = join(root, `${++count}`)
  mkdirSync(folder)
  return { ...(await house(optionsFor(folder))), folder, index: join(folder, INDEX_FILE) }
}

async function find({ alice }: House, term: string): Promise<unknown[]> {
  const body = await done(alice, 'POST', '/v3/search', { search_categories: { room_events: { search_term: term, order_by: 'recent' } } })
  return bodiesOf((body.search_categories as { room_events: { results: { result: object }[] } }).room_events.results.map(({ result }) => result))
}

const wanted = (word: string) => ({ match: `"${word}"`, looseMatch: `"${word}"`, words: [word] })

/** How many messages a server that is started on that folder finds. */
async function countAfterRestart(folder: string, roomId: RoomId, term: string): Promise<number> {
  const server = await openHomeserver(loadConfig([], { server_name: 'a.example', ...optionsFor(folder) }), pino({ level: 'silent' }))
  const { names } = server.store
  const [rooms, types] = [[names.find(roomId) ?? 0], [names.find('m.room.message') ?? 0]]
  const matches = await server.searcher?.find({ ...wanted(term), rooms, types, until: Number.MAX_SAFE_INTEGER, order: 'recent' })
  await server.close()
  return matches?.nums.length ?? 0
}

describe('the reader thread', () => {
  test('finds what has just been said, and what is said later', async () => {
    const world = await onDisk()
    expect(existsSync(world.index)).toBe(false)
    const roomId = await makeRoom(world.alice)
    await say(world.alice, roomId, 'frog one')
    expect(await find(world, 'frog')).toEqual(['frog one'])
    await say(world.alice, roomId, 'frog two')
    expect(await Promise.all([find(world, 'frog'), find(world, 'two')])).toEqual([['frog two', 'frog one'], ['frog two']])
    expect(statSync(world.index).mode & 0o077).toBe(0)
    await world.close()
  })

  test('makes an index anew that is damaged, gone or made from a newer database', async () => {
    const { alice, folder, index, close, ...world } = await onDisk()
    const roomId = await makeRoom(alice)
    await say(alice, roomId, 'frog one')
    expect(await find({ alice, close, ...world }, 'frog')).toEqual(['frog one'])
    await close()
    expect(await countAfterRestart(folder, roomId, 'frog')).toBe(1)

    writeFileSync(index, 'this is no database')
    expect(await countAfterRestart(folder, roomId, 'frog')).toBe(1)

    for (const suffix of ['', '-wal', '-shm']) rmSync(index + suffix, { force: true })
    expect(await countAfterRestart(folder, roomId, 'frog')).toBe(1)

    const db = new Database(index)
    db.run("UPDATE progress SET position = 1000000; INSERT INTO words (rowid, place, body) VALUES (999999, 'r1', 'frog')")
    db.close()
    expect(await countAfterRestart(folder, roomId, 'frog')).toBe(1)
    const after = new Database(index, { readonly: true })
    expect(after.query('SELECT count(*) AS total FROM words').get()).toEqual({ total: 1 })
    after.close()
  })

  test('asks nothing of a database that is closed', async () => {
    const world = await onDisk()
    const { searcher } = world.server
    await world.close()
    const query = { ...wanted('x'), rooms: [1], types: [1], until: 1, order: 'recent' } as const
    expect(searcher?.find(query)).rejects.toThrow('closed')
  })
})
