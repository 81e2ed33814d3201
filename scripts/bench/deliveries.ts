import { processorMs } from './machine.ts'
import { latencies, median } from './statistics.ts'
import type { Account, Bench, Caller } from './target.ts'
import { call, createRoom, requestOf, spread, textRequest } from './target.ts'
import { connectionAt } from './workers.ts'
import type { Workload } from './workload.ts'

const MEMBERS = 100
const SETTLE_MS = 5
const WAIT_MS = 30_000

/** How soon a message reaches a waiting `/sync`, and what it costs to tell a hundred who wait. */
export const deliveries: Workload = {
  name: 'deliveries',
  figures: ['delivery', 'delivery-processor'],
  run: async (bench) => {
    const pair = await roomOf(bench, 2)
    const times = await deliveryTimes(bench, pair, bench.quick ? 50 : 200)
    const crowd = await roomOf(bench, MEMBERS + 1)
    const cost = await deliveryCost(bench, crowd, bench.quick ? 20 : 60)
    return [
      { name: 'delivery', value: median(times), detail: latencies(times) },
      cost === undefined
        ? { name: 'delivery-processor', why: 'no process id' }
        : {
            name: 'delivery-processor',
            value: cost.processorMs,
            detail: `${cost.deliveries} deliveries, last of 100 told after ${latencies(cost.times)}`,
          },
    ]
  },
}

/** A room in which the first member sends. */
export type Gathering = { readonly roomId: string; readonly sender: Account; readonly others: readonly Account[] }

/** A new room with that many members. */
export async function roomOf(bench: Bench, members: number): Promise<Gathering> {
  const [sender, ...others] = (await bench.accounts(members)).slice(0, members)
  const connections = (await bench.connections(8)).slice(0, 8)
  if (sender === undefined) throw new Error('No account')
  const roomId = await createRoom(await bench.caller(), { preset: 'public_chat' })
  const path = `/rooms/${encodeURIComponent(roomId)}/join`
  await spread(connections, others.length, async (index, connection) => {
    const account = others[index]
    if (account !== undefined) await call({ bench, connection, account }, 'POST', path, {})
  })
  return { roomId, sender, others }
}

export type Listener = { readonly heard: (text: string) => Promise<number>; readonly end: () => void }

/** Keeps an account waiting in `/sync`; `heard` resolves with the time at which that text arrived. */
async function listen(caller: Caller): Promise<Listener> {
  const { bench, connection, account } = caller
  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 5 } }, presence: { not_types: ['*'] } }))
  const start = await call<{ next_batch: string }>(caller, 'GET', `/sync?timeout=0&filter=${filter}`)
  let waiting: { readonly text: string; readonly tell: (at: number) => void } | undefined
  let ended = false
  const loop = async (since: string): Promise<void> => {
    if (ended) return
    const path = `/sync?timeout=${WAIT_MS}&since=${encodeURIComponent(since)}&filter=${filter}`
    const answer = await connection.request(requestOf(bench, account, 'GET', path))
    const at = performance.now()
    const text = answer.body.toString()
    const next = /"next_batch": *"([^"]+)"/.exec(text)?.[1]
    if (answer.status !== 200 || next === undefined) throw new Error(`/sync answered ${answer.status}: ${text}`)
    if (waiting !== undefined && text.includes(waiting.text)) waiting.tell(at)
    return loop(next)
  }
  void loop(start.next_batch).catch((failure: unknown) => {
    if (!ended) throw failure
  })
  const heard = (text: string): Promise<number> => new Promise((resolve) => {
    waiting = { text: `"${text}"`, tell: resolve }
  })
  return { heard, end: () => { ended = true } }
}

/** Each on a connection of its own; the first one stays free for the sender. */
export async function listenAll(bench: Bench, accounts: readonly Account[]): Promise<Listener[]> {
  const connections = await bench.connections(accounts.length + 1)
  return Promise.all(accounts.map((account, index) =>
    listen({ bench, connection: connectionAt(connections, index + 1), account })))
}

async function deliveryTimes(bench: Bench, { roomId, sender, others }: Gathering, rounds: number): Promise<number[]> {
  const connections = await bench.connections(2)
  const listeners = await listenAll(bench, others)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    await Bun.sleep(SETTLE_MS)
    const heard = Promise.all(listeners.map((listener) => listener.heard(`seq msg ${round}`)))
    const request = textRequest(bench, sender, roomId, round)
    const began = performance.now()
    const sent = connectionAt(connections, 0).request(request)
    times.push(Math.max(...await heard) - began)
    await sent
  }
  await endListening(bench, { roomId, sender, others }, listeners)
  return times
}

/** Every listener is in the middle of a long poll: one more message lets them all go. */
export async function endListening(bench: Bench, { roomId, sender }: Gathering, listeners: readonly Listener[]): Promise<void> {
  await Bun.sleep(SETTLE_MS)
  for (const listener of listeners) listener.end()
  const last = Promise.all(listeners.map((listener) => listener.heard('seq msg -1')))
  const [connection] = await bench.connections(1)
  await connection?.request(textRequest(bench, sender, roomId, -1))
  await last
}

type DeliveryCost = { readonly processorMs: number; readonly deliveries: number; readonly times: readonly number[] }

async function deliveryCost(bench: Bench, gathering: Gathering, rounds: number): Promise<DeliveryCost | undefined> {
  const pid = bench.target.pid()
  if (pid === undefined) return undefined
  const { roomId, sender, others } = gathering
  const connections = await bench.connections(others.length + 1)
  const listeners = await listenAll(bench, others)
  const times: number[] = []
  const before = processorMs(pid)
  for (let round = 0; round < rounds; round++) {
    const heard = Promise.all(listeners.map((listener) => listener.heard(`seq msg ${round}`)))
    const began = performance.now()
    await connectionAt(connections, 0).request(textRequest(bench, sender, roomId, round))
    times.push(Math.max(...await heard) - began)
    await Bun.sleep(SETTLE_MS)
  }
  const used = processorMs(pid) - before
  await endListening(bench, gathering, listeners)
  const deliveries = rounds * others.length
  return { processorMs: used / deliveries, deliveries, times }
}
