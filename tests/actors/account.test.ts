import { describe, expect, test } from 'bun:test'
import { emptyUser } from '#actors/user/memory.ts'
import { ringUsers } from '#actors/effects.ts'
import { user } from '#actors/user/user.ts'
import { given, NOW } from '#harness/given.ts'
import type { UserFact } from '#schema/journal/user.ts'

const userId = '@alice:a.example'
const registered: UserFact = { kind: 'userRegistered', userId, passwordHash: 'old', isAdmin: false, isGuest: false, ts: NOW }
const nobody = given(user, userId)
const alice = given(user, userId, registered)
const gone = given(user, userId, registered, { kind: 'userDeactivated', userId, isErased: false })
const guest = given(user, userId, { ...registered, passwordHash: null, isGuest: true })
const register = { kind: 'register', passwordHash: 'new', isAdmin: false, isGuest: false, displayname: null } as const

describe('register', () => {
  test('makes the account', () => {
    expect(nobody.when(register)).toEqual({
      facts: [{ kind: 'userRegistered', userId, passwordHash: 'new', isAdmin: false, isGuest: false, ts: NOW }],
      notes: [],
      effects: [],
      reply: undefined,
    })
  })

  test('gives it a name', () => {
    expect(nobody.when({ ...register, displayname: 'Alice' }).facts.at(-1)).toEqual({
      kind: 'profileFieldSet', userId, field: 'displayname', value: 'Alice',
    })
  })

  test.each([
    ['a name that is taken', alice],
    ['the name of a deactivated account', gone],
    ['the name of a guest', guest],
  ])('refuses %s', (_says, history) => {
    expect(history.when(register)).toMatchObject({ refused: 'M_USER_IN_USE', facts: [] })
  })
})

describe('upgradeGuest', () => {
  test('makes a user of a guest', () => {
    expect(guest.when({ kind: 'upgradeGuest', passwordHash: 'new' }).facts).toEqual([{ kind: 'guestUpgraded', userId, passwordHash: 'new' }])
    expect(guest.and({ kind: 'upgradeGuest', passwordHash: 'new' }).memory.account).toEqual({
      passwordHash: 'new', isAdmin: false, isGuest: false, isDeactivated: false, isLocked: false, isSuspended: false,
    })
  })

  test('refuses a user', () => {
    expect(alice.when({ kind: 'upgradeGuest', passwordHash: 'new' }).refused).toBe('M_USER_IN_USE')
  })
})

describe('setPassword', () => {
  test('keeps the new hash', () => {
    expect(alice.when({ kind: 'setPassword', passwordHash: 'new' }).facts).toEqual([{ kind: 'passwordChanged', userId, passwordHash: 'new' }])
  })

  test.each([
    ['an account that is not there', nobody, 'M_NOT_FOUND'],
    ['a deactivated account', gone, 'M_USER_DEACTIVATED'],
  ] as const)('refuses %s', (_says, history, refused) => {
    expect(history.when({ kind: 'setPassword', passwordHash: 'new' }).refused).toBe(refused)
  })
})

describe('rehashPassword', () => {
  test('replaces the hash that it was made from', () => {
    expect(alice.when({ kind: 'rehashPassword', from: 'old', passwordHash: 'better' }).facts).toEqual([
      { kind: 'passwordChanged', userId, passwordHash: 'better' },
    ])
  })

  test('comes too late when the password has changed since', () => {
    const changed = alice.and({ kind: 'setPassword', passwordHash: 'new' })
    expect(changed.when({ kind: 'rehashPassword', from: 'old', passwordHash: 'better' }).facts).toEqual([])
  })
})

describe('standing', () => {
  test.each([
    ['an admin is made', { kind: 'setAdmin', isAdmin: true }, { kind: 'adminChanged', userId, isAdmin: true }],
    ['an account is locked', { kind: 'lockUser', isLocked: true }, { kind: 'lockChanged', userId, isLocked: true }],
    ['an account is suspended', { kind: 'suspendUser', isSuspended: true }, { kind: 'suspensionChanged', userId, isSuspended: true }],
  ] as const)('%s, and a second time changes nothing', (_says, command, fact) => {
    expect(alice.when(command).facts).toEqual([fact])
    expect(alice.and(command).when(command)).toMatchObject({ facts: [], effects: [] })
  })

  test('a lock wakes those who wait on /sync', () => {
    expect(alice.when({ kind: 'lockUser', isLocked: true }).effects).toEqual([ringUsers([userId], 'account-data')])
  })

  test('a guest cannot be an admin', () => {
    expect(guest.when({ kind: 'setAdmin', isAdmin: true }).refused).toBe('M_FORBIDDEN')
  })
})

describe('deactivateUser', () => {
  test('ends the account and empties its memory', () => {
    const full = alice
      .and({ kind: 'setProfileField', field: 'displayname', value: 'Alice' })
      .and({ kind: 'setRoomTag', roomId: '!den', tag: 'u.work', content: {} })
      .and({ kind: 'defineFilter', filter: {} })
      .and({ kind: 'setAdmin', isAdmin: true })
    const { memory, facts } = full.and({ kind: 'deactivateUser', isErased: true })
    expect(facts.at(-1)).toEqual({ kind: 'userDeactivated', userId, isErased: true })
    expect(memory).toEqual({
      ...emptyUser(userId),
      account: { passwordHash: null, isAdmin: false, isGuest: false, isDeactivated: true, isLocked: false, isSuspended: false },
      nextFilter: 1,
    })
  })

  test('refuses an account that is not there', () => {
    expect(nobody.when({ kind: 'deactivateUser', isErased: false }).refused).toBe('M_NOT_FOUND')
  })

  test('can be undone by an admin', () => {
    const back = gone.and({ kind: 'reactivateUser', passwordHash: 'new' })
    expect(back.when({ kind: 'setPassword', passwordHash: null }).refused).toBeUndefined()
    expect(alice.when({ kind: 'reactivateUser', passwordHash: 'new' }).facts).toEqual([])
  })
})

test('a snapshot gives the same memory back', () => {
  const { memory } = alice
    .and({ kind: 'setProfileField', field: 'displayname', value: 'Alice' })
    .and({ kind: 'setRoomTag', roomId: '!den', tag: 'u.work', content: { order: 0.5 } })
    .and({ kind: 'setAccountData', roomId: null, type: 'm.direct', content: {} })
    .and({ kind: 'defineFilter', filter: { room: {} } })
  const frozen = JSON.parse(JSON.stringify(user.snapshot.freeze(memory))) as never
  expect(user.snapshot.thaw(frozen, userId)).toEqual(memory)
})
