import type { Behaviour, Command } from '#actors/kernel/actor.ts'
import { systemClock } from '#actors/kernel/clock.ts'
import type { Journal } from '#actors/kernel/journal.ts'
import { System } from '#actors/kernel/system.ts'
import { memoryJournal } from '#harness/memory-journal.ts'
import { sqliteJournal } from '#store/journal.ts'
import { openStore } from '#store/open-store.ts'
import { heapStats } from 'bun:jsc'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureSync } from './machine.ts'
import { median, percentile } from './statistics.ts'

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== 'kernel'),
  options: { seconds: { type: 'string', default: '30' }, directory: { type: 'string', default: tmpdir() } },
})
const FLOOD_SECONDS = Number(options.seconds)
const MEASURE_MS = 3_000

/** A user who only ever sets a profile field: the cheapest fact that the store projects into a row. */
type Profile = { fields: Map<string, number>; looks: number }
type ProfileCommand =
  | Command<'set', { field: string; value: number }, number>
  | Command<'poke', object, number>
  | Command<'leave'>
type ProfileFact = { kind: 'profileFieldSet'; userId: string; field: string; value: number }
type ProfileNote = { kind: 'poked' }
type Effect = { kind: 'rest' }
type Kernel = System<object, Effect>

const profile: Behaviour<Profile, ProfileCommand, ProfileFact, ProfileNote, Effect> = {
  kind: 'profile',
  empty: () => ({ fields: new Map(), looks: 0 }),
  decide: {
    set: ({ fields }, { field, value }, { id }) => ({
      facts: [{ kind: 'profileFieldSet', userId: id.slice(8, id.indexOf('#')), field, value }],
      reply: fields.size,
    }),
    poke: ({ looks }) => ({ notes: [{ kind: 'poked' }], reply: looks + 1 }),
    leave: () => ({ effects: [{ kind: 'rest' }], reply: undefined }),
  },
  apply: {
    profileFieldSet: ({ fields }, { field, value }) => void fields.set(field, value),
    poked: (memory) => void memory.looks++,
  },
  snapshot: {
    version: 1,
    every: () => Number.POSITIVE_INFINITY,
    freeze: ({ fields }) => [...fields],
    thaw: (fields: [string, number][]) => ({ fields: new Map(fields), looks: 0 }),
  },
}

const at = (id: number) => ({ kind: 'profile', id: `@user${id}:a.example` })

const systemOn = (journal: Journal): Kernel => {
  const system: Kernel = new System<object, Effect>({
    journal,
    clock: systemClock,
    behaviours: [profile],
    world: { serverName: 'a.example', signingKey: {}, event: () => undefined },
    nonce: () => 'n'.repeat(32),
    perform: (_effect, from) => system.rest(from as never),
    crashed: (actor, command, error) => console.error(actor, command, error),
  })
  return system
}

const print = (name: string, figure: string, aim = ''): void =>
  console.log(`${name.padEnd(52)} ${figure.padStart(28)}  ${aim}`)
const perSecond = (count: number, ms: number): string =>
  `${Math.round((count * 1_000) / ms).toLocaleString('en')} /s`

/** `clients` who ask again as soon as they are answered, for `ms`; gives the number of replies. */
async function closedLoop(system: Kernel, clients: number, ms: number, command: ProfileCommand, thinkMs = 0) {
  const until = performance.now() + ms
  let replies = 0
  const client = async (id: number): Promise<void> => {
    while (performance.now() < until) {
      await system.ref(at(id)).ask(command, 'bench')
      replies++
      if (thinkMs > 0) await idle(Math.random() * thinkMs)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, id) => client(id)))
  return replies
}

async function idle(ms: number): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
}

async function memoryOnly(): Promise<void> {
  const system = systemOn(memoryJournal())
  const poke = { kind: 'poke' } as const
  await closedLoop(system, 1_000, 500, poke)
  const asked = await closedLoop(system, 1_000, MEASURE_MS, poke)
  print('memory-only turns, asked, 1,000 in flight', perSecond(asked, MEASURE_MS), 'aim ≥ 200,000')
  const rounds = 200
  const began = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 1_000; i++) system.tell(at(i) as never, poke, 'bench')
    await system.settled()
  }
  print('memory-only turns, told', perSecond(rounds * 1_000, performance.now() - began), 'aim ≥ 200,000')
  await system.stop()
}

