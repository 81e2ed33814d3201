import { hasContent, printSync, type SyncAnswer } from '#core/sync/assemble.ts'
import { parseFilter, type SyncFilter } from '#core/sync/filter.ts'
import { forgetUnreceived, seenBy, type SeenMembers, type ToldMembers } from '#core/sync/lazy-members.ts'
import { strippedPlaces } from '#core/stripped-state.ts'
import { parseSyncToken, printSyncToken, type SyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { ignoredUsers } from '#http/account-settings.ts'
import { connectionOf } from '#http/connection.ts'
import { rawJson, type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { refuseBeyondLimit } from '#http/monthly-users.ts'
import { page } from '#http/page.ts'
import { perServer } from '#http/per-server.ts'
import { noticeSync, readPresence, readSetPresence } from '#http/presence.ts'
import { acknowledgeToDevice, isFromLater, receivedUpTo } from '#http/to-device.ts'
import type { Seen, Watch } from '#notifier'
import { readBoolean, readInteger } from '#schema/client/query.ts'
import { sync } from '#schema/client/sync.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, notFound, notJson } from '#schema/matrix-error.ts'
import type { DeviceInbox } from '#store/device-inboxes.ts'
import { deviceKeyOf } from '#store/events.ts'
import { findFilter } from '#store/filters.ts'
import { type ChangedAccountData, globalAccountData, NO_ACCOUNT_DATA, readChangedAccountData } from '#store/sync/account-data.ts'
import { readDeviceLists, readToDevice } from '#store/sync/encryption.ts'
import { readTogether, type Store } from '#store/store.ts'
import { findRoomMembership, listMemberships, listMembershipsBetween, type RoomMembership } from '#store/sync/memberships.ts'
import type { Reading } from '#store/sync/reading.ts'
import { readRooms } from '#store/sync/rooms.ts'

/** Nobody is kept waiting for longer than this, whatever they ask for. */
export const LONGEST_WAIT_MS = 5 * 60_000

const EVERYTHING = parseFilter({}) as SyncFilter

export const syncPage = (server: Homeserver) => {
  const seenMembers: SeenMembers = new Map()
  return page().get(
    '/_matrix/client/v3/sync',
    signedIn(server, sync, async (call) => {
      refuseBeyondLimit(server, call.requester.userId)
      connectionOf(call.request).keepOpen()
      const since = readSince(call.query.since)
      // Who has seen what a restored backup does not know is told everything, as if it came without a token.
      const isLater = await isFromLater(server, call.requester, since, call.cause)
      const asked = { ...readQuestion(server, call, isLater ? undefined : since, seenMembers), isLater }
      const deadline = server.clock.now() + Math.min(asked.timeoutMs, LONGEST_WAIT_MS)
      const { requester, cause, request: { signal } } = call
      const upTo = receivedUpTo(server, asked.token)
      const waitMs = asked.mayWait ? Math.min(asked.timeoutMs, LONGEST_WAIT_MS) : 0
      await noticeSync(server, requester, { presence: readSetPresence(call.query.set_presence), waitMs, signal, cause })
      for (let isFirst = true; ; isFirst = false) {
        const { seen } = server.notifier
        // Looked up after `seen`: a message that comes in between is left for the next answer, not passed over.
        const inbox = server.inbox(requester.userId, requester.deviceId)
        if (isFirst && (await acknowledgeToDevice(server, requester, inbox, { upTo, cause }))) continue
        const answer = readTogether(server.store, () => readAnswer(server, asked, { seen, inbox, upTo }))
        const left = deadline - server.clock.now()
        if (!asked.mayWait || hasContent(answer) || left <= 0 || signal.aborted || server.notifier.isStopping) return rawJson(printSync(answer))
        await server.notifier.wait(asked.watch, seen, left, signal)
      }
    }),
  )
}

type Question = Readonly<{
  requester: Requester
  device: string
  watch: Watch
  filter: SyncFilter
  token: SyncToken | undefined
  isLater: boolean
  timeoutMs: number
  mayWait: boolean
  isFullState: boolean
  stateAfter: Reading['stateAfter']
  seenMembers: ToldMembers
}>

function readSince(since: string | undefined): SyncToken | undefined {
  const token = since === undefined || since === '' ? undefined : parseSyncToken(since)
  if (since && !token) throw invalidParam('since is not a token of this server')
  return token
}

type Asking = Pick<SignedInCall<typeof sync>, 'query' | 'requester'>

function readQuestion(server: Homeserver, { query, requester }: Asking, token: SyncToken | undefined, seenMembers: SeenMembers): Omit<Question, 'isLater'> {
  const isFullState = readBoolean(query.full_state)
  const device = deviceKeyOf(requester.userId, requester.deviceId ?? '')
  return {
    requester,
    device,
    watch: server.notifier.watch(requester.userId),
    filter: filterOf(server, requester.userId, query.filter),
    token,
    timeoutMs: readInteger(query.timeout, 0),
    mayWait: token !== undefined && !isFullState,
    isFullState,
    stateAfter: readBoolean(query.use_state_after)
      ? 'state_after'
      : readBoolean(query['org.matrix.msc4222.use_state_after']) && 'org.matrix.msc4222.state_after',
    seenMembers: token ? seenUpTo(seenMembers, device, token) : freshlySeen(seenMembers, device),
  }
}

function seenUpTo(all: SeenMembers, device: string, { position }: SyncToken): ToldMembers {
  const seen = seenBy(all, device)
  forgetUnreceived(seen, position)
  return seen
}

/** A client that starts anew knows no members. */
function freshlySeen(all: SeenMembers, device: string): ToldMembers {
  all.delete(device)
  return seenBy(all, device)
}

/** Filters that were parsed last; a client sends the same one with every request. */
const RECENT_FILTERS = 256
const recentFilters = new Map<string, SyncFilter>()

/** A filter id, or the filter itself where the text starts with a brace. */
function filterOf(server: Homeserver, userId: UserId, text: string | undefined): SyncFilter {
  if (text === undefined || text === '') return EVERYTHING
  if (!text.startsWith('{')) return checkedFilter(storedFilter(server, userId, text))
  const known = recentFilters.get(text)
  if (known) return known
  const filter = checkedFilter(parseInline(text))
  if (recentFilters.size >= RECENT_FILTERS) recentFilters.clear()
  recentFilters.set(text, filter)
  return filter
}

function checkedFilter(definition: unknown): SyncFilter {
  const filter = parseFilter(definition)
  if (filter instanceof MatrixError) throw filter
  return filter
}

function parseInline(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notJson('filter is not valid JSON')
  }
}

function storedFilter(server: Homeserver, userId: UserId, filterId: string): unknown {
  const filter = findFilter(server.store, userId, filterId)
  if (filter === undefined) throw notFound('There is no such filter')
  return filter
}

/** `upTo`: the messages to the device that it has already. */
type Moment = Readonly<{ seen: Seen; inbox: DeviceInbox; upTo: number }>

function readAnswer(server: Homeserver, asked: Question, { seen, inbox, upTo }: Moment): SyncAnswer {
  const { token, watch } = asked
  const fresh = server.notifier.watch(watch.userId)
  const sinceVolatile = token && token.boot === server.bootId ? token.volatile : 0
  const reading = readingOf(server, asked, seen.position, sinceVolatile)
  const place = { position: Math.max(seen.position, reading.since), boot: server.bootId, volatile: seen.volatile }
  const { userId, deviceId } = asked.requester
  const counts = { oneTimeKeyCounts: inbox.oneTimeKeyCounts, unusedFallbackKeyTypes: inbox.unusedFallbackTypes }
  const isQuiet = token !== undefined && !asked.isFullState && reading.since >= server.notifier.floor &&
    fresh.position <= reading.since && fresh.volatile <= sinceVolatile && token.toDevice === undefined
  if (isQuiet) return { ...NOTHING, ...counts, nextBatch: printSyncToken(place) }
  const memberships = shown(server, roomsToRead(server, reading, fresh, sinceVolatile))
  const toDevice = readToDevice(server.store, inbox, { userId, deviceId, after: upTo, until: reading.until })
  const rooms = memberships.map(({ roomId }) => roomId)
  return {
    ...NOTHING,
    ...counts,
    nextBatch: printSyncToken({ ...place, toDevice: toDevice.more }),
    ...readRooms(reading, memberships),
    accountData: globalAccountData(reading),
    presence: readPresence(server, {
      watch: fresh,
      filter: asked.filter.presence,
      isInitial: token === undefined,
      sinceVolatile,
      since: reading.since,
      until: reading.until,
      moved: rooms,
    }),
    toDevice: toDevice.events,
    deviceLists: token ? deviceListsIfChanged(server, fresh, reading, rooms) : asked.isLater ? allDeviceLists(reading) : undefined,
  }
}

/** Only a device of someone, or someone's coming or going, changes the lists. */
function deviceListsIfChanged(server: Homeserver, watch: Watch, { since, until, userId }: Reading, rooms: readonly RoomId[]): string | undefined {
  const { notifier, store } = server
  const moved = rooms.filter((roomId) => notifier.mayHaveMoved(roomId, 'membership', since))
  const mayHaveChanged =
    moved.length > 0 || notifier.mayConcern(watch, 'device-lists', since) || notifier.mayConcern(watch, 'membership', since)
  return mayHaveChanged ? readDeviceLists(store, { userId, since, until, rooms: moved }) : undefined
}

/** Everyone in sight. */
const allDeviceLists = ({ store, userId, until }: Reading): string | undefined => readDeviceLists(store, { userId, since: 0, until, rooms: [] })

const prejoinState = perServer(({ config }) => strippedPlaces(config.roomPrejoinState))
const excludedRooms = perServer(({ config }) => new Set<string>(config.excludeRoomsFromSync))

/** Without the rooms of `exclude_rooms_from_sync`. */
function shown(server: Homeserver, memberships: RoomMembership[]): RoomMembership[] {
  const excluded = excludedRooms(server)
  return excluded.size === 0 ? memberships : memberships.filter(({ roomId }) => !excluded.has(roomId))
}

/** `filter_timeline_limit`; -1: as many as there are. */
const timelineLimit = ({ config }: Homeserver): number => (config.filterTimelineLimit < 0 ? Infinity : config.filterTimelineLimit)

const NOTHING: Omit<SyncAnswer, 'nextBatch'> = {
  accountData: [],
  presence: [],
  toDevice: [],
  deviceLists: undefined,
  oneTimeKeyCounts: '{}',
  unusedFallbackKeyTypes: '[]',
  join: new Map(),
  invite: new Map(),
  knock: new Map(),
  leave: new Map(),
}

function readingOf(server: Homeserver, asked: Question, until: number, sinceVolatile: number): Reading {
  const { requester, device, filter, token, isFullState, stateAfter, seenMembers } = asked
  return {
    store: server.store,
    userId: requester.userId,
    device,
    filter,
    since: token?.position ?? 0,
    until,
    isInitial: token === undefined,
    isFullState,
    stateAfter,
    now: server.clock.now(),
    seenMembers,
    ignored: ignoredUsers(server, asked.watch),
    prejoinState: prejoinState(server),
    timelineLimit: timelineLimit(server),
    accountData: changedAccountData(server, asked.watch, token?.position ?? 0, until),
    mayHaveMoved: (roomId, about) => server.notifier.mayHaveMoved(roomId, about, token?.position ?? -1),
    movedAt: (roomId) => (token && token.position >= server.notifier.floor ? server.notifier.movedAt(roomId) : undefined),
    typingIn: (roomId, isNew) => {
      const typing = server.notifier.typingIn(roomId)
      return typing && typing.volatile > (isNew ? 0 : sinceVolatile) ? typing.userIds : undefined
    },
  }
}

function changedAccountData({ store, notifier }: Homeserver, watch: Watch, since: number, until: number): ChangedAccountData {
  const isQuiet = since > 0 && !notifier.mayConcern(watch, 'account-data', since)
  return isQuiet ? NO_ACCOUNT_DATA : readChangedAccountData(store, watch.userId, since, until)
}

/** The rooms that can have something to say: all of them at first, then only those that moved (D27). */
function roomsToRead(server: Homeserver, reading: Reading, watch: Watch, sinceVolatile: number): RoomMembership[] {
  const { store, userId, since, until, isInitial, isFullState, filter } = reading
  const reachesBack = since >= server.notifier.floor
  if (isInitial || isFullState || !reachesBack) {
    const forgotten = isInitial ? [] : listMembershipsBetween(store, userId, since, until).filter(({ isForgotten }) => isForgotten)
    const { includeLeave } = filter.room
    // Who was shown out is told so, whatever the filter; a room that was left of one's own accord is over.
    const isShownOut = ({ membership, sender }: RoomMembership): boolean => membership === 'ban' || sender !== userId
    return [...listMemberships(store, userId), ...forgotten].filter((own) =>
      own.membership === 'leave' || own.membership === 'ban' ? includeLeave || (isInitial ? isShownOut(own) : own.position > since) : true)
  }
  const changed = server.notifier.mayConcern(watch, 'membership', since) ? listMembershipsBetween(store, userId, since, until) : []
  const known = new Set(changed.map(({ roomId }) => roomId))
  const others = new Set<RoomId>([...reading.accountData.keys()].filter((roomId) => roomId !== null))
  for (const roomId of watch.rooms) {
    const hasMoved = (server.notifier.movedAt(roomId) ?? 0) > since || (server.notifier.typingIn(roomId)?.volatile ?? 0) > sinceVolatile
    if (hasMoved) others.add(roomId)
  }
  const moved = [...others].filter((roomId) => !known.has(roomId)).flatMap((roomId) => membershipIn(store, watch, roomId) ?? [])
  return [...changed, ...moved]
}

/** Memberships of the rooms on a watch; a change of any makes the watch read its rooms anew, and so empties this. */
const knownMemberships = new WeakMap<ReadonlySet<RoomId>, Map<RoomId, RoomMembership>>()

function membershipIn(store: Store, { userId, rooms }: Watch, roomId: RoomId): RoomMembership | undefined {
  const known = knownMemberships.get(rooms) ?? new Map<RoomId, RoomMembership>()
  knownMemberships.set(rooms, known)
  const membership = known.get(roomId) ?? findRoomMembership(store, userId, roomId)
  if (membership && rooms.has(roomId)) known.set(roomId, membership)
  return membership
}
