import { createClient, EventTimeline, type MatrixClient, type MatrixEvent, NotificationCountType, PendingEventOrdering, type Room, RoomEvent } from 'matrix-js-sdk'
import type { Logger } from 'matrix-js-sdk/lib/logger.js'
import { outside, printCount, receiptsIn, type RoomView, type View } from './evening-view.ts'
import type { Session } from './http-client.ts'
import { until } from './until.ts'

const quiet: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild: () => quiet }

type Asked = URL | Request | string
type Told = Map<string, string[]>
type Section = Readonly<{ timeline: Readonly<{ events: readonly Readonly<{ event_id: string }>[]; limited?: boolean }> }>
type Answer = Readonly<{ rooms?: Readonly<{ join?: Readonly<Record<string, Section>>; leave?: object }> }>

/** One client of matrix-js-sdk that follows the evening, and its bad connection. */
export type Follower = Readonly<{
  client: MatrixClient
  view: () => View
  /** Ids of the events that sync has told of each room without a gap, oldest first. */
  told: Told
  /** Answers of sync that arrived and were thrown away. */
  lost: () => number
  /** While it is away nothing goes out. */
  goAway: () => void
  comeBack: () => void
}>

/** One answer of sync in so many is lost on the way to a follower, at most this often. */
const LOSES_EVERY = 9
const LOSSES = 3
const SOON_MS = 20

export async function follow({ url: baseUrl, userId, accessToken, deviceId }: Session): Promise<Follower> {
  let isAway = false
  let [answers, lost] = [0, 0]
  const told: Told = new Map()
  /** Only sync hears of a bad connection; what the library asks for beside it waits for a good one, as nobody catches its failures. */
  const reach = async (input: Asked, init: RequestInit | undefined, isSync: boolean): Promise<Response> => {
    for (;;) {
      try {
        if (isAway) throw new TypeError('away')
        const response = await fetch(input, init)
        // 503: the server is stopping.
        if (!isAway && (isSync || response.status !== 503)) return response
      } catch (failure) {
        if (isSync) throw failure
      }
      if (isSync) throw new TypeError('away')
      await Bun.sleep(SOON_MS)
    }
  }
  const fetchFn = async (input: Asked, init?: RequestInit): Promise<Response> => {
    const isSync = String(input).includes('/v3/sync?')
    // On a busy machine the library has not noticed its failure yet, and would wait for seconds once it has.
    const retrySoon = (): void => void setTimeout(() => {
      if (client.clientRunning && !client.retryImmediately()) retrySoon()
    }, SOON_MS)
    const response = await reach(input, init, isSync).catch((failure: unknown) => {
      retrySoon()
      throw failure
    })
    if (isSync && !response.ok) retrySoon()
    // It asks for threads of rooms that were left meanwhile, and nobody catches the refusal.
    if (response.status === 404 && String(input).includes('/relations/')) return Response.json({ chunk: [] })
    if (!isSync || !response.ok) return response
    const text = await response.text()
    if (++answers % LOSES_EVERY === 0 && lost < LOSSES) {
      lost++
      retrySoon()
      throw new TypeError('lost')
    }
    noteTold(told, JSON.parse(text) as Answer)
    return new Response(text, response)
  }
  const client = createClient({ baseUrl, userId, accessToken, deviceId, logger: quiet, fetchFn: fetchFn as typeof fetch })
  const receipts = new Map<string, Record<string, string>>()
  client.on(RoomEvent.Receipt, (event, room) => noteReceipts(receipts, event, room))
  await client.startClient({ initialSyncLimit: 8, lazyLoadMembers: true, threadSupport: true, pendingEventOrdering: PendingEventOrdering.Detached })
  await until(`the first sync of ${userId}`, () => client.isInitialSyncComplete())
  return {
    client,
    view: () => viewOf(client, receipts),
    told,
    lost: () => lost,
    goAway: () => void (isAway = true),
    comeBack: () => {
      isAway = false
      client.retryImmediately()
    },
  }
}

function noteTold(told: Told, { rooms = {} }: Answer): void {
  for (const roomId of Object.keys(rooms.leave ?? {})) told.delete(roomId)
  for (const [roomId, { timeline }] of Object.entries(rooms.join ?? {})) {
    const before = timeline.limited ? [] : (told.get(roomId) ?? [])
    told.set(roomId, [...before, ...timeline.events.map(({ event_id }) => event_id)])
  }
}

