import { prepareServer } from '#harness/warren-process.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { FigureName } from './budgets.ts'
import { measureGenerator } from './generator.ts'
import { growRooms } from './large-rooms.ts'
import { describeMachine, measureSync, REST_MS } from './machine.ts'
import { warrenCommand } from './options.ts'
import { figure, pageTimes, read, timed } from './reads.ts'
import { printReport } from './report.ts'
import { sentence, word } from './sentences.ts'
import { median } from './statistics.ts'
import { call, type Caller, createRoom, openBench, spread, type Target } from './target.ts'
import { requestBytes } from './wire.ts'
import type { Figure } from './workload.ts'

/** Reads in rooms of up to a million messages, of a thousand members, in a space of two hundred rooms. */

const isQuick = process.argv.includes('--quick')
const SIZES = ([['messages-1k', 1_000], ['messages-10k', 10_000], ['messages-100k', 100_000], ['messages-1m', 1_000_000]] as const)
  .filter(([, size]) => !isQuick || size <= 100_000)
const MEMBERS = 1_000
const CHILDREN = 200
const QUIET_ROOMS = 100
const QUIET_MESSAGES = 20
const ROUNDS = isQuick ? 50 : 200
const BUILDERS = 10
/** Said in the last message of all, and nowhere else. */
const LAST_WORD = 'omegaword'

/** What people look for: something rare, something everybody says, two words, and words next to each other. */
const TERMS: Readonly<Record<string, (round: number) => string>> = {
  rare: (round) => word(5_000 + round * 7),
  usual: (round) => word(50 + round),
  common: (round) => word(round % 5),
  two: (round) => `${word(10 + round)} ${word(100 + round * 3)}`,
  phrase: (round) => `"${sentence(1_000 + round * 11).split(' ').slice(2, 4).join(' ')}"`,
}

const server = prepareServer({ command: warrenCommand() })
try {
  await server.start()
  const target: Target = {
    name: 'Warren',
    address: { hostname: '127.0.0.1', port: server.port },
    durability: 'synchronous full',
    pid: server.pid,
    dataDirectory: server.directory,
    process: server,
  }
  const machine = describeMachine()
  const generator = await measureGenerator()
  const results = await measure(openBench(target, isQuick, 0))
  const byName = new Map<FigureName, Figure>(results.map((result) => [result.name, result]))
  const disk = { diskMs: measureSync(), restedDiskMs: measureSync(undefined, { restMs: REST_MS }) }
  console.log(printReport({ machine, synchronous: 'full', ...disk, generator, measured: [{ target, results: byName }] }))
} finally {
  await server.remove()
}

async function measure(bench: ReturnType<typeof openBench>): Promise<Figure[]> {
  const builder = await bench.caller()
  const rooms = await furnish(builder)
  await server.stop()
  await fill(rooms, builder.account.userId as UserId, (await reclusive(builder)).account.userId as UserId)
  await server.start()
  const caller = await bench.caller()
  return [
    ...await histories(caller, rooms.sized),
    figure('state-1k', await timed(ROUNDS, async () => void (await read(caller, `/rooms/${encodeURIComponent(rooms.crowded)}/state`)))),
    figure('hierarchy', await timed(ROUNDS, () => readSpace(caller, rooms.space))),
    ...await searches(caller),
  ]
}

type Rooms = Readonly<{
  sized: readonly (readonly [FigureName, RoomId, number])[]
  crowded: RoomId
  space: RoomId
  /** Those of somebody else, where next to nothing is said. */
  quiet: readonly RoomId[]
}>

async function furnish(builder: Caller): Promise<Rooms> {
  const sized = []
  for (const [name, size] of SIZES) sized.push([name, await createRoom(builder) as RoomId, size] as const)
  const crowded = await createRoom(builder, { preset: 'public_chat' }) as RoomId
  const space = await createRoom(builder, { creation_content: { type: 'm.space' } }) as RoomId
  const connections = (await builder.bench.connections(BUILDERS)).slice(0, BUILDERS)
  await spread(connections, CHILDREN, async (number, connection) => {
    const caller = { ...builder, connection }
    const child = await createRoom(caller, { name: `Room ${number}`, topic: `What room ${number} is about` })
    const path = `/rooms/${encodeURIComponent(space)}/state/m.space.child/${encodeURIComponent(child)}`
    await call(caller, 'PUT', path, { via: [server.serverName], order: String(number) })
  })
  const quiet: RoomId[] = []
  const recluse = await reclusive(builder)
  await spread(connections, QUIET_ROOMS, async (_number, connection) => {
    quiet.push(await createRoom({ ...recluse, connection }) as RoomId)
  })
  return { sized, crowded, space, quiet }
}

