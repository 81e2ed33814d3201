import type { Command } from '#actors/kernel/actor.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { BackedUpKey, KeyBackupFact } from '#schema/journal/key-backup.ts'
import { invalidParam, MatrixError, notFound, tooLarge } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { Backup } from './encryption.ts'
import type { User, UserApply, UserDecide } from './memory.ts'

/** Backups of one account; of more, the oldest goes. */
export const BACKUP_LIMIT = 50
/** Keys in one backup. */
export const BACKED_UP_KEYS_LIMIT = 1_000_000

export type BackupState = Readonly<{ etag: number; count: number }>

export type KeyBackupCommand =
  /** `authData` is JSON. spec: client-server-api#post_matrixclientv3room_keysversion */
  | Command<'postRoomKeysVersion', { algorithm: string; authData: string }, { version: number }>
  | Command<'putRoomKeysVersion', { version: number; algorithm: string; authData: string }>
  | Command<'deleteRoomKeysVersion', { version: number }>
  /**
   * `keys` are better than what was there when the backup was at `etag`, `added` of them new. When it has moved on, nothing
   * happens and the reply is null: look again. spec: client-server-api#put_matrixclientv3room_keyskeys
   */
  | Command<
      'putRoomKeys',
      { version: number; etag: number; keys: readonly BackedUpKey[]; added: number },
      BackupState | null
    >
  /** Likewise; `removed` keys are there under these names. */
  | Command<
      'deleteRoomKeys',
      { version: number; etag: number; roomId: RoomId | null; sessionId: string | null; removed: number },
      BackupState | null
    >

export const decide = {
  postRoomKeysVersion(user, { algorithm, authData }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const {
      userId,
      encryption: { backups, nextBackup: version },
    } = user
    const created = { kind: 'backupCreated', userId, version, algorithm, authData } as const
    const [oldest] = backups.keys()
    if (backups.size < BACKUP_LIMIT || oldest === undefined) return { facts: [created], reply: { version } }
    return { facts: [{ kind: 'backupDeleted', userId, version: oldest }, created], reply: { version } }
  },

  putRoomKeysVersion(user, { version, algorithm, authData }) {
    const backup = user.encryption.backups.get(version)
    if (!backup) return { refuse: unknownBackup() }
    if (backup.algorithm !== algorithm)
      return { refuse: invalidParam('The algorithm of a backup cannot be changed') }
    return { facts: [{ kind: 'backupUpdated', userId: user.userId, version, authData }], reply: undefined }
  },

  deleteRoomKeysVersion({ userId, encryption: { backups, nextBackup } }, { version }) {
    if (backups.has(version)) return { facts: [{ kind: 'backupDeleted', userId, version }], reply: undefined }
    const wasThere = version > 0 && version < nextBackup
    return wasThere ? { reply: undefined } : { refuse: unknownBackup() }
  },

  putRoomKeys(user, { version, etag, keys, added }) {
    const why = whyNotActive(user) ?? whyNotCurrent(user, version)
    if (why) return { refuse: why }
    const {
      userId,
      encryption: { backups },
    } = user
    const backup = backups.get(version)
    if (backup?.etag !== etag) return { reply: null }
    if (keys.length === 0) return { reply: stateOf(backup) }
    const next = { etag: etag + 1, count: backup.count + added }
    if (next.count > BACKED_UP_KEYS_LIMIT)
      return { refuse: tooLarge(`A backup may hold at most ${BACKED_UP_KEYS_LIMIT} keys`) }
    return {
      facts: [
        { kind: 'roomKeysStored', userId, version, keys },
        { kind: 'roomKeysCounted', userId, version, ...next },
      ],
      reply: next,
    }
  },

  deleteRoomKeys({ userId, encryption: { backups } }, { version, etag, roomId, sessionId, removed }) {
    const backup = backups.get(version)
    if (!backup) return { refuse: unknownBackup() }
    if (backup.etag !== etag) return { reply: null }
    if (removed === 0) return { reply: stateOf(backup) }
    const next = { etag: etag + 1, count: backup.count - removed }
    return {
      facts: [
        { kind: 'roomKeysDeleted', userId, version, roomId, sessionId },
        { kind: 'roomKeysCounted', userId, version, ...next },
      ],
      reply: next,
    }
  },
} satisfies UserDecide<KeyBackupCommand, KeyBackupFact>

export const apply = {
  backupCreated({ encryption }, { version, algorithm }) {
    encryption.backups.set(version, { algorithm, etag: 0, count: 0 })
    encryption.nextBackup = version + 1
  },
  // What it authenticates is for the clients to read.
  backupUpdated() {},
  backupDeleted({ encryption }, { version }) {
    encryption.backups.delete(version)
  },
  // How many keys there are says the fact beside it.
  roomKeysStored() {},
  roomKeysDeleted() {},
  roomKeysCounted({ encryption }, { version, etag, count }) {
    const backup = encryption.backups.get(version)
    if (backup) Object.assign(backup, { etag, count })
  },
} satisfies UserApply<KeyBackupFact>

/** Only the newest backup takes keys. */
function whyNotCurrent({ encryption: { backups } }: User, version: number): MatrixError | undefined {
  if (!backups.has(version)) return unknownBackup()
  const current = Math.max(...backups.keys())
  if (current === version) return undefined
  return new MatrixError(403, 'M_WRONG_ROOM_KEYS_VERSION', 'This is not the current backup', {
    current_version: String(current),
  })
}

const stateOf = ({ etag, count }: Backup): BackupState => ({ etag, count })

const unknownBackup = (): MatrixError => notFound('There is no such backup')
