import { expect, test } from 'bun:test'
import { MESSAGES_PER_LETTER, MESSAGES_PER_ROUND, messageRetention, ROOMS_PER_ROUND } from '#errands/message-retention.ts'
import { type House, house } from '#harness/house.ts'
import { makeRoom } from '#harness/rooms.ts'

const DAY_MS = 24 * 60 * 60_000
const EVERY_DAY = { retention: { enabled: true, default_policy: { max_lifetime: '1d' } } }

/** Rows of messages as they lie in the table, all of one millisecond. */
function fill({ server: { store } }: House, roomId: string, count: number): void {
  const { db, names } = store
  const message = [names.find(roomId) ?? 0, names.numberOf('m.room.message'), names.numberOf('@alice:a.example')]
  const insert = db.query('INSERT INTO events (num, room, event_id, type, sender, depth, ts, content_start, content_end, json) VALUES (?, ?, ?, ?, ?, 9, 1, 0, 2, ?)')
  db.transaction(() => {
    for (let index = 0; index < count; index++) insert.run(1_000_000 + index, message[0] ?? 0, `$${index}`, message[1] ?? 0, message[2] ?? 0, '{}')
  })()
}

const given = ({ server: { store, config } }: House, now: number) => ({ store, config, now })
const idsIn = ({ command }: { command: object }): readonly string[] => (command as { eventIds: readonly string[] }).eventIds

test('letters and rounds hold so many messages and no more', async () => {
  const opened = await house(EVERY_DAY)
  fill(opened, await makeRoom(opened.alice), MESSAGES_PER_ROUND + 1)
  const letters = messageRetention().letters(given(opened, 2 * DAY_MS))
  expect(letters.map((each) => idsIn(each).length)).toEqual(Array(MESSAGES_PER_ROUND / MESSAGES_PER_LETTER).fill(MESSAGES_PER_LETTER))
})

test('the next round goes on, also among messages of one millisecond, and comes to an end', async () => {
  const opened = await house(EVERY_DAY)
  fill(opened, await makeRoom(opened.alice), MESSAGES_PER_ROUND + 1)
  const { letters } = messageRetention()
  const gone = () => opened.server.store.db.query('DELETE FROM events WHERE num >= 1000000 AND num < ?').run(1_000_000 + MESSAGES_PER_ROUND)
  letters(given(opened, 2 * DAY_MS))
  gone()
  expect(letters(given(opened, 2 * DAY_MS)).map((each) => idsIn(each).length)).toEqual([1])
  expect(letters(given(opened, 2 * DAY_MS))).toEqual([])
})

test('what arrives late and is old already is found the next day', async () => {
  const opened = await house(EVERY_DAY)
  const roomId = await makeRoom(opened.alice)
  const { letters } = messageRetention()
  expect(letters(given(opened, 2 * DAY_MS))).toEqual([])
  fill(opened, roomId, 1)
  expect(letters(given(opened, 2 * DAY_MS))).toEqual([])
  expect(letters(given(opened, 3 * DAY_MS + 1))).toHaveLength(1)
})

test('a round comes by so many rooms, and the next by the others', async () => {
  const opened = await house(EVERY_DAY)
  const { db, names } = opened.server.store
  await makeRoom(opened.alice)
  for (let index = 0; index < ROOMS_PER_ROUND; index++)
    db.query('INSERT INTO rooms (room, version, create_event) VALUES (?, ?, 0)').run(names.numberOf(`!${index}`), '12')
  const last = `!${ROOMS_PER_ROUND - 1}`
  fill(opened, last, 1)
  const { letters } = messageRetention()
  const roomsIn = () => letters(given(opened, 2 * DAY_MS)).map(({ to }) => to.id)
  expect([roomsIn(), roomsIn()]).toEqual([[], [last]])
})