/** The second account. */
async function reclusive(caller: Caller): Promise<Caller> {
  const [, account] = await caller.bench.accounts(2)
  if (!account) throw new Error('There is no second account')
  return { ...caller, account }
}

async function fill({ sized, crowded, quiet }: Rooms, sender: UserId, recluse: UserId): Promise<void> {
  const last = sized.at(-1)?.[1]
  const began = performance.now()
  const growths = [
    { roomId: crowded, sender, messages: 0, members: MEMBERS },
    ...quiet.map((roomId) => ({ roomId, sender: recluse, messages: QUIET_MESSAGES, members: 0 })),
    ...sized.map(([, roomId, messages]) => ({ roomId, sender, messages, members: 0 })),
  ]
  const count = growRooms(server.configPath, growths, (roomId, number, total) =>
    roomId === last && number === total - 1 ? LAST_WORD : sentence(number))
  const seconds = (performance.now() - began) / 1_000
  console.error(`${count.toLocaleString('en')} events written in ${seconds.toFixed(0)} s`)
}

async function histories(caller: Caller, sized: Rooms['sized']): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [name, roomId] of sized) {
    const room = `/rooms/${encodeURIComponent(roomId)}`
    const back = await pageTimes(caller, room, ROUNDS)
    const forth = await pageTimes(caller, room, ROUNDS, 'f')
    figures.push(figure(name, [...back, ...forth], `from the newest ${median(back).toFixed(2)}, from the oldest ${median(forth).toFixed(2)}`))
  }
  return figures
}

async function readSpace({ bench, connection, account }: Caller, space: RoomId): Promise<void> {
  const path = `/_matrix/client/v1/rooms/${encodeURIComponent(space)}/hierarchy?limit=${CHILDREN + 1}`
  const answer = await connection.request(requestBytes(bench.target.address, 'GET', path, account.token))
  const { rooms } = JSON.parse(answer.body.toString()) as { rooms: readonly unknown[] }
  if (rooms.length !== CHILDREN + 1) throw new Error(`The space has ${rooms.length} rooms`)
}

async function searches(caller: Caller): Promise<Figure[]> {
  await untilIndexed(caller)
  const [, connection] = await caller.bench.connections(2)
  if (!connection) throw new Error('There is no second connection')
  const bystander = watch({ ...caller, connection })
  const figures = [await searchAll('search', caller), await searchAll('search-quiet', await reclusive(caller))]
  return [...figures, figure('search-bystander', await bystander.end())]
}

async function searchAll(name: FigureName, caller: Caller): Promise<Figure> {
  const times: number[] = []
  const details: string[] = []
  for (const [kind, termOf] of Object.entries(TERMS)) {
    const taken = await timed(ROUNDS / 5, async (round) => void (await search(caller, termOf(round), round % 2 === 0 ? 'rank' : 'recent')))
    details.push(`${kind} ${median(taken).toFixed(1)}`)
    times.push(...taken)
  }
  return figure(name, times, details.join(', '))
}

/** How long somebody waits who asks something small all the while. */
function watch(caller: Caller): { end: () => Promise<number[]> } {
  const times: number[] = []
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      times.push(...await timed(1, async () => void (await read(caller, '/account/whoami'))))
      await Bun.sleep(1)
    }
  })()
  return {
    end: async () => {
      isOver = true
      await watching
      return times
    },
  }
}

async function untilIndexed(caller: Caller): Promise<void> {
  const began = performance.now()
  while ((await search(caller, LAST_WORD, 'recent')) === 0) await Bun.sleep(100)
  console.error(`indexed in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
}

async function search(caller: Caller, term: string, order: 'rank' | 'recent'): Promise<number> {
  const query = { search_term: term, order_by: order, event_context: { before_limit: 1, after_limit: 1, include_profile: true } }
  const body = { search_categories: { room_events: query } }
  const answer = await call<{ search_categories: { room_events: { count: number } } }>(caller, 'POST', '/search', body)
  return answer.search_categories.room_events.count
}
