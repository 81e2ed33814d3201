import { GUESTS_ALLOWED, registerGuests } from './guests.ts'
import { describeMachine, processorMs, residentMegabytes } from './machine.ts'
import { openTarget, readOptions } from './options.ts'
import { call, openBench, requestOf, spread } from './target.ts'

/** `npm run bench polls`: what ten thousand accounts cost that wait in `/sync` while nothing happens. */

const POLLS = 10_000
const OPENERS = 50
const WAIT_MS = 120_000
const SETTLE_MS = 10_000
const IDLE_MS = 20_000

const options = readOptions(process.argv.slice(2).filter((word) => word !== 'polls'))
const polls = options.quick ? POLLS / 10 : POLLS
const wanted = { ...options.target, startConfig: { ...options.target.startConfig, ...GUESTS_ALLOWED } }
const { target } = await openTarget(wanted, options)
const pid = target.pid() ?? 0
try {
  const bench = openBench(target, options.quick, 0)
  const accounts = await registerGuests(bench, polls)
  const connections = await bench.connections(polls)
  const tokens: string[] = []
  await spread(connections.slice(0, OPENERS), polls, async (index, connection) => {
    const account = accounts[index]
    if (account) tokens[index] = (await call<{ next_batch: string }>({ bench, connection, account }, 'GET', '/sync?timeout=0')).next_batch
  })
  await Bun.sleep(SETTLE_MS)
  const before = residentMegabytes(pid)
  const answers = accounts.map((account, index) =>
    connections[index]?.request(requestOf(bench, account, 'GET', `/sync?timeout=${WAIT_MS}&since=${encodeURIComponent(tokens[index] ?? '')}`)))
  await Bun.sleep(SETTLE_MS)
  const waiting = residentMegabytes(pid)
  const worked = processorMs(pid)
  await Bun.sleep(IDLE_MS)
  const idle = processorMs(pid) - worked
  await Promise.all(answers)
  await Bun.sleep(SETTLE_MS)
  const figures = {
    polls,
    kilobytesEach: ((waiting - before) * 1_000) / polls,
    megabytes: { before, waiting, after: residentMegabytes(pid) },
    processorShareIdle: idle / IDLE_MS,
  }
  console.log(options.json ? JSON.stringify({ machine: describeMachine(), ...figures }, null, 2) : table(figures))
} catch (failure) {
  console.error(failure)
  process.exit(1)
} finally {
  await target.process?.remove()
}

type Figures = {
  readonly polls: number
  readonly kilobytesEach: number
  readonly megabytes: { readonly before: number; readonly waiting: number; readonly after: number }
  readonly processorShareIdle: number
}

function table({ polls: count, kilobytesEach, megabytes: { before, waiting, after }, processorShareIdle }: Figures): string {
  return [
    `${target.name} on ${describeMachine()}; ${count.toLocaleString('en')} accounts wait in /sync`,
    `memory of each        ${kilobytesEach.toFixed(1)} KB  (aim < 15)`,
    `memory                ${before.toFixed(0)} MB before, ${waiting.toFixed(0)} while they wait, ${after.toFixed(0)} after their answers`,
    `processor meanwhile   ${(processorShareIdle * 100).toFixed(2)} % of a core`,
  ].join('\n')
}
