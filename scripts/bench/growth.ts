import { endListening, listenAll } from './deliveries.ts'
import { GUESTS_ALLOWED, registerGuests, roomOfGuests } from './guests.ts'
import { bytesOnDisk, describeMachine, measureSync, processorMs } from './machine.ts'
import { openTarget, readOptions } from './options.ts'
import { median } from './statistics.ts'
import type { Account, Bench, Caller } from './target.ts'
import { call, openBench, requestOf } from './target.ts'

/**
 * `npm run bench growth`: what a message, a receipt, a typing notice and a join cost in rooms of 10 to 10,000 members of
 * this server, ten of whom wait in `/sync`. The same in all of them is what is wanted.
 */

const SIZES = [10, 100, 1_000, 10_000] as const
const WAITING = 10
const SETTLE_MS = 5
/** By then a server has made the files that it makes only once. */
const STARTED_MS = 3_000
const WARM_UP = 20
/** The files grow by what is written once for many events, too (a snapshot, a page of an index): the median part has none of it. */
const PARTS = 5

/** One thing that a member does, and a text that nobody is told before it: in quotes, as it stands in the answer. */
type Deed = { readonly by: Account; readonly method: string; readonly path: string; readonly body: object; readonly told: string }
type Action = { readonly name: string; readonly rounds: number; readonly deed: (round: number) => Promise<Deed> | Deed }
type Cost = { readonly name: string; readonly members: number; readonly ms: number; readonly processorMs: number; readonly bytes: number }

const options = readOptions(process.argv.slice(2).filter((word) => word !== 'growth'))
const wanted = { ...options.target, startConfig: { ...options.target.startConfig, ...GUESTS_ALLOWED } }
const sizes = options.quick ? SIZES.slice(0, -1) : SIZES
const diskMs = measureSync(options.directory)
const { target } = await openTarget(wanted, options)
try {
  const bench = openBench(target, options.quick, 0)
  await Bun.sleep(STARTED_MS)
  const costs: Cost[] = []
  for (const members of sizes) costs.push(...await measureRoom(bench, members))
  console.log(options.json ? JSON.stringify({ machine: describeMachine(), diskMs, costs }, null, 2) : table(costs))
} catch (failure) {
  // Before the connections break as well, and that is all that is heard of.
  console.error(failure)
  process.exit(1)
} finally {
  await target.process?.remove()
}

async function measureRoom(bench: Bench, members: number): Promise<Cost[]> {
  const owner = await bench.caller()
  const guests = await registerGuests(bench, members)
  const roomId = await roomOfGuests(bench, owner, guests)
  // The waiting are among those who came last; who acts is not among them.
  const [waiting, acting] = [guests.slice(-WAITING), [owner.account, ...guests.slice(0, -WAITING)]]
  const actions = await actionsIn(bench, { owner, roomId, acting })
  const listeners = await listenAll(bench, waiting)
  const costs: Cost[] = []
  for (const action of actions) {
    console.error(`${members} members: ${action.name}`)
    const times: number[] = []
    const sizes: number[] = []
    const measureSize = (): unknown => sizes.push(bytesOnDisk(bench.target.dataDirectory ?? '.'))
    let worked = 0
    for (let round = -WARM_UP; round < action.rounds; round++) {
      if (round >= 0 && round % (action.rounds / PARTS) === 0) measureSize()
      if (round === 0) worked = processorMs(bench.target.pid() ?? 0)
      const { by, method, path, body, told } = await action.deed(round)
      const heard = Promise.all(listeners.map((listener) => listener.heard(told)))
      const request = requestOf(bench, by, method, `/rooms/${encodeURIComponent(roomId)}${path}`, body)
      const began = performance.now()
      const [answer] = await Promise.all([owner.connection.request(request), heard.then((at) => times.push(Math.max(...at) - began))])
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.toString()}`)
      await Bun.sleep(SETTLE_MS)
    }
    const spent = processorMs(bench.target.pid() ?? 0) - worked
    measureSize()
    const grown = sizes.slice(1).map((size, part) => size - (sizes[part] ?? 0))
    const bytes = median(grown) / action.rounds * PARTS
    costs.push({ name: action.name, members, ms: median(times.slice(WARM_UP)), processorMs: spent / action.rounds, bytes })
  }
  await endListening(bench, { roomId, sender: owner.account, others: waiting }, listeners)
  return costs
}

type Place = { readonly owner: Caller; readonly roomId: string; readonly acting: readonly Account[] }

async function actionsIn(bench: Bench, { owner, roomId, acting }: Place): Promise<Action[]> {
  const rounds = bench.quick ? 50 : 200
  const newcomers = await registerGuests(bench, rounds + WARM_UP)
  const member = (round: number): Account => acting[(round + WARM_UP) % acting.length] ?? owner.account
  const send = async (text: string): Promise<string> => {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${bench.transactionId()}`
    return (await call<{ event_id: string }>(owner, 'PUT', path, { msgtype: 'm.text', body: text })).event_id
  }
  const posted = new Map<number, string>()
  return [
    {
      name: 'message',
      rounds,
      deed: (round) => ({
        by: owner.account,
        method: 'PUT',
        path: `/send/m.room.message/${bench.transactionId()}`,
        body: { msgtype: 'm.text', body: `growth ${round}` },
        told: `growth ${round}`,
      }),
    },
    {
      name: 'receipt',
      rounds,
      deed: async (round) => {
        // What is read is said before, and told before.
        const eventId = posted.get(round) ?? await send(`read ${round}`)
        await Bun.sleep(SETTLE_MS)
        return { by: member(round), method: 'POST', path: `/receipt/m.read/${encodeURIComponent(eventId)}`, body: {}, told: eventId }
      },
    },
    {
      name: 'typing',
      rounds: Math.max(4 * PARTS, Math.min(rounds, 2 * acting.length)),
      deed: async (round) => {
        const by = member(round)
        const path = `/typing/${encodeURIComponent(by.userId)}`
        await call({ ...owner, account: by }, 'PUT', `/rooms/${encodeURIComponent(roomId)}${path}`, { typing: false })
        await Bun.sleep(SETTLE_MS)
        return { by, method: 'PUT', path, body: { typing: true, timeout: 120_000 }, told: by.userId }
      },
    },
    {
      name: 'join',
      rounds,
      deed: (round) => {
        const by = newcomers[round + WARM_UP] ?? owner.account
        return { by, method: 'POST', path: '/join', body: {}, told: by.userId }
      },
    },
  ]
}

function table(costs: readonly Cost[]): string {
  const names = [...new Set(costs.map(({ name }) => name))]
  const rows = names.flatMap((name) => costs.filter((cost) => cost.name === name).map(({ members, ms, processorMs: spent, bytes }) =>
    `${name.padEnd(10)}${members.toLocaleString('en').padStart(8)}${ms.toFixed(2).padStart(10)}${spent.toFixed(2).padStart(12)}${bytes.toFixed(0).padStart(10)}`))
  return [
    `${target.name} (${target.durability}) on ${describeMachine()}; F = ${diskMs.toFixed(2)} ms; ten members wait in /sync`,
    '',
    'what       members   all told   processor     bytes',
    '                           ms          ms   on disk',
    ...rows,
  ].join('\n')
}
