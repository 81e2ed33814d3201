import type { Json, JsonObject } from '#schema/pdu.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'

/** What an account of this server has decided, in the past tense. Rows of the journal: add kinds, never change one. */

export type UserRegistered = Readonly<{
  kind: 'userRegistered'
  userId: UserId
  /** As `src/errands/hash-password.ts` writes it; null: no login by password. */
  passwordHash: string | null
  isAdmin: boolean
  isGuest: boolean
  ts: number
}>

/** A guest became a user of the same name. spec: client-server-api#guest-access */
export type GuestUpgraded = Readonly<{ kind: 'guestUpgraded'; userId: UserId; passwordHash: string | null }>

export type PasswordChanged = Readonly<{ kind: 'passwordChanged'; userId: UserId; passwordHash: string | null }>

export type AdminChanged = Readonly<{ kind: 'adminChanged'; userId: UserId; isAdmin: boolean }>

/** spec: client-server-api#account-locking */
export type LockChanged = Readonly<{ kind: 'lockChanged'; userId: UserId; isLocked: boolean }>

/** spec: client-server-api#account-suspension */
export type SuspensionChanged = Readonly<{ kind: 'suspensionChanged'; userId: UserId; isSuspended: boolean }>

/** Password, profile, account data and filters went with it. The name stays taken for ever. */
export type UserDeactivated = Readonly<{
  kind: 'userDeactivated'
  userId: UserId
  /** What the user wrote is to be hidden from those who join later. */
  isErased: boolean
}>

export type UserReactivated = Readonly<{ kind: 'userReactivated'; userId: UserId; passwordHash: string | null }>

export type ProfileFieldSet = Readonly<{ kind: 'profileFieldSet'; userId: UserId; field: string; value: Json }>

export type ProfileFieldDeleted = Readonly<{ kind: 'profileFieldDeleted'; userId: UserId; field: string }>

/** The account's own data when `roomId` is null. Tags are the type `m.tag` of a room. */
export type AccountDataSet = Readonly<{
  kind: 'accountDataSet'
  userId: UserId
  roomId: RoomId | null
  type: string
  content: JsonObject
}>

export type AccountDataDeleted = Readonly<{
  kind: 'accountDataDeleted'
  userId: UserId
  roomId: RoomId | null
  type: string
}>

export type FilterDefined = Readonly<{ kind: 'filterDefined'; userId: UserId; filterId: string; filter: JsonObject }>

/** The oldest of too many filters went. */
export type FilterDropped = Readonly<{ kind: 'filterDropped'; userId: UserId; filterId: string }>

/** spec: client-server-api#terms-of-service-at-registration */
export type TermsAccepted = Readonly<{ kind: 'termsAccepted'; userId: UserId; version: string; ts: number }>

/** The account is one of those that count as active this month. */
export type MonthlyUseNoticed = Readonly<{ kind: 'monthlyUseNoticed'; userId: UserId; ts: number }>

export type UserFact =
  | UserRegistered
  | GuestUpgraded
  | PasswordChanged
  | AdminChanged
  | LockChanged
  | SuspensionChanged
  | UserDeactivated
  | UserReactivated
  | ProfileFieldSet
  | ProfileFieldDeleted
  | AccountDataSet
  | AccountDataDeleted
  | FilterDefined
  | FilterDropped
  | TermsAccepted
  | MonthlyUseNoticed
