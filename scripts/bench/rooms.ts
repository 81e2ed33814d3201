import { describeMachine, measureSync, processorMs, residentMegabytes } from './machine.ts'
import { openTarget, readOptions } from './options.ts'
import { latencies } from './statistics.ts'
import type { Account, Bench } from './target.ts'
import { call, connectionsOf, createRoom, openBench, requestOf, sendText, spread } from './target.ts'
import { requestBytes } from './wire.ts'

/** `npm run bench rooms`: what syncs cost an account in 200 and in 2,000 rooms. */

const FEW = 200
const MANY = 2_000
const MESSAGES = 20
const BUILDERS = 10
const WINDOW = 20
const ROUNDS = 100
const CALM_MS = 5_000
const SETTLE_MS = 5
const LAST_TWENTY = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: MESSAGES } } }))

type Caller = { readonly bench: Bench; readonly connection: Awaited<ReturnType<typeof connectionsOf>>[number]; readonly account: Account }

const options = readOptions(process.argv.slice(2).filter((word) => word !== 'rooms'))
const diskMs = measureSync(options.directory)
const { target } = await openTarget(options.target, options)
const pid = target.pid() ?? 0
const lines: string[] = []

try {
  const bench = openBench(target, options.quick, 0)
  const [few, many, sender] = await bench.accounts(3)
  const [reading, sending] = await connectionsOf(bench, 2)
  if (!few || !many || !sender || !reading || !sending) throw new Error('Too few accounts')
  const reader: Caller = { bench, connection: reading, account: few }
  const hermit: Caller = { bench, connection: reading, account: many }
  await furnish(bench, few, FEW, MESSAGES)
  await measure('initial /sync of 200 rooms × 20 messages', 20, async (round) => read(reader, `/sync?timeout=${round}&filter=${LAST_TWENTY}`))
  await measure('first sliding window of 20 out of 200 rooms', ROUNDS, async (round) => slide(reader, `c${round}`))
  const since = (await call<{ next_batch: string }>(reader, 'GET', '/sync?timeout=0')).next_batch
  await measure('empty /sync of an account in 200 rooms', ROUNDS, async () => read(reader, `/sync?timeout=0&since=${since}`))
  await furnish(bench, many, MANY, 0)
  const later = (await call<{ next_batch: string }>(hermit, 'GET', '/sync?timeout=0')).next_batch
  await measure('empty /sync of an account in 2,000 rooms', ROUNDS, async () => read(hermit, `/sync?timeout=0&since=${later}`))
  await wakeUps({ ...hermit, connection: sending }, hermit)
  console.log([`${target.name} (${target.durability}) on ${describeMachine()}; F = ${diskMs.toFixed(2)} ms`, '', ...lines].join('\n'))
  console.log(`memory ${residentMegabytes(pid).toFixed(0)} MB, processor ${(processorMs(pid) / 1_000).toFixed(1)} s in all`)
} catch (failure) {
  console.error(failure)
  process.exit(1)
} finally {
  await target.process?.remove()
}

async function measure(name: string, rounds: number, work: (round: number) => Promise<void>): Promise<void> {
  console.error(name)
  const times: number[] = []
  const before = processorMs(pid)
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await work(round)
    times.push(performance.now() - began)
  }
  note(name, times, (processorMs(pid) - before) / rounds)
}

function note(name: string, times: readonly number[], spentMs: number): void {
  lines.push(`${name.padEnd(48)} ${latencies(times)}; ${spentMs.toFixed(2)} ms of processor each`)
}

async function read({ bench, connection, account }: Caller, path: string): Promise<void> {
  const answer = await connection.request(requestOf(bench, account, 'GET', path))
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.toString()}`)
}

/** What Element X asks first. */
async function slide({ bench, connection, account }: Caller, connId: string): Promise<void> {
  const requiredState = [
    ['m.room.name', ''], ['m.room.encryption', ''], ['m.room.member', '$LAZY'], ['m.room.member', '$ME'], ['m.room.topic', ''],
    ['m.room.avatar', ''], ['m.room.canonical_alias', ''], ['m.room.power_levels', ''], ['m.room.join_rules', ''], ['m.room.create', ''],
  ]
  const body = {
    conn_id: connId,
    lists: { all_rooms: { ranges: [[0, WINDOW - 1]], required_state: requiredState, timeline_limit: 1, filters: { not_room_types: ['m.space'] } } },
    extensions: { account_data: { enabled: true }, receipts: { enabled: true, rooms: ['*'] }, typing: { enabled: true } },
  }
  const path = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0'
  const answer = await connection.request(requestBytes(bench.target.address, 'POST', path, account.token, JSON.stringify(body)))
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.toString()}`)
}

/** One of the two thousand rooms speaks, and the account waits for it. */
async function wakeUps(sender: Caller, waiting: Caller): Promise<void> {
  console.error('wake-up')
  const roomId = await createRoom(sender)
  let { next_batch: since } = await call<{ next_batch: string }>(waiting, 'GET', '/sync?timeout=0')
  const [told, sent]: [number[], number[]] = [[], []]
  // What two thousand new rooms have left to tidy up and to index is no part of it.
  await Bun.sleep(CALM_MS)
  const before = processorMs(pid)
  for (let round = 0; round < ROUNDS; round++) {
    const answer = waiting.connection.request(requestOf(waiting.bench, waiting.account, 'GET', `/sync?timeout=30000&since=${since}`))
    await Bun.sleep(SETTLE_MS)
    const began = performance.now()
    const sending = sendText(sender, roomId, round).then(() => sent.push(performance.now() - began))
    const { body } = await answer
    told.push(performance.now() - began)
    await sending
    since = (JSON.parse(body.toString()) as { next_batch: string }).next_batch
  }
  note('wake-up in 2,000 rooms, from the send', told, (processorMs(pid) - before) / ROUNDS)
  note('  of which the send itself', sent, 0)
}

async function furnish(bench: Bench, account: Account, rooms: number, messages: number): Promise<void> {
  console.error(`${rooms} rooms`)
  await spread(await connectionsOf(bench, BUILDERS), options.quick ? rooms / 10 : rooms, async (_room, connection) => {
    const caller = { bench, connection, account }
    const roomId = await createRoom(caller)
    for (let number = 0; number < messages; number++) await sendText(caller, roomId, number)
  })
}
