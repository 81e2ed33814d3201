import { describe, expect, test } from 'bun:test'
import { user } from '#actors/user/user.ts'
import { given } from '#harness/given.ts'

const userId = '@alice:a.example'
const thread = { roomId: '!den:a.example', rootId: '$root' } as const
const alice = given(user, userId, { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: 1 })
const subscribe = (automatic: number | null) => ({ kind: 'subscribeToThread', ...thread, automatic }) as const
const unsubscribe = { kind: 'unsubscribeFromThread', ...thread } as const

describe('subscribeToThread', () => {
  test('is recorded and rings the user', () => {
    expect(alice.when(subscribe(null))).toMatchObject({
      facts: [{ kind: 'threadSubscribed', userId, ...thread, isAutomatic: false }],
      effects: [{ kind: 'ring', about: 'threads', users: [userId] }],
    })
  })

  test.each([
    ['by hand over an automatic one', alice.and(subscribe(5)), null, 1],
    ['automatically over one by hand', alice.and(subscribe(null)), 5, 0],
    ['by hand once more', alice.and(subscribe(null)), null, 0],
    ['automatically once more', alice.and(subscribe(5)), 6, 0],
  ] as const)('%s', (_says, before, automatic, facts) => {
    expect(before.when(subscribe(automatic)).facts).toHaveLength(facts)
  })

  test('automatically is refused for an event from before the user left the thread', () => {
    const left = alice.and(subscribe(null)).and(unsubscribe)
    expect(left.when(subscribe(3))).toMatchObject({ refused: 'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION' })
    expect(left.when(subscribe(4)).facts).toHaveLength(1)
    expect(left.when(subscribe(null)).facts).toHaveLength(1)
  })

  test('is refused to accounts that are not there', () => {
    expect(given(user, userId).when(subscribe(null))).toMatchObject({ refused: 'M_NOT_FOUND' })
  })
})

describe('unsubscribeFromThread', () => {
  test('is recorded once, also where nobody had subscribed', () => {
    expect(alice.when(unsubscribe).facts).toEqual([{ kind: 'threadUnsubscribed', userId, ...thread }])
    expect(alice.and(unsubscribe).when(unsubscribe).facts).toEqual([])
  })
})

test('what was said stays with a snapshot and goes with the account', () => {
  const said = alice.and(subscribe(5))
  const { freeze, thaw } = user.snapshot
  expect(thaw(freeze(said.memory) as never, userId)).toEqual(said.memory)
  expect(said.and({ kind: 'deactivateUser', isErased: false }).memory.threads.size).toBe(0)
})
