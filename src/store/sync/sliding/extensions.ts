import { LIVE, NEVER, noteSent, type SentRoom } from '#core/sync/connection.ts'
import type { Scope, SlidingRequest } from '#core/sync/sliding-request.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { type AccountDataRow, listAccountDataBetween, listAccountDataOf } from '#store/account-data.ts'
import { havePushRulesChanged, pushRulesJson } from '#store/push-rules.ts'
import { listThreadSubscriptions, printThreadSubscriptions } from '#store/thread-subscriptions.ts'
import type { Interest } from './interest.ts'
import type { SlidingReading } from './reading.ts'
import { readFirstReceipts, readReceipts } from './receipts.ts'
import type { WantedRoom } from './room.ts'

/** The extensions of a request that are read from tables and the board. Undefined: nothing to tell. spec: MSC4186 */

export const inScope = ({ lists, rooms }: Scope, { subscriptions }: SlidingRequest, { lists: names, listed: { room: { roomId } } }: WantedRoom): boolean =>
  (lists === undefined ? names.length > 0 : names.some((name) => lists.includes(name))) ||
  (subscriptions.has(roomId) && (rooms === undefined || rooms.includes(roomId)))

/** What the client will have of the room when this answer arrives. */
const sentNow = ({ connection, move }: SlidingReading, roomId: RoomId): SentRoom | undefined => move.rooms.get(roomId) ?? connection.rooms.get(roomId)

type Asked = Readonly<{ request: SlidingRequest; interest: Interest }>

/** spec: MSC3959 */
export function readAccountData(reading: SlidingReading, { request, interest }: Asked): string | undefined {
  const scope = request.extensions.accountData
  if (!scope) return void forgetAccountData(reading)
  const global = printAccountData(readGlobal(reading))
  const rooms: string[] = []
  const told = new Set<RoomId>()
  for (const wanted of interest.wanted.values()) {
    const { roomId } = wanted.listed.room
    const sent = sentNow(reading, roomId)
    if (!sent || !inScope(scope, request, wanted)) continue
    told.add(roomId)
    const rows = readOfRoom(reading, roomId, sent.accountData)
    if (sent.accountData !== LIVE) noteSent(reading.connection, reading.move, roomId, { ...sent, accountData: LIVE })
    if (rows.length > 0) rooms.push(`${JSON.stringify(roomId)}:[${printAccountData(rows)}]`)
  }
  forgetOutOf(reading, 'accountData', told, (roomId) => reading.accountData.has(roomId), [...reading.accountData.keys()].filter((roomId) => roomId !== null))
  if (global === '' && rooms.length === 0) return undefined
  return `{"global":[${global}],"rooms":{${rooms.join(',')}}}`
}

type Row = Pick<AccountDataRow, 'type' | 'json'>

const printAccountData = (rows: readonly Row[]): string =>
  rows.map(({ type, json }) => `{"content":${json ?? '{}'},"type":${JSON.stringify(type)}}`).join(',')

function readGlobal(reading: SlidingReading): Row[] {
  const { store, userId, since, until, move, accountData } = reading
  const from = move.globalAccountData === LIVE ? since : move.globalAccountData
  const rows: Row[] = move.globalAccountData === LIVE
    ? [...(accountData.get(null) ?? [])]
    : from === NEVER
      ? listAccountDataOf(store, userId, null)
      : listAccountDataBetween(store, userId, from, until).filter(({ roomId }) => roomId === null)
  const hasRules = from === NEVER || havePushRulesChanged(store, userId, from, until)
  move.globalAccountData = LIVE
  return hasRules ? [...rows.filter(({ type }) => type !== 'm.push_rules'), { type: 'm.push_rules', json: pushRulesJson(store, userId) }] : rows
}

function readOfRoom({ store, userId, until, accountData }: SlidingReading, roomId: RoomId, from: number): readonly Row[] {
  if (from === LIVE) return accountData.get(roomId) ?? []
  if (from === NEVER) return listAccountDataOf(store, userId, roomId)
  return listAccountDataBetween(store, userId, from, until).filter((row) => row.roomId === roomId)
}

