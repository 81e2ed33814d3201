import { describe, expect, test } from 'bun:test'
import {
  countMembers,
  heroesOf,
  HEROES_LIMIT,
  roomDisplayName,
  type NamedHero,
  type RoomNaming,
  type SummaryMember,
} from '#core/room-summary.ts'
import type { Membership } from '#core/history-visibility.ts'
import type { UserId } from '#schema/identifiers.ts'

const [alice, bob, charlie] = ['@alice:a.example', '@bob:a.example', '@charlie:b.example'] as const
const member = (userId: UserId, membership: Membership, position: number): SummaryMember => ({
  userId,
  membership,
  position,
})

describe('heroes', () => {
  test.each<[string, SummaryMember[], UserId[]]>([
    ['never hold the reader', [member(alice, 'join', 1), member(bob, 'join', 2)], [bob]],
    ['stand in the order of events', [member(charlie, 'join', 9), member(bob, 'invite', 2)], [bob, charlie]],
    [
      'leave out those who left while somebody is there',
      [member(bob, 'leave', 1), member(charlie, 'invite', 2)],
      [charlie],
    ],
    [
      'are those who left when nobody is there',
      [member(charlie, 'ban', 2), member(bob, 'leave', 1)],
      [bob, charlie],
    ],
    ['are never those who knock', [member(bob, 'knock', 1)], []],
    ['are nobody in an empty room', [], []],
  ])('%s', (_says, members, heroes) => {
    expect(heroesOf(members, alice)).toEqual(heroes)
  })

  test('are five at most', () => {
    const members = Array.from({ length: HEROES_LIMIT + 2 }, (_, index) =>
      member(`@u${index}:a.example`, 'join', index),
    )
    expect(heroesOf(members, alice)).toEqual([
      '@u0:a.example',
      '@u1:a.example',
      '@u2:a.example',
      '@u3:a.example',
      '@u4:a.example',
    ])
  })
})

test('members are counted by membership', () => {
  const members = [
    member(alice, 'join', 1),
    member(bob, 'join', 2),
    member(charlie, 'invite', 3),
    member('@x:a.example', 'leave', 4),
  ]
  expect(countMembers(members)).toEqual({ joined: 2, invited: 1 })
})

describe('the name of a room', () => {
  const hero = (userId: UserId, displayName?: string): NamedHero => ({ userId, displayName })
  const [a, b, c] = [hero(alice, 'Alice'), hero(bob, 'Bob'), hero(charlie, 'Charlie')]
  const nobody: RoomNaming = { heroes: [], joinedCount: 1, invitedCount: 0 }
  test.each<[string, Partial<RoomNaming>, string]>([
    ['is its name', { name: 'Den', canonicalAlias: '#den:a.example', heroes: [a] }, 'Den'],
    ['is its alias when the name is empty', { name: '', canonicalAlias: '#den:a.example' }, '#den:a.example'],
    ['is that of the other', { heroes: [a], joinedCount: 2 }, 'Alice'],
    ['is that of the other who is invited', { heroes: [a], invitedCount: 1 }, 'Alice'],
    ['joins two', { heroes: [a, b], joinedCount: 3 }, 'Alice and Bob'],
    ['joins three', { heroes: [a, b, c], joinedCount: 4 }, 'Alice, Bob and Charlie'],
    [
      'counts the rest',
      { heroes: [a, b], joinedCount: 1200, invitedCount: 37 },
      'Alice, Bob and 1234 others',
    ],
    ['counts one more', { heroes: [a, b], joinedCount: 4 }, 'Alice, Bob and 1 other'],
    [
      'tells apart those with the same name',
      { heroes: [a, hero(bob, 'Alice')], joinedCount: 3 },
      'Alice (@alice:a.example) and Alice (@bob:a.example)',
    ],
    ['falls back on the user id', { heroes: [hero(bob)], joinedCount: 2 }, '@bob:a.example'],
    ['remembers who was there', { heroes: [a] }, 'Empty Room (was Alice)'],
    ['is empty when nobody ever was', {}, 'Empty Room'],
    ['is empty when nobody is known', { joinedCount: 5 }, 'Empty Room'],
  ])('%s', (_says, naming, name) => {
    expect(roomDisplayName({ ...nobody, ...naming })).toBe(name)
  })
})
