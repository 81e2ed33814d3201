import type { RoomId, UserId } from '#schema/identifiers.ts'

/** What the admin's tools may ask of a server. Refusals are MatrixErrors, with a sentence that says what to do. */
export type AdminDoor = Readonly<{
  /** Refuses with M_USER_IN_USE or M_INVALID_USERNAME. Without a password nobody can log in with one. */
  createUser(user: NewUser): Promise<{ userId: UserId }>
  /** Logs a user in without asking for a password, on a new device. */
  startSession(session: NewSession): Promise<{ accessToken: string; deviceId: string }>
  /** Ordered by user id; `total` counts all that fit, not only this page. */
  listUsers(page: UserPage): Promise<{ users: readonly UserRow[]; total: number }>
  /** Refuses with M_NOT_FOUND. */
  showUser(userId: UserId): Promise<UserDetails>
  resetPassword(change: { userId: UserId; password: string; logoutDevices: boolean }): Promise<void>
  /** `erase` also hides what the user wrote from those who join later. */
  deactivateUser(change: { userId: UserId; erase: boolean }): Promise<void>
  setAdmin(change: { userId: UserId; admin: boolean }): Promise<void>
  /** Ordered by room id. */
  listRooms(page: Page): Promise<{ rooms: readonly RoomRow[]; total: number }>
  showRoom(roomId: RoomId): Promise<RoomDetails>
  /** The actors that are awake now. */
  actors(): Promise<readonly ActorRow[]>
  stats(): Promise<ServerStats>
}>

export type NewUser = Readonly<{
  localpart: string
  password: string | null
  admin: boolean
  displayname: string | null
  /** Synapse's `bot` or `support`; null for people. */
  userType: string | null
}>

export type NewSession = Readonly<{ userId: UserId; deviceId: string | null; displayName: string | null }>

/** `from` counts rows to pass over, `search` is part of a name. */
export type Page = Readonly<{ from: number; limit: number; search: string | null }>
export type UserPage = Page & Readonly<{ deactivated: boolean }>

export type UserRow = Readonly<{
  userId: UserId
  displayname: string | null
  isAdmin: boolean
  isDeactivated: boolean
  createdTs: number
}>

export type UserDetails = UserRow & Readonly<{
  avatarUrl: string | null
  joinedRooms: number
  devices: readonly Readonly<{ deviceId: string; displayName: string | null; lastSeenTs: number | null }>[]
}>

export type RoomRow = Readonly<{
  roomId: RoomId
  name: string | null
  canonicalAlias: string | null
  joinedMembers: number
  joinedLocalMembers: number
  version: string
}>

export type RoomDetails = RoomRow & Readonly<{
  topic: string | null
  creator: UserId | null
  joinRule: string | null
  historyVisibility: string | null
  isEncrypted: boolean
  isPublic: boolean
  isFederated: boolean
  forwardExtremities: number
  stateEvents: number
}>

/** `mailboxDepth` is what waits now; `turns`, `failures` count since the actor woke; `memoryBytes` is an estimate. */
export type ActorRow = Readonly<{
  kind: string
  id: string
  mailboxDepth: number
  turns: number
  failures: number
  memoryBytes: number | null
}>

export type ServerStats = Readonly<{
  users: number
  /** Those who were active in the last thirty days; null where nobody counts them. */
  monthlyUsers: number | null
  rooms: number
  /** Where the journal stands. */
  position: number
  databaseBytes: number
  /** Writes are refused until there is room on the disk again. */
  isDiskFull: boolean
  /** Damaged places of the database, in SQLite's words. */
  problems: readonly string[]
  /** How often what must never happen has happened, by what it is. */
  brokenInvariants: Readonly<Record<string, number>>
}>
