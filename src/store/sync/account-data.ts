import { type EventFilter, matchesEventFilter, NO_EVENT_FILTER } from '#core/sync/filter.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { type AccountDataRow, listAccountDataBetween, listAccountDataOf } from '#store/account-data.ts'
import { listPushRulesBetween } from '#store/push-rules.ts'
import type { Store } from '#store/store.ts'
import type { Reading } from './reading.ts'

/** What changed in a window, by room; null is the account itself. */
export type ChangedAccountData = ReadonlyMap<RoomId | null, readonly AccountDataRow[]>

export const NO_ACCOUNT_DATA: ChangedAccountData = new Map()

export const readChangedAccountData = (store: Store, userId: UserId, since: number, until: number): ChangedAccountData =>
  Map.groupBy(listAccountDataBetween(store, userId, since, until), ({ roomId }) => roomId)

/** One room's account data as event texts: all of it where the room is new to the client. */
export function roomAccountData({ store, userId, accountData, filter, isInitial }: Reading, roomId: RoomId, isWhole: boolean): string[] {
  const rows = isWhole && !isInitial ? listAccountDataOf(store, userId, roomId) : (accountData.get(roomId) ?? [])
  return printAccountData(rows, filter.room.accountData, isWhole)
}

export function globalAccountData({ store, userId, since, until, accountData, filter, isInitial }: Reading): string[] {
  // Their changes ring like those of account data, of which nothing at all is known to have changed then.
  const pushRules = accountData === NO_ACCOUNT_DATA ? [] : listPushRulesBetween(store, userId, isInitial ? 0 : since, until)
  return printAccountData([...(accountData.get(null) ?? []), ...pushRules], filter.accountData, isInitial)
}

/** What was deleted is told as empty content to those who may have known it. */
function printAccountData(rows: readonly AccountDataRow[], filter: EventFilter, isWhole: boolean): string[] {
  return rows
    .filter(({ json }) => json !== null || !isWhole)
    .filter(({ type }) => filter === NO_EVENT_FILTER || matchesEventFilter(filter, { type }))
    .map(({ type, json }) => `{"content":${json ?? '{}'},"type":${JSON.stringify(type)}}`)
}
