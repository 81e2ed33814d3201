import { roomOf } from './deliveries.ts'
import { latencies, median } from './statistics.ts'
import type { Account, Bench, Caller } from './target.ts'
import { call, createRoom, requestOf, sendText, spread } from './target.ts'
import type { Figure, Workload } from './workload.ts'

const ROOMS = 200
const MESSAGES = 20
const PAGE = 50
const HISTORY = 1000
const BUILDERS = 10

/** An account in two hundred rooms: everything at once, then nothing new. */
export const syncs: Workload = {
  name: 'syncs',
  figures: ['initial-sync', 'empty-sync'],
  run: async (bench) => {
    const reader = await ownAccount(bench)
    await furnish(bench, reader, bench.quick ? ROOMS / 4 : ROOMS)
    const caller = { ...await bench.caller(), account: reader }
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: MESSAGES } } }))
    let bytes = 0
    const initial = await timed(bench.quick ? 5 : 20, async (round) => {
      bytes = await read(caller, `/sync?timeout=${round}&filter=${filter}`)
    })
    const { next_batch: since } = await call<{ next_batch: string }>(caller, 'GET', '/sync?timeout=0')
    const empty = await timed(bench.quick ? 50 : 200, async () => {
      await read(caller, `/sync?timeout=0&since=${encodeURIComponent(since)}`)
    })
    return [
      figure('initial-sync', initial, `${(bytes / 1000).toFixed(0)} KB${bench.quick ? `, ${ROOMS / 4} rooms only` : ''}`),
      figure('empty-sync', empty),
    ]
  },
}

/** A page of history and the state of a room of a hundred. */
export const reads: Workload = {
  name: 'reads',
  figures: ['messages', 'state'],
  run: async (bench) => {
    const { roomId } = await roomOf(bench, 100)
    const caller = await bench.caller()
    const connections = (await bench.connections(BUILDERS)).slice(0, BUILDERS)
    await spread(connections, HISTORY, (number, connection) => sendText({ ...caller, connection }, roomId, number))
    const room = `/rooms/${encodeURIComponent(roomId)}`
    const rounds = bench.quick ? 50 : 200
    const pages = await pageTimes(caller, room, rounds)
    const states = await timed(rounds, async () => void (await read(caller, `${room}/state`)))
    return [figure('messages', pages), figure('state', states)]
  },
}

/** New rooms, one by one. */
export const creations: Workload = {
  name: 'creations',
  figures: ['create-room'],
  run: async (bench) => {
    const caller = await bench.caller()
    const create = async (): Promise<void> => void (await createRoom(caller))
    await timed(10, create)
    return [figure('create-room', await timed(bench.quick ? 20 : 100, create))]
  },
}

export function figure(name: Figure['name'], times: readonly number[], more = ''): Figure {
  return { name, value: median(times), detail: [latencies(times), more].filter((part) => part !== '').join('; ') }
}

export async function timed(rounds: number, work: (round: number) => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await work(round)
    times.push(performance.now() - began)
  }
  return times
}

export async function read({ bench, connection, account }: Caller, path: string): Promise<number> {
  const answer = await connection.request(requestOf(bench, account, 'GET', path))
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.toString()}`)
  return answer.body.length
}

/** Walks through a room's history page by page, from the newest or the oldest, and from there again when it ends. */
export async function pageTimes(
  { bench, connection, account }: Caller,
  room: string,
  rounds: number,
  direction: 'b' | 'f' = 'b',
): Promise<number[]> {
  const first = `${room}/messages?dir=${direction}&limit=${PAGE}`
  const times: number[] = []
  let path = first
  for (let round = 0; round < rounds; round++) {
    const request = requestOf(bench, account, 'GET', path)
    const began = performance.now()
    const answer = await connection.request(request)
    times.push(performance.now() - began)
    const page = JSON.parse(answer.body.toString()) as { chunk: readonly unknown[]; end?: string }
    const goesOn = page.chunk.length === PAGE && page.end !== undefined
    path = goesOn ? `${first}&from=${encodeURIComponent(page.end ?? '')}` : first
  }
  return times
}

/** The last of the accounts: it is in no other workload's rooms but the crowd's. */
async function ownAccount(bench: Bench): Promise<Account> {
  const account = (await bench.accounts(103)).at(102)
  if (account === undefined) throw new Error('No account')
  return account
}

async function furnish(bench: Bench, account: Account, rooms: number): Promise<void> {
  const connections = (await bench.connections(BUILDERS)).slice(0, BUILDERS)
  await spread(connections, rooms, async (_room, connection) => {
    const caller = { bench, connection, account }
    const roomId = await createRoom(caller)
    for (let number = 0; number < MESSAGES; number++) await sendText(caller, roomId, number)
  })
}
