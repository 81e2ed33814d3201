import { Elysia } from 'elysia'
import { hasContent, printSync, type SyncAnswer } from '#core/sync/assemble.ts'
import { parseFilter, type SyncFilter } from '#core/sync/filter.ts'
import { seenBy, type SeenMembers } from '#core/sync/lazy-members.ts'
import { parseSyncToken, printSyncToken, type SyncToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { connectionOf } from '#http/connection.ts'
import { rawJson, type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import type { Watch } from '#notifier'
import { readBoolean, readInteger } from '#schema/client/query.ts'
import { sync } from '#schema/client/sync.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { invalidParam, MatrixError, notFound, notJson } from '#schema/matrix-error.ts'
import { findAccountData } from '#store/account-data.ts'
import { deviceKeyOf } from '#store/events.ts'
import { findFilter } from '#store/filters.ts'
import { globalAccountData, readChangedAccountData } from '#store/sync/account-data.ts'
import { findRoomMembership, listMemberships, listMembershipsBetween, type RoomMembership } from '#store/sync/memberships.ts'
import type { Reading } from '#store/sync/reading.ts'
import { readRooms } from '#store/sync/rooms.ts'

/** Nobody is kept waiting for longer than this, whatever they ask for. */
export const LONGEST_WAIT_MS = 5 * 60_000

const EVERYTHING = parseFilter({}) as SyncFilter

export const syncPage = (server: Homeserver) => {
  const seenMembers: SeenMembers = new Map()
  return new Elysia({ name: 'client/sync', normalize: false }).get(
    '/_matrix/client/v3/sync',
    signedIn(server, sync, async (call) => {
      connectionOf(call.request).keepOpen()
      const asked = readQuestion(server, call, seenMembers)
      const deadline = server.clock.now() + Math.min(asked.timeoutMs, LONGEST_WAIT_MS)
      for (;;) {
        const { seen } = server.notifier
        const answer = readAnswer(server, asked, seen)
        const left = deadline - server.clock.now()
        if (!asked.mayWait || hasContent(answer) || left <= 0 || call.request.signal.aborted) return rawJson(printSync(answer))
        await server.notifier.wait(asked.watch, seen, left, call.request.signal)
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
  timeoutMs: number
  mayWait: boolean
  isFullState: boolean
  stateAfter: Reading['stateAfter']
  seenMembers: Map<string, number>
}>

function readQuestion(server: Homeserver, { query, requester }: SignedInCall<typeof sync>, seenMembers: SeenMembers): Question {
  const token = query.since === undefined || query.since === '' ? undefined : parseSyncToken(query.since)
  if (query.since && !token) throw invalidParam('since is not a token of this server')
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
    seenMembers: token ? seenBy(seenMembers, device) : freshlySeen(seenMembers, device),
  }
}

/** A client that starts anew knows no members. */
function freshlySeen(all: SeenMembers, device: string): Map<string, number> {
  all.delete(device)
  return seenBy(all, device)
}

/** A filter id, or the filter itself where the text starts with a brace. */
function filterOf(server: Homeserver, userId: UserId, text: string | undefined): SyncFilter {
  if (text === undefined || text === '') return EVERYTHING
  const filter = parseFilter(text.startsWith('{') ? parseInline(text) : storedFilter(server, userId, text))
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

function readAnswer(server: Homeserver, asked: Question, seen: { position: number; volatile: number }): SyncAnswer {
  const { token, watch } = asked
  const fresh = server.notifier.watch(watch.userId)
  const sinceVolatile = token && token.boot === server.bootId ? token.volatile : 0
  const reading = readingOf(server, asked, seen.position, sinceVolatile)
  const nextBatch = printSyncToken({ position: Math.max(seen.position, reading.since), boot: server.bootId, volatile: seen.volatile })
  const isQuiet = token !== undefined && !asked.isFullState && reading.since >= server.notifier.floor &&
    fresh.position <= reading.since && fresh.volatile <= sinceVolatile
  if (isQuiet) return { ...NOTHING, nextBatch }
  const rooms = readRooms(reading, roomsToRead(server, reading, fresh, sinceVolatile))
  return { ...NOTHING, nextBatch, ...rooms, accountData: globalAccountData(reading) }
}

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
    ignored: ignoredBy(server, requester.userId),
    accountData: readChangedAccountData(server.store, requester.userId, token?.position ?? 0, until),
    typingIn: (roomId) => {
      const typing = server.notifier.typingIn(roomId)
      const isNews = typing && typing.volatile > sinceVolatile && (typing.userIds.length > 0 || token !== undefined)
      return isNews ? typing.userIds : undefined
    },
  }
}

/** spec: client-server-api#ignoring-users */
function ignoredBy(server: Homeserver, userId: UserId): ReadonlySet<string> {
  const content = findAccountData(server.store, userId, null, 'm.ignored_user_list')
  const users = (content as { ignored_users?: object } | undefined)?.ignored_users
  return new Set(typeof users === 'object' && users !== null ? Object.keys(users) : [])
}

/** The rooms that can have something to say: all of them at first, then only those that moved (D27). */
function roomsToRead(server: Homeserver, reading: Reading, watch: Watch, sinceVolatile: number): RoomMembership[] {
  const { store, userId, since, until, isInitial, isFullState, filter } = reading
  const reachesBack = since >= server.notifier.floor
  if (isInitial || isFullState || !reachesBack) {
    const all = listMemberships(store, userId)
    const { includeLeave } = filter.room
    return all.filter(({ membership, position }) =>
      membership === 'leave' || membership === 'ban' ? includeLeave || (!isInitial && position > since) : true)
  }
  const changed = listMembershipsBetween(store, userId, since, until)
  const known = new Set(changed.map(({ roomId }) => roomId))
  const others = new Set<RoomId>([...reading.accountData.keys()].filter((roomId) => roomId !== null))
  for (const roomId of watch.rooms) {
    const hasMoved = (server.notifier.movedAt(roomId) ?? 0) > since || (server.notifier.typingIn(roomId)?.volatile ?? 0) > sinceVolatile
    if (hasMoved) others.add(roomId)
  }
  const moved = [...others].filter((roomId) => !known.has(roomId)).flatMap((roomId) => findRoomMembership(store, userId, roomId) ?? [])
  return [...changed, ...moved]
}
