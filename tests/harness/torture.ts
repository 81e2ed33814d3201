import { Database } from 'bun:sqlite'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientEvent, Session } from '#harness/http-client.ts'
import { bringIn, createRoom, login, messages, messagesForward, register, sendText, sync } from '#harness/http-client.ts'
import type { ServerOptions, ServerProcess } from '#harness/warren-process.ts'
import { startServer } from '#harness/warren-process.ts'

/**
 * Floods a server with messages, kills it with SIGKILL at a random moment, starts it again and looks for each message
 * in every way in which a client can read it. A kill loses what the process held and not what the kernel was given:
 * this shows that nothing is acknowledged before it is written, not that the disk keeps it when the power fails.
 */
export type TortureOptions = {
  readonly server: ServerOptions
  readonly rounds: number
  /** The same seed kills after the same times. */
  readonly seed: number
  /** The longest flood before the kill. */
  readonly floodMs: number
  readonly onRound?: (round: number, report: TortureReport) => void
}

export type TortureReport = {
  readonly rounds: number
  readonly acknowledged: number
  /** Requests whose answer the kill cut off; each was sent again with the same transaction id. */
  readonly interrupted: number
  /** Acknowledged requests that were sent again. */
  readonly repeated: number
  readonly slowestStartMs: number
  /** What was lost, doubled or changed, in words; empty when all is well. */
  readonly faults: readonly string[]
}

const ROUNDS_PER_ROOM = 10
const REPEATED_EACH_ROUND = 4
const EARLY_KILL_SHARE = 0.15
const EARLY_KILL_MS = 60
const LIVE_POLL_MS = 1000
const PASSWORD = 'correct horse battery staple'

export type Sent = {
  readonly text: string
  readonly transactionId: string
  readonly worker: number
  eventId: string | undefined
}

/** One room with its flood, and a client that has followed it since it was made. */
type Chapter = { readonly roomId: string; readonly sent: Sent[]; readonly seen: ClientEvent[]; since: string }

type Clients = { readonly workers: readonly Session[]; readonly reader: Session }

type Tally = {
  acknowledged: number
  interrupted: number
  repeated: number
  slowestStartMs: number
  readonly faults: string[]
}