async function memoryPerActor(): Promise<void> {
  const count = 100_000
  const system = systemOn(memoryJournal())
  const poke = { kind: 'poke' } as const
  const used = (): number => {
    Bun.gc(true)
    return heapStats().heapSize
  }
  await system.ref(at(-1)).ask(poke, 'bench')
  const before = used()
  for (let from = 0; from < count; from += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => system.ref(at(from + index)).ask(poke, 'bench')))
  }
  const awake = used()
  print('an awake idle actor (its Map and counter included)', `${Math.round((awake - before) / count)} bytes`, 'aim < 2,048')
  for (let id = -1; id < count; id++) system.rest(at(id) as never)
  await system.settled()
  print('a resting actor', `${Math.round(Math.max(0, used() - before) / count)} bytes`, 'aim 0')
  await system.stop()
}

async function company(): Promise<void> {
  for (const [clients, delayMs, thinkMs] of [[1, 3, 0.5], [10, 3, 0.5], [10, 10, 2], [10, 3, 10]] as const) {
    const journal = memoryJournal()
    journal.delayMs = delayMs
    const system = systemOn(journal)
    const turns = await closedLoop(system, clients, 2_000, { kind: 'set', field: 'f', value: 1 }, thinkMs)
    const name = `${clients} clients, ${delayMs} ms a commit, up to ${thinkMs} ms of thought`
    const commits = journal.written.length
    const figure = `${(turns / commits).toFixed(1)} turns a commit, ${(2_000 / commits).toFixed(1)} ms`
    print(name, figure, clients === 10 && thinkMs < delayMs ? 'aim ≥ 9' : '')
    await system.stop()
  }
}

async function durable(system: Kernel): Promise<void> {
  const set = { kind: 'set', field: 'displayname', value: 7 } as const
  await closedLoop(system, 100, 500, set)
  for (const clients of [1, 10, 100, 1_000]) {
    const turns = await closedLoop(system, clients, MEASURE_MS, set)
    print(`durable turns, ${clients.toLocaleString('en')} in flight`, perSecond(turns, MEASURE_MS))
  }
}

async function wake(system: Kernel): Promise<void> {
  const facts = 10_000
  const address = at(1_000_000)
  for (let from = 0; from < facts; from += 500) {
    const fields = Array.from({ length: 500 }, (_, index) => `field ${(from + index) % 500}`)
    const set = (field: string) => system.ref(address).ask({ kind: 'set', field, value: from }, 'bench')
    await Promise.all(fields.map(set))
  }
  const timeToWake = async (): Promise<number> => {
    const began = performance.now()
    await system.ref(address).ask({ kind: 'poke' }, 'bench')
    return performance.now() - began
  }
  system.kill(address as never)
  const without = await timeToWake()
  await system.ref(address).ask({ kind: 'leave' }, 'bench')
  await system.settled()
  const withSnapshot = await timeToWake()
  print('to wake an actor behind 10,000 facts', `${without.toFixed(1)} ms`)
  print('to wake it from a snapshot', `${withSnapshot.toFixed(1)} ms`)
}

/** How late timers of 1 ms fire while `work` goes on: as late as the event loop is busy, or the machine is. */
async function pausesDuring<T>(work: () => Promise<T>): Promise<{ result: T; lags: number[] }> {
  const lags: number[] = []
  let isOver = false
  const watch = async (): Promise<void> => {
    while (!isOver) {
      const began = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 1))
      lags.push(performance.now() - began - 1)
    }
  }
  const watching = watch()
  const result = await work()
  isOver = true
  await watching
  return { result, lags }
}

const pauses = (lags: readonly number[]): string =>
  [median(lags), percentile(lags, 0.99), Math.max(...lags)].map((ms) => `${ms.toFixed(1)} ms`).join(', ')

async function flood(system: Kernel): Promise<void> {
  const ms = FLOOD_SECONDS * 1_000
  const set = { kind: 'set', field: 'displayname', value: 7 } as const
  const quiet = await pausesDuring(() => Bun.sleep(Math.min(ms, 5_000)))
  print('event-loop pause when idle: median, 99 %, longest', pauses(quiet.lags), 'the noise of this machine')
  const { result: turns, lags } = await pausesDuring(() => closedLoop(system, 1_000, ms, set))
  print(`write flood of ${FLOOD_SECONDS} s, 1,000 in flight`, perSecond(turns, ms))
  print('event-loop pause in it: median, 99 %, longest', pauses(lags), 'aim < 10 ms for 99 %, < 50 ms')
}

await memoryOnly()
await memoryPerActor()
await company()
const directory = mkdtempSync(join(options.directory, 'warren-kernel-'))
try {
  print('this disk: 4 KB appended and synced', `${measureSync(options.directory).toFixed(2)} ms`)
  const store = await openStore(join(directory, 'warren.db'), 'full')
  const system = systemOn(sqliteJournal(store.reader, store.writer))
  await durable(system)
  await wake(system)
  await flood(system)
  await system.stop()
  await store.close()
} finally {
  rmSync(directory, { recursive: true })
}
process.exit(0)
