import { expect, test } from 'bun:test'
import { user } from '#actors/user/user.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const registered = { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: NOW } as const
const notice = { kind: 'noticeMonthlyUse' } as const

test('the time of use is kept', () => {
  expect(given(user, userId, registered).when(notice).facts).toEqual([{ kind: 'monthlyUseNoticed', userId, ts: NOW }])
})

test('nobody who has gone is counted', () => {
  const gone = { kind: 'userDeactivated', userId, isErased: false } as const
  expect(given(user, userId, registered, gone).when(notice)).toMatchObject({ facts: [], reply: undefined })
})
