import type { Homeserver } from '#homeserver'
import type { EventId } from '#schema/identifiers.ts'
import type { EventAppended } from '#schema/journal/room.ts'
import { deviceKeyOf, findSentEvent, type SentPath } from '#store/events.ts'
import type { Requester } from './endpoint.ts'

export type Transaction = NonNullable<EventAppended['transaction']>

/** Transaction ids belong to the device, and to the path of the request. spec: client-server-api#transaction-identifiers */
export const transactionOf = ({ userId, deviceId }: Requester, txnId: string): Transaction | undefined =>
  deviceId === null ? undefined : { userId, deviceId, txnId }

/** What an earlier request of the same id and to the same path has made, also before a restart. */
export const sentBefore = ({ store }: Homeserver, transaction: Transaction | undefined, path: SentPath): EventId | undefined =>
  transaction && findSentEvent(store, deviceKeyOf(transaction.userId, transaction.deviceId), transaction.txnId, path)