/** Runs the rounds; ends at the first round that finds a fault. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const random = randomFrom(options.seed)
  const tally: Tally = { acknowledged: 0, interrupted: 0, repeated: 0, slowestStartMs: 0, faults: [] }
  const server = await startServer(options.server)
  try {
    const clients = await gather(server.url)
    const chapters: Chapter[] = []
    let round = 0
    while (round < options.rounds && tally.faults.length === 0) {
      if (round % ROUNDS_PER_ROOM === 0) chapters.push(await openChapter(clients))
      const chapter = chapters.at(-1)
      const play: Round = { round, random, floodMs: options.floodMs, tally }
      if (chapter !== undefined) await playRound(server, clients, chapter, play)
      round += 1
      options.onRound?.(round, { rounds: round, ...tally })
    }
    for (const chapter of chapters) tally.faults.push(...await readAllOver(clients.reader, chapter))
    await server.stop()
    tally.faults.push(...brokenDatabases(server.directory))
    return { rounds: round, ...tally }
  } finally {
    await server.remove()
  }
}

async function gather(url: string): Promise<Clients> {
  const alice = await register(url, 'alice', PASSWORD)
  const bob = await register(url, 'bob', PASSWORD)
  const workers = [alice, bob, await login(url, 'alice', PASSWORD), await login(url, 'bob', PASSWORD)]
  return { workers, reader: await login(url, 'bob', PASSWORD) }
}

async function openChapter({ workers, reader }: Clients): Promise<Chapter> {
  const [alice, bob] = workers
  if (alice === undefined || bob === undefined) throw new Error('Nobody is there')
  const roomId = await createRoom(alice)
  await bringIn(alice, roomId, bob)
  return { roomId, sent: [], seen: [], since: (await sync(reader)).next_batch }
}

type Round = { readonly round: number; readonly random: () => number; readonly floodMs: number; readonly tally: Tally }

async function playRound(server: ServerProcess, clients: Clients, chapter: Chapter, play: Round): Promise<void> {
  const { tally, random } = play
  const [, bob] = clients.workers
  if (bob === undefined) throw new Error('Nobody is there')
  const before = chapter.sent.length
  const { next_batch: tokenBefore } = await sync(bob)
  await floodAndKill(server, clients, chapter, play)
  await startAgain(server, random, tally)
  const fresh = chapter.sent.slice(before)
  tally.acknowledged += fresh.filter(({ eventId }) => eventId !== undefined).length
  tally.faults.push(...await repeatSome(clients, chapter.roomId, fresh, play))
  const caughtUp = await follow(clients.reader, chapter.roomId, chapter.since)
  chapter.seen.push(...caughtUp.events)
  chapter.since = caughtUp.since
  const sinceToken = await follow(bob, chapter.roomId, tokenBefore)
  const everything = await history(clients.reader, chapter.roomId)
  const context = `round ${play.round}`
  tally.faults.push(
    ...compare(`${context}, a client that syncs all the time`, chapter.sent, chapter.seen),
    ...compare(`${context}, a sync from a token before the kill`, fresh, sinceToken.events),
    ...compare(`${context}, an initial sync and /messages back`, chapter.sent, everything),
  )
}

async function floodAndKill(server: ServerProcess, clients: Clients, chapter: Chapter, play: Round): Promise<void> {
  const { workers, reader } = clients
  const gone = new AbortController()
  const flood = workers.map((session, worker) =>
    sendUntilCut({ session, worker, round: play.round }, chapter, gone.signal))
  const live = syncUntilCut(reader, chapter, gone.signal)
  await Bun.sleep(5 + play.random() * play.floodMs)
  await server.kill()
  gone.abort()
  await Promise.all([...flood, live])
}

type Worker = { readonly session: Session; readonly worker: number; readonly round: number }

async function sendUntilCut({ session, worker, round }: Worker, chapter: Chapter, gone: AbortSignal): Promise<void> {
  for (let number = 0; !gone.aborted; number++) {
    const text = `${round}.${worker}.${number}`
    const entry: Sent = { text, transactionId: `t${round}.${number}`, worker, eventId: undefined }
    chapter.sent.push(entry)
    const eventId = await sendText(session, chapter.roomId, entry.transactionId, entry.text).catch(cutOff)
    if (eventId === undefined) return
    entry.eventId = eventId
  }
}

async function syncUntilCut(reader: Session, chapter: Chapter, gone: AbortSignal): Promise<void> {
  while (!gone.aborted) {
    const from = { since: chapter.since, timeoutMs: LIVE_POLL_MS, signal: gone }
    const caughtUp = await followOnce(reader, chapter.roomId, from).catch(cutOff)
    if (caughtUp === undefined) return
    chapter.seen.push(...caughtUp.events)
    chapter.since = caughtUp.since
  }
}

/** A broken connection is what a kill looks like from outside; an answer that refuses is a fault of its own. */
function cutOff(failure: unknown): undefined {
  if (failure instanceof Error && failure.name === 'UnexpectedAnswer') throw failure
  return undefined
}

/** Starts the server, now and then only after it was killed once more while it recovered. */
async function startAgain(server: ServerProcess, random: () => number, tally: Tally): Promise<void> {
  if (random() < EARLY_KILL_SHARE) {
    const early = server.start().catch(() => undefined)
    await Bun.sleep(random() * EARLY_KILL_MS)
    await server.kill()
    await early
  }
  tally.slowestStartMs = Math.max(tally.slowestStartMs, await server.start())
}

/** Repeats what was cut off, which fills in its id, and some of what was acknowledged, which must get the same id. */
async function repeatSome(
  { workers }: Clients,
  roomId: string,
  fresh: readonly Sent[],
  { random, tally }: Round,
): Promise<string[]> {
  const faults: string[] = []
  const repeat = ({ worker, transactionId, text }: Sent): Promise<string> => {
    const session = workers[worker]
    if (session === undefined) throw new Error('Nobody is there')
    return sendText(session, roomId, transactionId, text)
  }
  const known = fresh.filter(({ eventId }) => eventId !== undefined)
  const chosen = Array.from({ length: REPEATED_EACH_ROUND }, () => known[Math.floor(random() * known.length)])
  for (const entry of chosen) {
    if (entry === undefined) continue
    tally.repeated += 1
    const eventId = await repeat(entry)
    if (eventId !== entry.eventId) faults.push(`${entry.text}, sent again, became ${eventId} after ${entry.eventId}`)
  }
  for (const entry of fresh.filter(({ eventId }) => eventId === undefined)) {
    tally.interrupted += 1
    entry.eventId = await repeat(entry)
  }
  return faults
}

type FollowFrom = { readonly since: string; readonly timeoutMs?: number; readonly signal?: AbortSignal }

type CaughtUp = { readonly events: readonly ClientEvent[]; readonly since: string }

