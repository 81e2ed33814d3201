import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { Direction, KnownMembership, type MatrixClient } from 'matrix-js-sdk'
import { anotherDevice, beginEvening, type Evening, makeRooms, type Person, spend, talkAtOnce } from '#harness/evening.ts'
import { faultsIn, follow, type Follower, hasBeenOut } from '#harness/evening-client.ts'
import { asSlid, slide, type Slider } from '#harness/evening-slider.ts'
import { endedRooms, historyOf, type RoomView, type View, viewOfServer } from '#harness/evening-view.ts'
import { call, type Json, type Session } from '#harness/http-client.ts'
import { silenceDiaries } from '#harness/crypto-client.ts'
import { until } from '#harness/until.ts'
import { binaryCommand, compiledBinary, type ServerProcess, startServer } from '#harness/warren-process.ts'

const START_LIMIT_MS = 60_000
setDefaultTimeout(60_000)
/** Another seed is another evening. */
const SEED = Number(process.env['EVENING_SEED'] ?? 6)
/** Acts in each part of the evening; some hundreds make it a long one. */
const ACTS = Number(process.env['EVENING_ACTS'] ?? 100)

let server: ServerProcess
let evening: Evening
let followers: readonly Follower[]
let observers: readonly Session[]
let sliders: readonly Slider[]
let marks = 0
let speakAgain: () => void

beforeAll(async () => {
  speakAgain = silenceDiaries()
  server = await startServer({ command: binaryCommand(compiledBinary()) })
  evening = await beginEvening(server.url, SEED)
  observers = await Promise.all(evening.people.map((person) => anotherDevice(evening, person)))
  const devices = await Promise.all(evening.people.map((person) => anotherDevice(evening, person)))
  followers = await Promise.all(devices.map(follow))
  sliders = (await Promise.all(evening.people.map((person) => anotherDevice(evening, person)))).map(slide)
}, START_LIMIT_MS)

afterAll(async () => {
  for (const { client } of followers ?? []) client.stopClient()
  await Promise.all((sliders ?? []).map(({ stop }) => stop()))
  await server.remove()
  speakAgain()
})

/** Everyone's client has everything up to here, and shows what the server shows to a new device. */
async function compare(): Promise<void> {
  const mark = ++marks
  await Promise.all(evening.people.map(({ session }) =>
    call(session, 'PUT', `/user/${encodeURIComponent(session.userId)}/account_data/org.example.mark`, { mark })))
  for (const [index, { client, view, told }] of followers.entries()) {
    await until(`mark ${mark} at ${client.getUserId()}`, () => client.getAccountData('org.example.mark' as never)?.getContent()['mark'] === mark)
    const truth = await viewOfServer(observers[index] as Session)
    const isSame = (): boolean => Bun.deepEquals(comparable(view(), truth), truth)
    await until('the same', isSame).catch(() => undefined)
    expect(comparable(view(), truth)).toEqual(truth)
    for (const room of client.getRooms().filter(({ roomId }) => truth.rooms[roomId]?.membership === 'join'))
      expect(faultsIn(room, told.get(room.roomId) ?? [], await historyOf(observers[index] as Session, room.roomId))).toEqual([])
  }
  await compareSlid()
}

/** The same for clients of sliding sync: the rooms that they list, and what they show of them. */
async function compareSlid(): Promise<void> {
  for (const [index, { rooms, accountData }] of sliders.entries()) {
    const observer = observers[index] as Session
    await until(`mark ${marks} at slider ${index}`, () => accountData.get('org.example.mark')?.['mark'] === marks)
    const truth = await viewOfServer(observer)
    const there = Object.entries(truth.rooms).filter(([, { membership }]) => membership !== 'leave' && membership !== 'ban')
    const real = await Promise.all(there.map(async ([roomId, room]) =>
      [roomId, asSlid(room, room.membership === 'join' ? ((await historyOf(observer, roomId)).at(-1)?.event_id ?? null) : null)] as const))
    const shown = (): Record<string, unknown> => Object.fromEntries([...rooms]
      .filter(([, { membership }]) => membership !== 'leave' && membership !== 'ban')
      .map(([roomId, room]) => [roomId, { ...room, members: room.membership === 'join' ? { ...truth.rooms[roomId]?.members, ...room.members } : {} }]))
    // More rooms than it has asked for come with the next answer.
    await until('the same', () => Bun.deepEquals(shown(), Object.fromEntries(real))).catch(() => undefined)
    expect(shown()).toEqual(Object.fromEntries(real))
  }
}

/**
 * What a client may know less or more of than a new device: members are loaded lazily, forgotten rooms it still has, and
 * of a room that it was in once it still has the state when it is invited again.
 */
function comparable(view: View, truth: View): View {
  const rooms = Object.entries(view.rooms).flatMap(([roomId, room]) => {
    const real = truth.rooms[roomId]
    if (real === undefined && (room.membership === 'leave' || room.membership === 'ban')) return []
    if (real === undefined) return [[roomId, room]]
    if (room.membership === 'join') return [[roomId, { ...room, members: { ...real.members, ...room.members }, receipts: heldReceipts(room.receipts, real.receipts) }]]
    return [[roomId, { ...room, members: within(room.members, real.members), state: within(room.state, real.state) }]]
  })
  return { ...view, rooms: Object.fromEntries(rooms) }
}

