import { describe, expect, test } from 'bun:test'
import { checkEventAuth } from '#core/event-auth/check.ts'
import type { Pdu } from '#schema/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { createDag, outcome, versions } from '#harness/dag.ts'

const nothing = () => undefined

/** What each version answers to its own valid create event with `change` on top. */
const outcomes = (tested: readonly RoomVersion[], change: Partial<Pdu>) =>
  tested.map((version) => {
    const { rules, create } = createDag(version)
    return outcome(checkEventAuth(rules, { ...create, pdu: { ...create.pdu, ...change } }, nothing))
  })

const withContent = (version: RoomVersion, content: Pdu['content']) =>
  outcomes([version], { content: { ...createDag(version).create.pdu.content, ...content } })[0]

describe('rule 1, a create event', () => {
  test('is allowed in every version without any state', () => {
    expect(outcomes(versions(1, 12), {})).toEqual(Array(12).fill('allow'))
  })

  test('1.1 with a previous event is rejected in every version', () => {
    expect(outcomes(versions(1, 2), { prev_events: [['$before:a.example', {}]] })).toEqual(
      Array(2).fill('auth.create.1'),
    )
    expect(outcomes(versions(3, 12), { prev_events: ['$before'] })).toEqual(Array(10).fill('auth.create.1'))
  })

  test.each([
    ['of another server than the sender', '!room:b.example'],
    ['of the same server on another port', '!room:a.example:8448'],
    ['without a server', '!room'],
  ] as const)('1.2 with a room id %s is rejected up to version 11', (_, room_id) => {
    expect(outcomes(versions(1, 11), { room_id })).toEqual(Array(11).fill('auth.create.2'))
  })

  test('G-18: 1.2 with any room id is rejected in version 12', () => {
    const { create } = createDag('12')
    expect(outcomes(['12'], { room_id: create.roomId })).toEqual(['auth.create.2'])
    expect(outcomes(['12'], { room_id: '!room:a.example' })).toEqual(['auth.create.2'])
  })

  test.each([
    ['is unknown', 'com.example.unknown', 'auth.create.3'],
    ['is no text', 10, 'auth.create.3'],
    ['is null', null, 'auth.create.3'],
    ['is known', '1', 'allow'],
  ] as const)('1.3 whose room version %s gets %p: %s', (_, room_version, expected) => {
    expect(versions(1, 12).map((version) => withContent(version, { room_version }))).toEqual(
      Array(12).fill(expected),
    )
  })

  test('1.3 without a room version is allowed', () => {
    expect(outcomes(['1'], { content: { creator: '@alice:a.example' } })).toEqual(['allow'])
  })

  test('1.4 without a creator is rejected up to version 10 and allowed after', () => {
    expect(outcomes(versions(1, 12), { content: {} })).toEqual([
      ...Array(10).fill('auth.create.creator'),
      'allow',
      'allow',
    ])
  })

  test.each([
    ['a list of user ids', ['@bob:a.example', '@charlie:b.example'], 'allow'],
    ['an empty list', [], 'allow'],
    ['a user id alone', '@bob:a.example', 'auth.create.4'],
    ['null', null, 'auth.create.4'],
    ['a list with a number', [7], 'auth.create.4'],
    ['a list with an id without server', ['@bob'], 'auth.create.4'],
    ['a list with an id of 256 bytes', [`@${'b'.repeat(245)}:a.example`], 'auth.create.4'],
  ] as const)('G-18: 1.4 in version 12 with %s as additional_creators', (_, listed, expected) => {
    expect(withContent('12', { additional_creators: listed })).toBe(expected)
  })

  test('1.4 of version 12 binds no earlier version', () => {
    expect(withContent('11', { additional_creators: 'anyone' })).toBe('allow')
  })
})
