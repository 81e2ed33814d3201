import { expect, test } from 'bun:test'
import { user } from '#actors/user/user.ts'
import { given } from '#harness/given.ts'
import { deviceIdOf } from '#schema/identifiers.ts'

const userId = '@alice:a.example'
const alice = given(user, userId).and({ kind: 'register', passwordHash: null, isAdmin: false, isGuest: false, displayname: null })
const put = (name: string) => ({ kind: 'putDehydratedDevice', deviceId: deviceIdOf(name), deviceData: '{"algorithm":"x"}' }) as const

test('a dehydrated device takes the place of the one before, which the reply names', () => {
  expect(alice.when(put('A'))).toMatchObject({
    facts: [{ kind: 'dehydratedDeviceSet', userId, deviceId: 'A', deviceData: '{"algorithm":"x"}' }], reply: { previous: null },
  })
  expect(alice.and(put('A')).when(put('B')).reply).toEqual({ previous: deviceIdOf('A') })
  expect(alice.and(put('A')).when(put('A')).reply).toEqual({ previous: null })
})

test('is cleared once', () => {
  const there = alice.and(put('A'))
  expect(there.when({ kind: 'deleteDehydratedDevice' })).toMatchObject({ facts: [{ kind: 'dehydratedDeviceCleared', userId }], reply: { previous: 'A' } })
  expect(there.and({ kind: 'deleteDehydratedDevice' }).when({ kind: 'deleteDehydratedDevice' })).toMatchObject({ refused: 'M_NOT_FOUND' })
})