type Receipts = RoomView['receipts']
const overAllThreads = (key: string): string => key.replace(/ [^ ]+$/, ' all')

/** Of two receipts of someone on one event that over all threads is told; where there is one, of the other little can be said. */
function heldReceipts(held: Receipts, real: Receipts): Receipts {
  const isCovered = ([key]: readonly [string, string]): boolean => !key.endsWith(' all') && overAllThreads(key) in held && overAllThreads(key) in real
  return Object.fromEntries([...Object.entries(held).filter((entry) => !isCovered(entry)), ...Object.entries(real).filter(isCovered)])
}

// The library loses its way when the echo of a reply in a thread comes before the answer to the request.
const isPlain = (content: Json): boolean => content['m.relates_to'] === undefined

/** To a fresh client nothing is unread in a room in which its user was the last to do anything. */
function withoutOwnEnds(client: MatrixClient, view: View): View {
  const hasOwnEnd = (roomId: string): boolean => client.getRoom(roomId)?.getLiveTimeline().getEvents().at(-1)?.getSender() === client.getUserId()
  const rooms = Object.entries(view.rooms).map(([roomId, room]) => {
    const { main: _, ...threads } = room.counts
    return [roomId, hasOwnEnd(roomId) ? { ...room, counts: threads } : room]
  })
  return { ...view, rooms: Object.fromEntries(rooms) }
}

const within = <T>(record: Readonly<Record<string, T>>, other: object): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key in other))

/** What would shut people up or take their words back. */
const ENDS = ['redact', 'leave', 'kick', 'ban']
/** Whose clients send their messages themselves, so that they meet their own echo. */
const WITH_CLIENT = [0, 1]

describe('an evening with matrix-js-sdk', () => {
  test('begins with twenty rooms', async () => {
    await makeRooms(evening)
    await compare()
  })

  test('goes on with people coming, going, talking and reading', async () => {
    for (const index of WITH_CLIENT) {
      const { client } = followers[index] as Follower
      const person = evening.people[index] as Person
      const sendAsRequest = person.send
      person.send = async (roomId, type, content) => (isPlain(content) ? (await client.sendEvent(roomId, type as never, content as never)).event_id : sendAsRequest(roomId, type, content))
    }
    await spend(evening, ACTS)
    await compare()
  })

  test('someone was away for a while', async () => {
    const [away] = followers.slice(-1)
    away?.goAway()
    await spend(evening, ACTS)
    away?.comeBack()
    await compare()
  })

  test('the server was restarted meanwhile', async () => {
    const busy = spend(evening, ACTS / 2, { who: evening.people.slice(WITH_CLIENT.length) })
    expect(await server.stop()).toBe(0)
    await server.start()
    await busy
    await compare()
  })

  test('the server was killed while everyone talked', async () => {
    const busy = Promise.all([talkAtOnce(evening, 20), spend(evening, ACTS / 2, { who: evening.people.slice(WITH_CLIENT.length), but: ENDS })])
    await server.kill()
    await server.start()
    const [words] = await busy
    await compare()
    const seen = new Map<string, number>()
    for (const { roomId, owner } of evening.places) {
      const observer = observers[evening.people.indexOf(owner)] as Session
      for (const { content } of await historyOf(observer, roomId)) seen.set(String(content['body']), (seen.get(String(content['body'])) ?? 0) + 1)
    }
    expect(words.map((word) => [word, seen.get(word)])).toEqual(words.map((word) => [word, 1]))
  })

  test('ends with the same history for everyone who stayed', async () => {
    await spend(evening, ACTS)
    await compare()
    for (const [index, { client }] of followers.entries()) {
      for (const room of client.getRooms().filter((each) => each.getMyMembership() === KnownMembership.Join)) {
        while (room.getLiveTimeline().getPaginationToken(Direction.Backward)) await client.scrollback(room, 50)
        const history = await historyOf(observers[index] as Session, room.roomId)
        if (hasBeenOut(room.myUserId, history)) continue
        expect(faultsIn(room, history.map(({ event_id }) => event_id), history)).toEqual([])
      }
    }
  })

  test('everyone has lost answers on the way', () => {
    expect(followers.filter(({ lost }) => lost() === 0)).toEqual([])
  })

  test('looks the same to those who sign in now', async () => {
    const devices = await Promise.all(evening.people.map((person) => anotherDevice(evening, person)))
    const fresh = await Promise.all(devices.map(follow))
    try {
      for (const [index, { client, view }] of fresh.entries()) {
        const truth = withoutOwnEnds(client, await viewOfServer(observers[index] as Session))
        const ended = await endedRooms(observers[index] as Session)
        const rooms = Object.fromEntries(Object.entries(truth.rooms).filter(([roomId]) => !ended.includes(roomId)))
        expect(withoutOwnEnds(client, comparable(view(), truth))).toEqual({ ...truth, rooms })
      }
    } finally {
      for (const { client } of fresh) client.stopClient()
    }
  })
})