/** What an incremental sync shows of a room, the gap of a limited timeline filled from `/messages`. */
async function followOnce(reader: Session, roomId: string, from: FollowFrom): Promise<CaughtUp> {
  const { since } = from
  const answer = await sync(reader, { timeoutMs: 0, timelineLimit: 100, ...from })
  const timeline = answer.rooms?.join?.[roomId]?.timeline
  const shown = timeline?.events ?? []
  const gap = timeline?.limited === true ? await walkBack(reader, roomId, timeline.prev_batch, since) : []
  return { events: [...gap, ...shown], since: answer.next_batch }
}

async function follow(reader: Session, roomId: string, since: string): Promise<CaughtUp> {
  const events: ClientEvent[] = []
  let token = since
  for (;;) {
    const step = await followOnce(reader, roomId, { since: token })
    events.push(...step.events)
    token = step.since
    if (step.events.length === 0) return { events, since: token }
  }
}

/** A room's whole history, oldest first: the end from an initial sync, the rest from `/messages`. */
async function history(reader: Session, roomId: string): Promise<ClientEvent[]> {
  const timeline = (await sync(reader, { timelineLimit: 20 })).rooms?.join?.[roomId]?.timeline
  // Without a place to page from, the answer holds the room from its first event.
  const earlier = timeline?.prev_batch === undefined ? [] : await walkBack(reader, roomId, timeline.prev_batch)
  return [...earlier, ...(timeline?.events ?? [])]
}

async function walkBack(reader: Session, roomId: string, from?: string, to?: string): Promise<ClientEvent[]> {
  const pages: ClientEvent[] = []
  let token = from
  for (;;) {
    const page = await messages(reader, roomId, token, to)
    pages.push(...page.chunk)
    if (page.end === undefined || page.end === token || page.chunk.length === 0) return pages.toReversed()
    token = page.end
  }
}

async function walkForward(reader: Session, roomId: string): Promise<ClientEvent[]> {
  const pages: ClientEvent[] = []
  let token: string | undefined
  for (;;) {
    const page = await messagesForward(reader, roomId, token)
    pages.push(...page.chunk)
    if (page.end === undefined || page.end === token || page.chunk.length === 0) return pages
    token = page.end
  }
}

async function readAllOver(reader: Session, chapter: Chapter): Promise<string[]> {
  return [
    ...compare('at the end, /messages back', chapter.sent, await history(reader, chapter.roomId)),
    ...compare('at the end, /messages from the start', chapter.sent, await walkForward(reader, chapter.roomId)),
  ]
}

const FAULTS_SHOWN = 5

/** What a view shows amiss: lost, doubled, changed, unknown, or out of its sender's order; in words, at most five. */
export function compare(view: string, expected: readonly Sent[], events: readonly ClientEvent[]): string[] {
  const texts = events.filter(({ type }) => type === 'm.room.message')
  const found = Map.groupBy(texts, ({ content }) => String(content['body']))
  const wanted = new Set(expected.map(({ text }) => text))
  const faults = expected.flatMap(({ text, eventId }) => {
    const copies = found.get(text) ?? []
    if (copies.length === 0) return [`${view}: ${text} is lost`]
    if (copies.length > 1) return [`${view}: ${text} is there ${copies.length} times`]
    return copies[0]?.event_id === eventId ? [] : [`${view}: ${text} is ${copies[0]?.event_id}, not ${eventId}`]
  })
  const unknown = [...found.keys()].filter((text) => !wanted.has(text)).map((text) => `${view}: nobody sent ${text}`)
  return [...faults, ...unknown, ...outOfOrder(view, texts)].slice(0, FAULTS_SHOWN)
}

/** A worker sends the next text only after the last one was acknowledged, so every view keeps its order. */
function outOfOrder(view: string, texts: readonly ClientEvent[]): string[] {
  const last = new Map<number, readonly [round: number, number: number]>()
  return texts.flatMap(({ content }) => {
    const [round = 0, worker = 0, number = 0] = String(content['body']).split('.').map(Number)
    const [lastRound, lastNumber] = last.get(worker) ?? [-1, -1]
    last.set(worker, [round, number])
    const follows = round > lastRound || (round === lastRound && number > lastNumber)
    return follows ? [] : [`${view}: ${round}.${worker}.${number} comes after ${lastRound}.${worker}.${lastNumber}`]
  })
}

function brokenDatabases(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.db')).flatMap((name) => {
    const database = new Database(join(directory, name))
    const [verdict] = database.query('PRAGMA integrity_check').values()
    database.close()
    return verdict?.[0] === 'ok' ? [] : [`${name}: ${String(verdict?.[0])}`]
  })
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