/** The library makes receipts of its own too; only those name their room. */
function noteReceipts(receipts: Map<string, Record<string, string>>, event: MatrixEvent, { roomId }: Room): void {
  if (event.getRoomId() !== undefined) return
  receipts.set(roomId, { ...receipts.get(roomId), ...receiptsIn([{ type: 'm.receipt', content: event.getContent() }]) })
}

const viewOf = (client: MatrixClient, receipts: ReadonlyMap<string, Record<string, string>>): View => ({
  rooms: Object.fromEntries(client.getRooms().map((room) => [room.roomId, roomView(room, receipts.get(room.roomId) ?? {})])),
  accountData: dataOf(client.store.accountData),
})

function roomView(room: Room, receipts: Record<string, string>): RoomView {
  const membership = room.getMyMembership()
  if (membership === 'leave' || membership === 'ban') return outside(membership, [])
  const events = [...(room.getLiveTimeline().getState(EventTimeline.FORWARDS)?.events.values() ?? [])].flatMap((byKey) => [...byKey.values()])
  const view = outside(membership, events.map((event) => ({ type: event.getType(), state_key: event.getStateKey() ?? '', content: event.getContent() })))
  if (membership !== 'join') return view
  return { ...view, counts: countsOf(room), receipts, accountData: dataOf(room.accountData) }
}

function countsOf(room: Room): Record<string, string> {
  // Counts of threads that the library has not made up yet are kept where nothing public lists them.
  const threads = (room as unknown as { threadNotifications: Map<string, unknown> }).threadNotifications.keys()
  const count = (type: NotificationCountType, thread: string): number =>
    (thread === 'main' ? room.getRoomUnreadNotificationCount(type) : room.getThreadUnreadNotificationCount(thread, type))
  const counts = ['main', ...threads].map((thread) => [thread, count(NotificationCountType.Total, thread), count(NotificationCountType.Highlight, thread)] as const)
  return Object.fromEntries(counts.filter(([, total, loud]) => total + loud > 0).map(([thread, total, loud]) => [thread, printCount(total, loud)]))
}

type Shown = Readonly<{ event_id: string; type: string; state_key?: string; content: Readonly<Record<string, unknown>>; unsigned?: Readonly<Record<string, unknown>> }>

/**
 * What sync has told of a room, or what the library makes of it, that is not as the room's history has it. Of rooms into
 * which somebody came, sync also tells state from before, which the history need not show them.
 */
export function faultsIn(room: Room, told: readonly string[], history: readonly Shown[]): string[] {
  const ids = history.map(({ event_id }) => event_id)
  const inHistory = told.filter((id) => ids.includes(id))
  const tail = ids.slice(inHistory[0] === undefined ? ids.length : ids.indexOf(inHistory[0]))
  const order = Bun.deepEquals(inHistory, tail) ? [] : [`told ${inHistory} and not ${tail}`]
  const isWhole = !hasBeenOut(room.myUserId, history)
  return [...order, ...history.filter(({ event_id }) => tail.includes(event_id)).flatMap((event) => faultsOf(room, event, isWhole))]
}

/** The library takes an event that it knows for the end of a gap, though there may be another gap behind it. */
export const hasBeenOut = (userId: string, history: readonly Shown[]): boolean =>
  history.some(({ type, state_key, content }) => type === 'm.room.member' && state_key === userId && content['membership'] !== 'join' && content['membership'] !== 'invite')

/** Where the library keeps a thread or a reaction to what it has not seen is its own affair. */
function faultsOf(room: Room, { event_id, type, content, unsigned = {} }: Shown, isWhole: boolean): string[] {
  const event = room.findEventById(event_id)
  const isGone = unsigned['redacted_because'] !== undefined
  const isPlain = type === 'm.room.message' && content['m.relates_to'] === undefined && !isGone
  if (!event) return isPlain && isWhole ? [`${event_id} is missing`] : []
  if (event.isRedacted() !== isGone) return [`${event_id} is ${isGone ? 'not ' : ''}redacted`]
  if (!isPlain) return []
  const edit = (unsigned['m.relations'] as { 'm.replace'?: { content: { 'm.new_content'?: { body?: string } } } } | undefined)?.['m.replace']
  const text = edit?.content['m.new_content']?.body ?? content['body']
  return event.getContent()['body'] === text ? [] : [`${event_id} says ${event.getContent()['body']} and not ${text}`]
}

const dataOf = (events: ReadonlyMap<string, MatrixEvent> | Record<string, MatrixEvent>): Record<string, unknown> =>
  Object.fromEntries([...(events instanceof Map ? events.values() : Object.values(events))].map((event) => [event.getType(), event.getContent()]))
