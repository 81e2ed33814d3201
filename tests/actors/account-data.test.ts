import { describe, expect, test } from 'bun:test'
import { ringUsers } from '#actors/effects.ts'
import { ACCOUNT_DATA_LIMIT, ACCOUNT_DATA_LIMIT_BYTES, decide, TAG_LIMIT_BYTES } from '#actors/user/account-data.ts'
import { user } from '#actors/user/user.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const roomId = '!den'
const alice = given(user, userId, { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: NOW })
const bell = ringUsers([userId], 'account-data')

describe('setAccountData', () => {
  test.each([['the account', null], ['a room', roomId]] as const)('keeps the content for %s and wakes the user', (_says, room) => {
    expect(alice.when({ kind: 'setAccountData', roomId: room, type: 'm.direct', content: { a: 1 } })).toMatchObject({
      facts: [{ kind: 'accountDataSet', userId, roomId: room, type: 'm.direct', content: { a: 1 } }],
      effects: [bell],
    })
  })

  test('refuses content that is too large', () => {
    const content = { text: 'x'.repeat(ACCOUNT_DATA_LIMIT_BYTES) }
    expect(alice.when({ kind: 'setAccountData', roomId: null, type: 'm.direct', content }).refused).toBe('M_TOO_LARGE')
  })

  test('refuses to ignore the user themselves', () => {
    const ignore = (who: string, room: typeof roomId | null = null) =>
      alice.when({ kind: 'setAccountData', roomId: room, type: 'm.ignored_user_list', content: { ignored_users: { [who]: {} } } })
    expect(ignore(userId).refused).toBe('M_INVALID_PARAM')
    expect(ignore('@mallory:b.example').facts).toHaveLength(1)
    expect(ignore(userId, roomId).facts).toHaveLength(1)
  })

  test('refuses a type too many, but not a change of one that is there', () => {
    const { memory } = given(user, userId, ...alice.facts)
    memory.dataKeys = new Set(Array.from({ length: ACCOUNT_DATA_LIMIT }, (_, index) => `\n${index}`))
    const set = (type: string) => decide.setAccountData(memory, { kind: 'setAccountData', roomId: null, type, content: {} })
    expect(set('new')).toMatchObject({ refuse: { errcode: 'M_LIMIT_EXCEEDED' } })
    expect(set('0')).toMatchObject({ facts: [{ type: '0' }] })
  })
})

describe('deleteAccountData', () => {
  test('removes what is there, once', () => {
    const remove = { kind: 'deleteAccountData', roomId: null, type: 'm.direct' } as const
    const full = alice.and({ kind: 'setAccountData', roomId: null, type: 'm.direct', content: {} })
    expect(full.when(remove)).toMatchObject({ facts: [{ kind: 'accountDataDeleted', userId, roomId: null, type: 'm.direct' }], effects: [bell] })
    expect(full.and(remove).when(remove)).toMatchObject({ facts: [], effects: [] })
  })
})

describe('tags', () => {
  const work = { kind: 'setRoomTag', roomId, tag: 'u.work', content: { order: 0.5 } } as const
  const tagged = alice.and(work)

  test('a tag joins those that are there', () => {
    expect(tagged.when({ kind: 'setRoomTag', roomId, tag: 'm.favourite', content: {} }).facts).toEqual([
      { kind: 'accountDataSet', userId, roomId, type: 'm.tag', content: { tags: { 'u.work': { order: 0.5 }, 'm.favourite': {} } } },
    ])
  })

  test('a tag of the same name is replaced', () => {
    expect(tagged.when({ ...work, content: { order: 0.1 } }).facts).toMatchObject([{ content: { tags: { 'u.work': { order: 0.1 } } } }])
  })

  test('a tag goes, and one that is not there leaves all as it is', () => {
    expect(tagged.when({ kind: 'deleteRoomTag', roomId, tag: 'u.work' }).facts).toMatchObject([{ type: 'm.tag', content: { tags: {} } }])
    expect(tagged.when({ kind: 'deleteRoomTag', roomId, tag: 'u.play' }).facts).toEqual([])
  })

  test('tags that were written as account data count', () => {
    const direct = alice.and({ kind: 'setAccountData', roomId, type: 'm.tag', content: { tags: { 'u.old': {} } } })
    expect(direct.when(work).facts).toMatchObject([{ content: { tags: { 'u.old': {}, 'u.work': { order: 0.5 } } } }])
  })

  test('a tag may be as long as the spec allows and no longer', () => {
    expect(alice.when({ ...work, tag: 'é'.repeat(TAG_LIMIT_BYTES / 2) }).refused).toBeUndefined()
    expect(alice.when({ ...work, tag: 'é'.repeat(TAG_LIMIT_BYTES / 2 + 1) }).refused).toBe('M_INVALID_PARAM')
  })
})
