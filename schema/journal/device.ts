import type { DeviceId, UserId } from '#schema/identifiers.ts'

/** What a device of an account here has decided, in the past tense. Rows of the journal: add kinds, never change one. */

/** Tokens are known by their SHA-256 in unpadded base64; the tokens themselves are kept nowhere. */
export type TokenHash = string

export type Tokens = Readonly<{
  accessHash: TokenHash
  /** Milliseconds since 1970; null: never. */
  accessExpiresTs: number | null
  refreshHash: TokenHash | null
  refreshExpiresTs: number | null
}>

/** Someone logged in; earlier tokens of the device are void. The device is made if it was not there. */
export type SessionStarted = Readonly<{
  kind: 'sessionStarted'
  userId: UserId
  deviceId: DeviceId
  /** The name that the device has from now on. */
  displayName: string | null
  tokens: Tokens
  /** When the login ends however often it is refreshed; null: never. */
  endsTs: number | null
  ts: number
  ipAddress: string | null
  userAgent: string | null
}>

/** New tokens were given out; those of `previous` count until one of the new ones is used. */
export type SessionRefreshed = Readonly<{
  kind: 'sessionRefreshed'
  userId: UserId
  deviceId: DeviceId
  tokens: Tokens
  previous: Tokens
}>

/** The newest tokens were used, so those before them are void. */
export type SessionConfirmed = Readonly<{ kind: 'sessionConfirmed'; userId: UserId; deviceId: DeviceId; tokens: Tokens }>

/** A device without a session. spec: application-service-api#device-management */
export type DeviceCreated = Readonly<{
  kind: 'deviceCreated'
  userId: UserId
  deviceId: DeviceId
  displayName: string | null
  ts: number
}>

export type DeviceRenamed = Readonly<{
  kind: 'deviceRenamed'
  userId: UserId
  deviceId: DeviceId
  displayName: string | null
}>

/** From where the device was last used; recorded now and then, not with each request. */
export type DeviceSeen = Readonly<{
  kind: 'deviceSeen'
  userId: UserId
  deviceId: DeviceId
  ts: number
  ipAddress: string | null
  userAgent: string | null
}>

/** From where the device was last used is not kept any more; when it was, is. */
export type DeviceOriginForgotten = Readonly<{ kind: 'deviceOriginForgotten'; userId: UserId; deviceId: DeviceId }>

/** Logged out or removed: its tokens and everything that waited for it are gone. */
export type DeviceDeleted = Readonly<{ kind: 'deviceDeleted'; userId: UserId; deviceId: DeviceId }>

export type DeviceFact =
  | SessionStarted
  | SessionRefreshed
  | SessionConfirmed
  | DeviceCreated
  | DeviceRenamed
  | DeviceSeen
  | DeviceOriginForgotten
  | DeviceDeleted
