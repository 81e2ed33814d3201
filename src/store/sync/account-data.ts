import { type EventFilter, matchesEventFilter, NO_EVENT_FILTER } from '#core/sync/filter.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { type AccountDataRow, listAccountDataBetween, listAllAccountDataOf } from '#store/account-data.ts'
import { listPushRulesBetween } from '#store/push-rules.ts'
import type { Store } from '#store/store.ts'
import type { Reading } from './reading.ts'

/** What changed in a window, by room; null is the account itself. */
export type ChangedAccountData = ReadonlyMap<RoomId | null, readonly AccountDataRow[]>

export const NO_ACCOUNT_DATA: ChangedAccountData = new Map()

export const readChangedAccountData = (store: Store, userId: UserId, since: number, until: number): ChangedAccountData =>
  Map.groupBy(listAccountDataBetween(store, userId, since, until), ({ roomId }) => roomId)

/** One room's account data as event texts: all of it where the room is new to the client, which may know it from an earlier time. */
export function roomAccountData(reading: Reading, roomId: RoomId, isWhole: boolean): string[] {
  const { store, userId, accountData, filter, isInitial } = reading
  const rows = isWhole && !isInitial ? listAllAccountDataOf(store, userId, roomId) : (accountData.get(roomId) ?? [])
  return printAccountData(reading, rows, filter.room.accountData)
}

/** The account's own; who asks for the full state gets all of it again. */
export function globalAccountData(reading: Reading): string[] {
  const { store, userId, since, until, accountData, filter, isInitial, isFullState } = reading
  const isWhole = isInitial || isFullState
  const rows = isFullState ? listAllAccountDataOf(store, userId, null) : (accountData.get(null) ?? [])
  // Their changes ring like those of account data, of which nothing at all is known to have changed then.
  const pushRules = accountData === NO_ACCOUNT_DATA && !isWhole ? [] : listPushRulesBetween(store, userId, isWhole ? 0 : since, until)
  return printAccountData(reading, [...rows, ...pushRules], filter.accountData)
}

/** What was deleted is told as empty content to those who may have known it. */
function printAccountData({ isInitial }: Reading, rows: readonly AccountDataRow[], filter: EventFilter): string[] {
  return rows
    .filter((row) => !isInitial || row.json !== null)
    .filter(({ type }) => filter === NO_EVENT_FILTER || matchesEventFilter(filter, { type }))
    .map(({ type, json }) => `{"content":${json ?? '{}'},"type":${JSON.stringify(type)}}`)
}
