import type { RoomId, UserId } from '#schema/identifiers.ts'

/** What an account has decided about its key backups. Rows of the journal: add kinds, never change one. */

export type BackupCreated = Readonly<{
  kind: 'backupCreated'
  userId: UserId
  version: number
  algorithm: string
  /** JSON. */
  authData: string
}>

export type BackupUpdated = Readonly<{ kind: 'backupUpdated'; userId: UserId; version: number; authData: string }>

/** With all its keys. */
export type BackupDeleted = Readonly<{ kind: 'backupDeleted'; userId: UserId; version: number }>

/** The key of one megolm session, encrypted by the client. */
export type BackedUpKey = Readonly<{
  roomId: RoomId
  sessionId: string
  isVerified: boolean
  firstMessageIndex: number
  forwardedCount: number
  /** The whole of what the client uploaded, as JSON. */
  json: string
}>

/**
 * These keys are in the backup now, in place of what was there under their names. On disk the fact is its rows in
 * `backed_up_keys`, as far as no later fact has written over them.
 */
export type RoomKeysStored = Readonly<{
  kind: 'roomKeysStored'
  userId: UserId
  version: number
  keys: readonly BackedUpKey[]
}>

/** Of one session, of one room (`sessionId` null) or all of them (`roomId` null too). */
export type RoomKeysDeleted = Readonly<{
  kind: 'roomKeysDeleted'
  userId: UserId
  version: number
  roomId: RoomId | null
  sessionId: string | null
}>

/** Goes with every change of a backup's keys: how many there are now, and what tells this content from others. */
export type RoomKeysCounted = Readonly<{
  kind: 'roomKeysCounted'
  userId: UserId
  version: number
  etag: number
  count: number
}>

export type KeyBackupFact =
  BackupCreated | BackupUpdated | BackupDeleted | RoomKeysStored | RoomKeysDeleted | RoomKeysCounted
