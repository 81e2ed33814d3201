import { newMove } from '#core/sync/connection.ts'
import { printList, printSlidingSync, type SlidingAnswer } from '#core/sync/sliding-answer.ts'
import { readNewRequest, readOldRequest, type SlidingRequest } from '#core/sync/sliding-request.ts'
import { parseSyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { directRooms, ignoredUsers } from '#http/account-settings.ts'
import { connectionOf } from '#http/connection.ts'
import { type Call, rawJson, type Requester, signedIn } from '#http/endpoint.ts'
import { refuseBeyondLimit } from '#http/monthly-users.ts'
import { page } from '#http/page.ts'
import { noticeSync, readSetPresence } from '#http/presence.ts'
import { type OpenConnection, type SlidingConnections, slidingConnections } from '#http/sliding-connections.ts'
import { acknowledgeToDevice, isFromLater } from '#http/to-device.ts'
import type { Seen, Watch } from '#notifier'
import { slidingSync, slidingSyncV4 } from '#schema/client/sliding-sync.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import type { DeviceInbox } from '#store/device-inboxes.ts'
import { deviceKeyOf } from '#store/events.ts'
import { readTogether, type Store } from '#store/store.ts'
import { NO_ACCOUNT_DATA, readChangedAccountData } from '#store/sync/account-data.ts'
import { readDeviceLists, readToDevice } from '#store/sync/encryption.ts'
import { forgetRoomsOutOf, readAccountData, readReceiptsOf, readThreads, readTyping } from '#store/sync/sliding/extensions.ts'
import { type Interest, readInterest } from '#store/sync/sliding/interest.ts'
import { readProfiles } from '#store/sync/sliding/profiles.ts'
import type { SlidingReading } from '#store/sync/sliding/reading.ts'
import { readSlidingRoom } from '#store/sync/sliding/room.ts'
import { type RoomList, type RoomLists, roomLists } from '#store/sync/sliding/room-list.ts'
import { readSticky } from '#store/sync/sliding/sticky-events.ts'

/** Nobody is kept waiting for longer than this, whatever they ask for. */
const LONGEST_WAIT_MS = 5 * 60_000

/** Simplified sliding sync, MSC4186: as clients call it today, and as it was accepted. */
export const slidingSyncPage = (server: Homeserver) => {
  const { store } = server
  const desk: Desk = { server, store, connections: slidingConnections(server), lists: roomLists(store) }
  return page()
    .post(
      '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
      signedIn(server, slidingSync, (call) => answer(desk, call, call.requester, readOldRequest(call.query, call.body, call.requester.userId))),
    )
    .post(
      '/_matrix/client/v4/sync',
      signedIn(server, slidingSyncV4, (call) => answer(desk, call, call.requester, readNewRequest(call.body))),
    )
}

type Desk = Readonly<{ server: Homeserver; store: Store; connections: SlidingConnections; lists: RoomLists }>

/** One request on its way. */
type Asked = Readonly<{ desk: Desk; requester: Requester; request: SlidingRequest; opened: OpenConnection; toDeviceSince: number; stickySince: number }>

async function answer(desk: Desk, call: Pick<Call<object>, 'request' | 'cause'>, requester: Requester, request: SlidingRequest): Promise<Response> {
  const { server, connections } = desk
  const { cause, request: { signal } } = call
  refuseBeyondLimit(server, requester.userId)
  connectionOf(call.request).keepOpen()
  const presence = readSetPresence(request.setPresence)
  const toDeviceSince = readExtensionSince(server, 'to_device', request.extensions.toDevice?.since)
  const stickySince = readExtensionSince(server, 'sticky_events', request.extensions.stickyEvents?.since)
  await isFromLater(server, requester, parseSyncToken(request.pos ?? ''), cause)
  const opened = connections.open(requester, request, signal)
  const { token, stopped } = opened
  const waitMs = token ? Math.min(request.timeoutMs, LONGEST_WAIT_MS) : 0
  const deadline = server.clock.now() + waitMs
  await noticeSync(server, requester, { presence, waitMs, signal, cause })
  const asked: Asked = { desk, requester, request, opened, toDeviceSince, stickySince }
  for (let isFirst = true; ; isFirst = false) {
    const { seen } = server.notifier
    const watch = server.notifier.watch(requester.userId)
    // Looked up after `seen`: a message that comes in between is left for the next answer, not passed over.
    const inbox = server.inbox(requester.userId, requester.deviceId)
    if (isFirst && toDeviceSince > 0 && (await acknowledgeToDevice(server, requester, inbox, { upTo: toDeviceSince, cause }))) continue
    const read = readTogether(desk.store, () => readAnswer(asked, { seen, watch, inbox }))
    const left = deadline - server.clock.now()
    if (read.hasContent || left <= 0 || stopped.aborted || server.notifier.isStopping) {
      const { move, lists, still, rooms, extensions } = read
      const pos = stopped.aborted && request.pos !== undefined
        ? request.pos
        : connections.commit(opened, requester, request, { move, still, place: seen, cause })
      return rawJson(printSlidingSync({ pos, txnId: request.txnId, lists, rooms, extensions }))
    }
    await server.notifier.wait(watch, seen, left, stopped)
  }
}

/**
 * Extensions with a token of their own have a position for it; the queue of messages is that of the device, whichever
 * connection asks.
 */
function readExtensionSince(server: Homeserver, name: string, since: string | undefined): number {
  if (since === undefined || since === '') return 0
  if (!/^\d{1,15}$/.test(since)) throw invalidParam(`extensions.${name}.since is not a token of this server`)
  return Number(since) <= server.notifier.seen.position ? Number(since) : 0
}

type Moment = Readonly<{ seen: Seen; watch: Watch; inbox: DeviceInbox }>
type Read = Omit<SlidingAnswer, 'pos' | 'txnId'> & Readonly<{
  move: SlidingReading['move']
  /** The lists of an answer in which nothing has moved since. */
  still: string | undefined
  hasContent: boolean
}>

function readAnswer(asked: Asked, moment: Moment): Read {
  const { desk: { server, lists: roomLists }, request, opened: { connection, token } } = asked
  const { watch } = moment
  const since = token?.position ?? 0
  const sinceVolatile = token && token.boot === server.bootId ? token.volatile : 0
  const isStill = token !== undefined && since >= server.notifier.floor && watch.position <= since && watch.volatile <= sinceVolatile
  if (isStill && connection.settled?.request === request.text) {
    const move = newMove(connection)
    const extensions = readDeviceExtensions(asked, moment, [])
    return { move, lists: connection.settled.lists, still: connection.settled.lists, rooms: new Map(), ...extensions }
  }
  const reading = readingOf(asked, moment)
  const list = roomLists.listOf(watch.userId, {
    until: reading.until,
    movedSince: (position) => server.notifier.movedRooms(watch, { position, volatile: Infinity }),
    mayHaveMoved: (position) => server.notifier.mayConcern(watch, 'membership', position),
  })
  const moved = movedRooms(server, watch, reading, sinceVolatile)
  const only = isSettled(asked, moment, reading) ? new Set(moved) : undefined
  const interest = readInterest(reading, { list, known: roomLists.known, request, only })
  const rooms = readRooms(reading, interest)
  forgetRoomsOutOf(reading, interest, movedIn(list, since))
  const device = readDeviceExtensions(asked, moment, moved)
  const extensions = readExtensions(reading, asked, { interest, moved, watch })
  const { stickyEvents } = request.extensions
  const sticky = stickyEvents && readSticky(reading, { since: asked.stickySince, limit: stickyEvents.limit, interest })
  return {
    move: reading.move,
    lists: printLists(reading, request, interest, rooms),
    still: interest.hasLeaving ? undefined : printLists(reading, request, interest, undefined),
    rooms,
    extensions: new Map([...device.extensions, ...extensions, ...(sticky ? [['org.matrix.msc4354.sticky_events', sticky.text] as const] : [])]),
    hasContent: device.hasContent || rooms.size > 0 || extensions.size > 0 || reading.isFirst || sticky?.hasEvents === true,
  }
}

function readingOf({ desk: { server, store }, requester: { userId, deviceId }, request, opened: { connection, token } }: Asked, { seen, watch }: Moment): SlidingReading {
  const { notifier } = server
  const since = token?.position ?? 0
  const until = Math.max(seen.position, since)
  const hasData = token !== undefined && notifier.mayConcern(watch, 'account-data', since)
  return {
    store,
    userId,
    device: deviceKeyOf(userId, deviceId ?? ''),
    form: request.form,
    since,
    until,
    isFirst: token === undefined,
    now: server.clock.now(),
    ignored: ignoredUsers(server, watch),
    connection,
    move: newMove(connection),
    shownFrom: new Map(),
    expanded: new Set(),
    floor: notifier.floor,
    mayHaveMoved: (roomId, about, from) => notifier.mayHaveMoved(roomId, about, from),
    accountData: hasData ? readChangedAccountData(store, userId, since, until) : NO_ACCOUNT_DATA,
    direct: directRooms(server, watch),
    typingIn: (roomId) => notifier.typingIn(roomId),
  }
}

function readRooms(reading: SlidingReading, { wanted }: Interest): Map<RoomId, string> {
  const rooms = new Map<RoomId, string>()
  for (const [roomId, each] of wanted) {
    const text = readSlidingRoom(reading, each)
    if (text !== undefined) rooms.set(roomId, text)
  }
  return rooms
}

/** The rooms that the list says have moved; they stand in front. */
function* movedIn({ order }: RoomList, since: number): Generator<RoomId> {
  for (const { room, place } of order) {
    if (place <= since) return
    yield room.roomId
  }
}

/** Rooms in which anything has happened after the token. */
function movedRooms({ notifier }: Homeserver, watch: Watch, { since, connection, isFirst, accountData }: SlidingReading, sinceVolatile: number): RoomId[] {
  if (isFirst) return []
  if (since < notifier.floor) return [...new Set([...watch.rooms, ...connection.rooms.keys()])]
  const moved = notifier.movedRooms(watch, { position: since, volatile: sinceVolatile })
  for (const roomId of accountData.keys()) if (roomId !== null) moved.push(roomId)
  return moved
}

/**
 * The client asks what it asked before and has everything up to its token: then only rooms that moved can have something
 * to tell, and no other room can come into a window.
 */
function isSettled({ desk: { server: { notifier } }, request, opened: { connection } }: Asked, { watch }: Moment, { since, isFirst, accountData }: SlidingReading): boolean {
  if (isFirst || since < notifier.floor || connection.settled?.request !== request.text) return false
  if (notifier.mayConcern(watch, 'membership', since) || accountData.has(null)) return false
  return [...request.lists.values()].every(({ filter }) => filter === undefined || Object.values(filter).every((value) => value === undefined))
}

/** The places of rooms are told, in the form that has them, when a room of the list is. `rooms` undefined: none. */
function printLists({ form, isFirst }: SlidingReading, { lists }: SlidingRequest, interest: Interest, rooms: ReadonlyMap<RoomId, string> | undefined): string {
  const told = new Set([...(rooms?.keys() ?? [])].flatMap((roomId) => interest.wanted.get(roomId)?.lists ?? []))
  return [...lists.keys()].map((name) => {
    const { count = 0, ops } = interest.lists.get(name) ?? {}
    const hasOps = rooms !== undefined && form === 'unstable' && (isFirst || told.has(name))
    return `${JSON.stringify(name)}:${printList(hasOps ? { count, ops } : { count })}`
  }).join(',')
}

type Seeing = Readonly<{ interest: Interest; moved: readonly RoomId[]; watch: Watch }>

function readExtensions(reading: SlidingReading, { request, desk: { server } }: Asked, { interest, moved, watch }: Seeing): Map<string, string> {
  const { notifier } = server
  const profiles = {
    mayHaveChanged: notifier.mayConcern(watch, 'profile', reading.since),
    hasMoved: notifier.mayConcern(watch, 'membership', reading.since),
  }
  const texts = [
    ['account_data', readAccountData(reading, { request, interest })],
    ['receipts', readReceiptsOf(reading, { request, interest }, moved)],
    ['typing', readTyping(reading, { request, interest })],
    ['org.matrix.msc4262.profiles', readProfiles(reading, { request, interest, moved, ...profiles })],
    ['io.element.msc4308.thread_subscriptions', readThreads(reading, request)],
  ] as const
  return new Map(texts.flatMap(([key, text]): [string, string][] => (text === undefined ? [] : [[key, text]])))
}

/** What belongs to the device and not to its rooms. spec: MSC3884, MSC3885 */
function readDeviceExtensions(asked: Asked, { seen, watch, inbox }: Moment, moved: readonly RoomId[]) {
  const { desk: { server, store }, requester: { userId, deviceId }, request: { extensions: { toDevice, encryption } }, opened: { token }, toDeviceSince } = asked
  const { notifier } = server
  const extensions = new Map<string, string>()
  let hasContent = false
  if (toDevice) {
    const { events, more } = readToDevice(store, inbox, { userId, deviceId, after: toDeviceSince, until: seen.position, limit: toDevice.limit })
    extensions.set(toDevice.key, `{"next_batch":"${more ?? seen.position}","events":[${events.join(',')}]}`)
    hasContent ||= events.length > 0
  }
  if (encryption) {
    const isStill = !token || (moved.length === 0 && !notifier.mayConcern(watch, 'device-lists', token.position) && !notifier.mayConcern(watch, 'membership', token.position))
    const lists = isStill ? undefined : readDeviceLists(store, { userId, since: token.position, until: seen.position, rooms: moved })
    const counts = `"device_one_time_keys_count":${inbox.oneTimeKeyCounts},"device_unused_fallback_key_types":${inbox.unusedFallbackTypes}`
    extensions.set(encryption.key, `{${lists === undefined ? '' : `"device_lists":${lists},`}${counts}}`)
    hasContent ||= lists !== undefined
  }
  return { extensions, hasContent }
}

