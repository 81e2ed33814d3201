import { describe, expect, test } from 'bun:test'
import {
  mayReadEvent,
  mayServerReadEvent,
  sightOfEvent,
  visibilityOf,
  type Membership,
  type ReadingQuestion,
} from '#core/history-visibility.ts'

const steady = (
  visibility: string | undefined,
  membership: Membership | undefined,
  joinedSince = false,
): ReadingQuestion => ({
  visibilityBefore: visibility,
  visibilityAfter: visibility,
  membershipBefore: membership,
  membershipAfter: membership,
  joinedSince,
})

const answerOf = (question: ReadingQuestion): string => {
  const verdict = mayReadEvent(question)
  return verdict.ok ? 'ok' : verdict.rule
}

describe('an ordinary event', () => {
  test.each<[string, string | undefined, Membership | undefined, boolean, string]>([
    ['is read by strangers while world_readable', 'world_readable', undefined, false, 'ok'],
    ['is read by the banned while world_readable', 'world_readable', 'ban', false, 'ok'],
    ['is read by members under joined', 'joined', 'join', false, 'ok'],
    ['is read by members under invited', 'invited', 'join', false, 'ok'],
    ['is read by later members under shared', 'shared', undefined, true, 'ok'],
    ['is not read by those who never joined under shared', 'shared', undefined, false, 'visibility.5'],
    ['is not read by the invited under shared', 'shared', 'invite', false, 'visibility.5'],
    ['is read by the invited, once joined, under shared', 'shared', 'invite', true, 'ok'],
    ['is read by the invited under invited', 'invited', 'invite', false, 'ok'],
    [
      'is not read by the invited under joined, though they join later',
      'joined',
      'invite',
      true,
      'visibility.5',
    ],
    ['is not read by later members under invited', 'invited', 'leave', true, 'visibility.5'],
    ['is not read by those who knock', 'invited', 'knock', false, 'visibility.5'],
    ['is not read after leaving under shared', 'shared', 'leave', false, 'visibility.5'],
    ['is read after coming back under shared', 'shared', 'leave', true, 'ok'],
    ['counts as shared when the room says nothing', undefined, undefined, true, 'ok'],
    ['counts as shared when the value is unknown', 'friends', 'leave', true, 'ok'],
    ['is not read under an unknown value by strangers', 'friends', undefined, false, 'visibility.5'],
  ])('%s', (_says, visibility, membership, joinedSince, answer) => {
    expect(answerOf(steady(visibility, membership, joinedSince))).toBe(answer)
  })

  test('is not read by someone who forgot the room', () => {
    expect(answerOf({ ...steady('joined', 'join'), hasForgotten: true })).toBe('visibility.forgotten')
  })
})

describe('a change of visibility', () => {
  test.each([
    ['from world_readable to joined is read by strangers', 'world_readable', 'joined'],
    ['from joined to world_readable is read by strangers', 'joined', 'world_readable'],
  ])('%s', (_says, visibilityBefore, visibilityAfter) => {
    expect(answerOf({ visibilityBefore, visibilityAfter, joinedSince: false })).toBe('ok')
  })

  test('from joined to shared is read by later members', () => {
    expect(answerOf({ visibilityBefore: 'joined', visibilityAfter: 'shared', joinedSince: true })).toBe('ok')
  })
})

describe("the reader's own membership", () => {
  const own = (membershipBefore: Membership | undefined, membershipAfter: Membership): ReadingQuestion => ({
    ...steady('joined', undefined),
    membershipBefore,
    membershipAfter,
    isOwnMembership: true,
  })
  test.each<[string, Membership | undefined, Membership, string]>([
    ['is read when it is a join', undefined, 'join', 'ok'],
    ['is read when it ends a join', 'join', 'leave', 'ok'],
    ['is read when it bans a member', 'join', 'ban', 'ok'],
    ['is read when it ends an invite', 'invite', 'leave', 'ok'],
    ['is read when it ends a knock', 'knock', 'leave', 'ok'],
    ['is not read when it bans someone who was never there', undefined, 'ban', 'visibility.5'],
    ['is not read when it lifts a ban', 'ban', 'leave', 'visibility.5'],
  ])('%s', (_says, before, after, answer) => {
    expect(answerOf(own(before, after))).toBe(answer)
  })
})

describe('an erased sender', () => {
  test.each<[string, ReadingQuestion, string]>([
    ['is read whole by those who were there', steady('shared', 'join'), 'whole'],
    ['is redacted for those who came later', steady('shared', undefined, true), 'redacted'],
    ['stays hidden where it was hidden', steady('joined', undefined, true), 'hidden'],
  ])('%s', (_says, question, sight) => {
    expect(sightOfEvent({ ...question, isSenderErased: true })).toBe(sight as ReturnType<typeof sightOfEvent>)
  })

  test('matters only when erased', () => {
    expect(sightOfEvent(steady('shared', undefined, true))).toBe('whole')
  })
})

describe('G-52: another server', () => {
  test.each([
    ['reads shared history', 'shared', false, false, true],
    ['reads what a user of it was joined for', 'joined', true, false, true],
    ['does not read joined history without a user there', 'joined', false, true, false],
    ['reads invited history from an invite on', 'invited', false, true, true],
    ['does not read invited history before that', 'invited', false, false, false],
  ])('%s', (_says, visibility, hasJoinedUser, hasInvitedUser, expected) => {
    const question = {
      visibilityBefore: visibility,
      visibilityAfter: visibility,
      hasJoinedUser,
      hasInvitedUser,
    }
    expect(mayServerReadEvent(question).ok).toBe(expected)
  })

  test('does not read an erased sender unless a user of it was there', () => {
    const question = { visibilityBefore: 'shared', hasInvitedUser: false, isSenderErased: true }
    expect(
      [false, true].map((hasJoinedUser) => mayServerReadEvent({ ...question, hasJoinedUser }).ok),
    ).toEqual([false, true])
  })
})

test('a visibility that is no string counts as shared', () => {
  expect([7, null, undefined, 'invited'].map(visibilityOf)).toEqual(['shared', 'shared', 'shared', 'invited'])
})
