import { expect, test } from 'bun:test'
import { user } from '#actors/user/user.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const registered = { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: NOW } as const
const accept = { kind: 'acceptTerms', version: '1.0' } as const

test('accepted terms are kept with their version and the time', () => {
  expect(given(user, userId, registered).when(accept).facts).toEqual([{ kind: 'termsAccepted', userId, version: '1.0', ts: NOW }])
})

test('nobody who is not there or has gone accepts anything', () => {
  const gone = { kind: 'userDeactivated', userId, isErased: false } as const
  expect(given(user, userId).when(accept)).toMatchObject({ refused: 'M_NOT_FOUND', facts: [] })
  expect(given(user, userId, registered, gone).when(accept)).toMatchObject({ refused: 'M_USER_DEACTIVATED', facts: [] })
})
