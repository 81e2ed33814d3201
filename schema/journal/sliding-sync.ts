import type { DeviceId, UserId } from '#schema/identifiers.ts'

/** How far the sliding-sync connections of a device have come. Rows of the journal: add kinds, never change one. */

/**
 * What rooms have in common that were sent alike: up to which position (-1: up to that of the token, 0: never), how many
 * of the newest events, for which required state (its place in the list of the connection), and the same positions for
 * receipts and account data.
 */
export type SentAlike = Readonly<{
  sent: number
  covered: number
  wish: number
  receipts: number
  accountData: number
  isDm: boolean
}>

/**
 * An answer was sent that changed what the client has. It may not have arrived: `version` follows on `from`, which the
 * client has shown to have. `from` 0 begins anew.
 */
export type ConnectionMoved = Readonly<{
  kind: 'connectionMoved'
  userId: UserId
  deviceId: DeviceId
  connId: string
  /** Tells this connection from earlier ones of the same name. */
  start: string
  from: number
  version: number
  rooms: readonly (readonly [SentAlike, readonly string[]])[]
  /** Required states that are new to the list of the connection, as `#core/sync/required-state.ts` prints them. */
  wishes: readonly string[]
  /** As `SentAlike.accountData`, for the account's own. */
  globalAccountData: number
  ts: number
}>

/** Too many, or not used for too long. */
export type ConnectionsDropped = Readonly<{
  kind: 'connectionsDropped'
  userId: UserId
  deviceId: DeviceId
  connIds: readonly string[]
}>

export type SlidingSyncFact = ConnectionMoved | ConnectionsDropped
