import { describe, expect, test } from 'bun:test'
import { ringUsers } from '#actors/effects.ts'
import { AVATAR_URL_LIMIT, DISPLAYNAME_LIMIT, FIELD_NAME_LIMIT_BYTES, PROFILE_LIMIT_BYTES } from '#actors/user/profile.ts'
import { user } from '#actors/user/user.ts'
import type { Json } from '#schema/pdu.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const alice = given(user, userId, { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: NOW })
const set = (field: string, value: Json) => ({ kind: 'setProfileField', field, value }) as const

describe('setProfileField', () => {
  test('keeps the value and wakes the user', () => {
    expect(alice.when(set('m.tz', 'Europe/Berlin'))).toMatchObject({
      facts: [{ kind: 'profileFieldSet', userId, field: 'm.tz', value: 'Europe/Berlin' }],
      effects: [ringUsers([userId], 'profile')],
    })
  })

  test.each([
    ['a custom field holds any JSON', 'org.example.pets', [{ name: 'Rex' }]],
    ['a custom field holds null', 'org.example.pets', null],
    ['a name of the greatest length is kept', 'displayname', 'x'.repeat(DISPLAYNAME_LIMIT)],
    ['so is one of as many emoji', 'displayname', '\u{1f98a}'.repeat(DISPLAYNAME_LIMIT)],
    ['a field name of the greatest length is kept', 'x'.repeat(FIELD_NAME_LIMIT_BYTES), 1],
  ])('%s', (_says, field, value) => {
    expect(alice.when(set(field, value)).facts).toEqual([{ kind: 'profileFieldSet', userId, field, value }])
  })

  test.each([
    ['a name that is not a string', 'displayname', 1, 'M_INVALID_PARAM'],
    ['a name that is too long', 'displayname', 'x'.repeat(DISPLAYNAME_LIMIT + 1), 'M_INVALID_PARAM'],
    ['an avatar that is too long', 'avatar_url', 'x'.repeat(AVATAR_URL_LIMIT + 1), 'M_INVALID_PARAM'],
    ['a time zone that is not a string', 'm.tz', {}, 'M_INVALID_PARAM'],
    ['a field outside the grammar', 'No Spaces', 'x', 'M_INVALID_PARAM'],
    ['a field name that is too long', 'x'.repeat(FIELD_NAME_LIMIT_BYTES + 1), 'x', 'M_KEY_TOO_LARGE'],
    ['a value that makes the profile too large', 'org.example.big', 'x'.repeat(PROFILE_LIMIT_BYTES), 'M_PROFILE_TOO_LARGE'],
  ] as const)('refuses %s', (_says, field, value, refused) => {
    expect(alice.when(set(field, value))).toMatchObject({ refused, facts: [] })
  })

  test('counts the whole profile, and a replaced value only once', () => {
    const half = 'x'.repeat(PROFILE_LIMIT_BYTES / 2)
    const full = alice.and(set('org.example.one', half))
    expect(full.when(set('org.example.two', half)).refused).toBe('M_PROFILE_TOO_LARGE')
    expect(full.when(set('org.example.one', `${half}more`)).refused).toBeUndefined()
  })

  test('refuses a suspended user, but not an admin who acts for one', () => {
    const suspended = alice.and({ kind: 'suspendUser', isSuspended: true })
    expect(suspended.when(set('displayname', 'Al')).refused).toBe('M_USER_SUSPENDED')
    expect(suspended.when({ ...set('displayname', 'Al'), byAdmin: true }).refused).toBeUndefined()
  })

  test('refuses an account that is not there', () => {
    expect(given(user, userId).when(set('displayname', 'Al')).refused).toBe('M_NOT_FOUND')
  })
})

describe('deleteProfileField', () => {
  test('removes a field that is there and passes over one that is not', () => {
    const remove = { kind: 'deleteProfileField', field: 'displayname' } as const
    expect(alice.and(set('displayname', 'Al')).when(remove).facts).toEqual([{ kind: 'profileFieldDeleted', userId, field: 'displayname' }])
    expect(alice.when(remove)).toMatchObject({ facts: [], effects: [] })
  })
})
