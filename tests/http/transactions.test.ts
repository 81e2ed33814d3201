import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Caller, house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom } from '#harness/rooms.ts'

const hi = { msgtype: 'm.text', body: 'hi' }
const sendIn = async (caller: Caller, roomId: string, type = 'm.room.message', content: object = hi): Promise<string> =>
  (await done(caller, 'PUT', inRoom(roomId, `/send/${type}/t1`), content)).event_id as string
const redactIn = async (caller: Caller, roomId: string, eventId: string): Promise<string> =>
  (await done(caller, 'PUT', inRoom(roomId, `/redact/${encodeURIComponent(eventId)}/t1`), {})).event_id as string

async function talk() {
  const world = await house()
  const [roomId, other] = [await makeRoom(world.alice), await makeRoom(world.alice)]
  await bringIn(world.alice, roomId, world.bob)
  return { ...world, roomId, other }
}

describe('G-70: a transaction id', () => {
  test('makes the same request answer the same, whatever its body', async () => {
    const { alice, roomId } = await talk()
    const first = await sendIn(alice, roomId)
    expect(await sendIn(alice, roomId, 'm.room.message', { ...hi, body: 'other' })).toBe(first)
    const redaction = await redactIn(alice, roomId, first)
    expect(await redactIn(alice, roomId, first)).toBe(redaction)
  })

  test('counts for its path alone: another room, type or redacted event is another request', async () => {
    const { alice, roomId, other } = await talk()
    const first = await sendIn(alice, roomId)
    const second = await sendIn(alice, other)
    const third = await sendIn(alice, roomId, 'org.example.note', {})
    const [redaction, another] = [await redactIn(alice, roomId, first), await redactIn(alice, roomId, third)]
    expect(new Set([first, second, third, redaction, another]).size).toBe(5)
    await done(alice, 'PUT', '/v3/sendToDevice/org.example.note/t1', { messages: { [alice.userId]: { PHONE: { a: 1 } } } })
    expect((await done(alice, 'GET', '/v3/sync')).to_device).toMatchObject({ events: [{ content: { a: 1 } }] })
  })

  test('is the same for a redaction by either path', async () => {
    const { alice, roomId } = await talk()
    const first = await sendIn(alice, roomId)
    const redaction = await redactIn(alice, roomId, first)
    expect(await sendIn(alice, roomId, 'm.room.redaction', { redacts: first })).toBe(redaction)
  })

  test('belongs to the device: others and other people may use it too', async () => {
    const { alice, bob, login, roomId } = await talk()
    const tablet = await login(alice.userId, 'TABLET')
    const sent = await Promise.all([alice, tablet, bob].map((caller) => sendIn(caller, roomId)))
    expect(new Set(sent).size).toBe(3)
  })

  test('is still known after the device has logged in once more under its name', async () => {
    const { alice, login, roomId } = await talk()
    const first = await sendIn(alice, roomId)
    expect(await sendIn(await login(alice.userId, 'PHONE'), roomId)).toBe(first)
  })

  test('is still known after a restart', async () => {
    const file = join(tmpdir(), `warren-transactions-${process.pid}.db`)
    const database = { name: 'sqlite3', args: { database: file } }
    try {
      const before = await house({ database })
      const roomId = await makeRoom(before.alice)
      const first = await sendIn(before.alice, roomId)
      const redaction = await redactIn(before.alice, roomId, first)
      await before.close()
      const after = await house({ database }, { isNew: false })
      expect([await sendIn(after.alice, roomId), await redactIn(after.alice, roomId, first)]).toEqual([first, redaction])
      await after.close()
    } finally {
      for (const suffix of ['', '-wal', '-shm', '.reserve']) rmSync(file + suffix, { force: true })
    }
  })

  test('makes two requests that arrive together one event', async () => {
    const { alice, roomId } = await talk()
    const [one, other] = await Promise.all([sendIn(alice, roomId), sendIn(alice, roomId)])
    expect(one).toBe(other as string)
  })
})
