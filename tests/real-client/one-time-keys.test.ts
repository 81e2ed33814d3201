import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { deviceKeysOf, oneTimeKeysOf } from '#harness/encryption-keys.ts'
import { bringIn, call, createRoom, register, sendText, type Session } from '#harness/http-client.ts'
import { binaryCommand, compiledBinary, type ServerProcess, startServer } from '#harness/warren-process.ts'
import type { UserId } from '#schema/identifiers.ts'

setDefaultTimeout(60_000)
const PASSWORD = 'correct horse battery staple'
const KEYS = 400
const CLAIMERS = 4
const KILLS = 6

let server: ServerProcess
afterEach(() => server.remove())

const start = async (): Promise<[alice: Session, bob: Session]> => {
  server = await startServer({ command: binaryCommand(compiledBinary()) })
  return [await register(server.url, 'alice', PASSWORD), await register(server.url, 'bob', PASSWORD)]
}

const otks = (who: Session, from: number, to: number, extra = {}) => oneTimeKeysOf(who.userId as UserId, who.deviceId, from, to, extra)
const upload = (who: Session, body: object) => call(who, 'POST', '/keys/upload', body)
const identity = (who: Session) => deviceKeysOf(who.userId as UserId, who.deviceId)

/** The name of the key that is handed out; undefined: there is none left. */
async function claim(who: Session, of: Session): Promise<string | undefined> {
  const wanted = { one_time_keys: { [of.userId]: { [of.deviceId]: 'signed_curve25519' } } }
  const { one_time_keys } = await call<{ one_time_keys: Record<string, Record<string, object>> }>(who, 'POST', '/keys/claim', wanted)
  return Object.keys(one_time_keys[of.userId]?.[of.deviceId] ?? {})[0]
}

const numberOf = (name: string): number => Number(name.replace('signed_curve25519:AAA', ''))

test('one-time keys are handed out once each, oldest first, though the server is killed again and again', async () => {
  const [alice, bob] = await start()
  await upload(alice, { device_keys: identity(alice) })
  for (let from = 1; from <= KEYS; from += 100) await upload(alice, { one_time_keys: otks(alice, from, from + 99) })
  let interrupted = 0
  let isOver = false
  const claimer = async (): Promise<number[]> => {
    const mine: number[] = []
    while (!isOver) {
      try {
        const name = await claim(bob, alice)
        if (name === undefined) return mine
        mine.push(numberOf(name))
      } catch {
        interrupted++
        await Bun.sleep(10)
      }
    }
    return mine
  }
  const claimers = Array.from({ length: CLAIMERS }, claimer)
  for (let count = 0; count < KILLS; count++) {
    await Bun.sleep(15 + count * 7)
    await server.kill()
    await server.start()
  }
  const handed = await Promise.all(claimers)
  isOver = true
  for (const mine of handed) expect(mine).toEqual(mine.toSorted((one, other) => one - other))
  const all = handed.flat()
  expect(new Set(all).size).toBe(all.length)
  // What is missing went out with an answer that a kill has cut off.
  expect(KEYS - all.length).toBeGreaterThanOrEqual(0)
  expect(KEYS - all.length).toBeLessThanOrEqual(interrupted)
  expect(interrupted).toBeGreaterThan(0)
})

type Sync = {
  next_batch: string
  device_one_time_keys_count: Record<string, number>
  device_unused_fallback_key_types: string[]
  device_lists?: { changed: string[] }
  rooms?: { join?: Record<string, { timeline: { events: { content: { body?: string } }[] } }> }
}

test('not even a backup that is put back makes the server hand out a one-time key again, or hide what is new', async () => {
  const [alice, bob] = await start()
  const roomId = await createRoom(bob)
  await bringIn(bob, roomId, alice)
  await upload(alice, { device_keys: identity(alice), one_time_keys: otks(alice, 1, 20), fallback_keys: otks(alice, 90, 90, { fallback: true }) })
  await upload(bob, { device_keys: identity(bob) })
  const handed = [await claim(bob, alice), await claim(bob, alice)]
  const database = join(server.directory, 'homeserver.db')
  await server.stop()
  copyFileSync(database, `${database}.backup`)

  await server.start()
  for (let count = 0; count < 5; count++) handed.push(await claim(bob, alice))
  for (let count = 0; count < 5; count++) await sendText(bob, roomId, `lost${count}`, 'lost')
  const { next_batch: since } = await call<Sync>(alice, 'GET', '/sync')
  await server.kill()
  for (const end of ['', '-wal', '-shm']) rmSync(database + end, { force: true })
  copyFileSync(`${database}.backup`, database)

  await server.start()
  handed.push(await claim(bob, alice))
  await sendText(bob, roomId, 'new', 'new')
  const answer = await call<Sync>(alice, 'GET', `/sync?since=${since}`)
  expect([answer.device_one_time_keys_count, answer.device_unused_fallback_key_types]).toEqual([{ signed_curve25519: 0 }, []])
  expect(answer.device_lists?.changed.toSorted()).toEqual([alice.userId, bob.userId].toSorted())
  expect(answer.rooms?.join?.[roomId]?.timeline.events.map(({ content }) => content.body)).toEqual(['new'])
  await upload(alice, { one_time_keys: otks(alice, 1, 22) })
  handed.push(await claim(bob, alice), await claim(bob, alice))
  expect(handed.map((name) => numberOf(name ?? ''))).toEqual([1, 2, 3, 4, 5, 6, 7, 90, 21, 22])
  expect((await call<Sync>(alice, 'GET', `/sync?since=${answer.next_batch}`)).rooms).toBeUndefined()
})