/** The extension is off: whatever changes from here on has to be told when it is on again. */
function forgetAccountData(reading: SlidingReading): void {
  const { move, accountData, since, connection } = reading
  if (accountData.size === 0) return
  if (move.globalAccountData === LIVE && accountData.has(null)) move.globalAccountData = since
  for (const roomId of accountData.keys()) {
    const sent = roomId === null ? undefined : sentNow(reading, roomId)
    if (roomId !== null && sent?.accountData === LIVE) noteSent(connection, move, roomId, { ...sent, accountData: since })
  }
}

/** Rooms that are not told of by this answer and in which something has changed are no longer up to date. */
function forgetOutOf(
  reading: SlidingReading,
  part: 'sent' | 'receipts' | 'accountData',
  told: Readonly<{ has: (roomId: RoomId) => boolean }>,
  hasChanged: (roomId: RoomId) => boolean,
  rooms: Iterable<RoomId>,
): void {
  const { connection, move, since } = reading
  for (const roomId of rooms) {
    if (told.has(roomId)) continue
    const sent = sentNow(reading, roomId)
    if (sent?.[part] === LIVE && hasChanged(roomId)) noteSent(connection, move, roomId, { ...sent, [part]: since })
  }
}

/** spec: MSC3960 */
export function readReceiptsOf(reading: SlidingReading, { request, interest }: Asked, moved: Iterable<RoomId>): string | undefined {
  const scope = request.extensions.receipts
  const hasMoved = (roomId: RoomId): boolean => reading.since < reading.floor || reading.mayHaveMoved(roomId, 'receipts', reading.since)
  const rooms: string[] = []
  const told = new Set<RoomId>()
  for (const wanted of scope ? interest.wanted.values() : []) {
    const { listed: { room: { roomId }, membership }, config } = wanted
    const sent = sentNow(reading, roomId)
    if (!sent || membership || !scope || !inScope(scope, request, wanted)) continue
    told.add(roomId)
    if (sent.receipts === LIVE && !hasMoved(roomId) && !reading.expanded.has(roomId)) continue
    const text = sent.receipts === NEVER
      ? readFirstReceipts(reading, roomId, config.timelineLimit)
      : readReceipts(reading, roomId, sent.receipts === LIVE ? reading.since : sent.receipts)
    if (sent.receipts !== LIVE) noteSent(reading.connection, reading.move, roomId, { ...sent, receipts: LIVE })
    if (text !== undefined) rooms.push(`${JSON.stringify(roomId)}:${text}`)
  }
  forgetOutOf(reading, 'receipts', told, hasMoved, moved)
  return rooms.length === 0 ? undefined : `{"rooms":{${rooms.join(',')}}}`
}

/** Who types now, to clients that do not know it. spec: MSC3961 */
export function readTyping(reading: SlidingReading, { request, interest }: Asked): string | undefined {
  const scope = request.extensions.typing
  if (!scope) return undefined
  const { connection, move, typingIn } = reading
  const rooms: string[] = []
  for (const wanted of interest.wanted.values()) {
    const { room: { roomId }, membership } = wanted.listed
    const typing = typingIn(roomId)
    if (!typing || membership || !inScope(scope, request, wanted)) continue
    const known = connection.typing.get(roomId)
    // Who typed when the process before this one ended has stopped, and the client is to hear of it.
    const isNoNews = typing.userIds.length === 0 && !connection.isForgetful
    if (known === undefined ? isNoNews : known >= typing.volatile) continue
    move.typing.set(roomId, typing.volatile)
    rooms.push(`${JSON.stringify(roomId)}:${JSON.stringify({ type: 'm.typing', content: { user_ids: typing.userIds } })}`)
  }
  return rooms.length === 0 ? undefined : `{"rooms":{${rooms.join(',')}}}`
}

/** spec: MSC4308 */
export function readThreads({ store, userId, since, until }: SlidingReading, { extensions }: SlidingRequest): string | undefined {
  if (!extensions.threads) return undefined
  const { changes, more } = listThreadSubscriptions(store, { userId, since, until, limit: extensions.threads.limit })
  if (changes.length === 0) return undefined
  const rest = more === undefined ? '' : `,"prev_batch":${JSON.stringify(String(more))}`
  return `{${printThreadSubscriptions(changes)}${rest}}`
}

/** Rooms outside of every window that went on: the client has them up to its token. */
export const forgetRoomsOutOf = (reading: SlidingReading, interest: Interest, moved: Iterable<RoomId>): void =>
  forgetOutOf(reading, 'sent', interest.wanted, () => true, moved)
