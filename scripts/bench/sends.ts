import type { Figure, Workload } from './workload.ts'
import type { Account, Bench } from './target.ts'
import { createRoom, spread, textRequest } from './target.ts'
import { latencies, median } from './statistics.ts'
import type { Run } from './workers.ts'
import { runWorkers } from './workers.ts'

const SENDS = 500
const WORKERS = 10
const ROOMS = 50
const ROUNDS = 5

/** 500 sends one by one, 500 by ten workers into the same room, and fifty workers each in a room of their own. */
export const sends: Workload = {
  name: 'sends',
  figures: ['send-one-by-one', 'send-ten-workers', 'send-fifty-rooms'],
  run: async (bench) => {
    const caller = await bench.caller()
    const sender = caller.account
    const roomId = await createRoom(caller)
    await oneRoom(bench, sender, roomId, WORKERS)
    const oneByOne = await oneRoom(bench, sender, roomId, 1)
    const rounds: Run[] = []
    for (let round = 0; round < (bench.quick ? 1 : ROUNDS); round++) {
      rounds.push(await oneRoom(bench, sender, roomId, WORKERS))
    }
    const { timesMs } = oneByOne
    return [
      { name: 'send-one-by-one', value: median(timesMs), detail: `${rate(oneByOne)} msg/s, ${latencies(timesMs)}` },
      middleRate('send-ten-workers', rounds),
      await fiftyRooms(bench, sender),
    ]
  },
}

const rate = (run: Run): number => Math.round(run.timesMs.length / run.elapsedMs * 1000)

function middleRate(name: Figure['name'], rounds: readonly Run[]): Figure {
  const all = rounds.flatMap((round) => [...round.timesMs])
  const rates = rounds.map(rate)
  return { name, value: median(rates), detail: `rounds ${rates.join(' ')}; ${latencies(all)}` }
}

async function oneRoom(bench: Bench, sender: Account, roomId: string, workers: number): Promise<Run> {
  const connections = await bench.connections(workers)
  const requests = Array.from({ length: workers }, (_, worker) =>
    Array.from({ length: SENDS / workers }, (_none, number) =>
      textRequest(bench, sender, roomId, worker * SENDS + number)))
  return runWorkers(connections.slice(0, workers), requests)
}

async function fiftyRooms(bench: Bench, sender: Account): Promise<Figure> {
  const perRoom = bench.quick ? 20 : 100
  const fill = await prepareFill(bench, sender, ROOMS * perRoom)
  const run = await fill()
  return { name: 'send-fifty-rooms', value: rate(run), detail: `${run.timesMs.length} sends, ${latencies(run.timesMs)}` }
}

/** Makes fifty rooms; the function it gives back sends that many messages, one worker in each. */
export async function prepareFill(bench: Bench, sender: Account, events: number): Promise<() => Promise<Run>> {
  const connections = (await bench.connections(ROOMS)).slice(0, ROOMS)
  const rooms: string[] = []
  await spread(connections.slice(0, WORKERS), ROOMS, async (index, connection) => {
    rooms[index] = await createRoom({ bench, connection, account: sender })
  })
  const requests = rooms.map((roomId) =>
    Array.from({ length: Math.ceil(events / ROOMS) }, (_, number) => textRequest(bench, sender, roomId, number)))
  return () => runWorkers(connections, requests)
}
