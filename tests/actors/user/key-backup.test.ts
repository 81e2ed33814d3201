import { describe, expect, test } from 'bun:test'
import { BACKED_UP_KEYS_LIMIT, BACKUP_LIMIT } from '#actors/user/key-backup.ts'
import { user } from '#actors/user/user.ts'
import { given } from '#harness/given.ts'
import type { BackedUpKey } from '#schema/journal/key-backup.ts'

const userId = '@alice:a.example'
const alice = given(user, userId).and({ kind: 'register', passwordHash: null, isAdmin: false, isGuest: false, displayname: null })
const create = { kind: 'postRoomKeysVersion', algorithm: 'm.a', authData: '{"x":1}' } as const
const key: BackedUpKey = { roomId: '!den:a.example', sessionId: 's1', isVerified: false, firstMessageIndex: 0, forwardedCount: 0, json: '{}' }
const put = (version: number, etag: number, added = 1) => ({ kind: 'putRoomKeys', version, etag, keys: [key], added }) as const
const remove = (version: number, etag: number, removed: number) =>
  ({ kind: 'deleteRoomKeys', version, etag, roomId: null, sessionId: null, removed }) as const
const backup = alice.and(create)

describe('versions', () => {
  test('are numbered, and a number is never given again', () => {
    expect(alice.when(create)).toMatchObject({
      facts: [{ kind: 'backupCreated', userId, version: 1, algorithm: 'm.a', authData: '{"x":1}' }], reply: { version: 1 },
    })
    expect(backup.and({ kind: 'deleteRoomKeysVersion', version: 1 }).when(create).reply).toEqual({ version: 2 })
  })

  test.each([
    ['changed', { kind: 'putRoomKeysVersion', version: 1, algorithm: 'm.a', authData: '{}' } as const, undefined, 1],
    ['given another algorithm', { kind: 'putRoomKeysVersion', version: 1, algorithm: 'm.b', authData: '{}' } as const, 'M_INVALID_PARAM', 0],
    ['changed unless it is there', { kind: 'putRoomKeysVersion', version: 2, algorithm: 'm.a', authData: '{}' } as const, 'M_NOT_FOUND', 0],
    ['deleted', { kind: 'deleteRoomKeysVersion', version: 1 } as const, undefined, 1],
    ['deleted unless it was there', { kind: 'deleteRoomKeysVersion', version: 2 } as const, 'M_NOT_FOUND', 0],
  ])('a version is (or is not) %s', (_says, command, refused, facts) => {
    const outcome = backup.when(command)
    expect([outcome.refused, outcome.facts.length]).toEqual([refused as never, facts])
  })

  test('deleting a version again is fine', () => {
    const gone = backup.and({ kind: 'deleteRoomKeysVersion', version: 1 })
    expect(gone.when({ kind: 'deleteRoomKeysVersion', version: 1 })).toMatchObject({ facts: [], reply: undefined })
  })

  test('of too many the oldest goes', () => {
    let full = alice
    for (let count = 0; count < BACKUP_LIMIT; count++) full = full.and(create)
    expect(full.when(create).facts).toMatchObject([{ kind: 'backupDeleted', version: 1 }, { kind: 'backupCreated', version: BACKUP_LIMIT + 1 }])
  })
})

describe('putRoomKeys', () => {
  test('stores keys and counts them, and the etag moves', () => {
    expect(backup.when(put(1, 0))).toMatchObject({
      facts: [
        { kind: 'roomKeysStored', userId, version: 1, keys: [key] },
        { kind: 'roomKeysCounted', userId, version: 1, etag: 1, count: 1 },
      ],
      reply: { etag: 1, count: 1 },
    })
  })

  test('a better key in place of another changes the etag and not the count', () => {
    expect(backup.and(put(1, 0)).when(put(1, 1, 0)).reply).toEqual({ etag: 2, count: 1 })
  })

  test('nothing better leaves the etag as it is', () => {
    expect(backup.when({ ...put(1, 0, 0), keys: [] })).toMatchObject({ facts: [], reply: { etag: 0, count: 0 } })
  })

  test('what was compared with an older content is not stored: look again', () => {
    expect(backup.and(put(1, 0)).when(put(1, 0))).toMatchObject({ facts: [], reply: null })
  })

  test('only the newest backup takes keys', () => {
    expect(backup.and(create).when(put(1, 0))).toMatchObject({ refused: 'M_WRONG_ROOM_KEYS_VERSION' })
    expect(backup.when(put(3, 0))).toMatchObject({ refused: 'M_NOT_FOUND' })
  })

  test('a backup holds so many keys and no more', () => {
    const full = backup.and(put(1, 0, BACKED_UP_KEYS_LIMIT))
    expect(full.when(put(1, 1, 1))).toMatchObject({ refused: 'M_TOO_LARGE' })
    expect(full.when(put(1, 1, 0)).reply).toEqual({ etag: 2, count: BACKED_UP_KEYS_LIMIT })
  })
})

describe('deleteRoomKeys', () => {
  test('counts what goes', () => {
    expect(backup.and(put(1, 0, 3)).when(remove(1, 1, 2))).toMatchObject({
      facts: [{ kind: 'roomKeysDeleted', version: 1, roomId: null, sessionId: null }, { kind: 'roomKeysCounted', etag: 2, count: 1 }],
      reply: { etag: 2, count: 1 },
    })
  })

  test.each([
    ['changes nothing where nothing is', remove(1, 1, 0), { reply: { etag: 1, count: 3 }, facts: [] }],
    ['looks again when the backup has moved on', remove(1, 0, 2), { reply: null, facts: [] }],
    ['needs a backup that is there', remove(2, 0, 2), { refused: 'M_NOT_FOUND' }],
  ])('%s', (_says, command, expected) => {
    expect(backup.and(put(1, 0, 3)).when(command)).toMatchObject(expected)
  })
})

test('a closed account keeps no backup, and its numbers stay taken', () => {
  const closed = backup.and({ kind: 'deactivateUser', isErased: false })
  expect(closed.memory.encryption).toMatchObject({ backups: new Map(), nextBackup: 2 })
})
