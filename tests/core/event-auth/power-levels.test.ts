import { describe, expect, test } from 'bun:test'
import type { Json, JsonObject } from '#schema/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import {
  ALL_VERSIONS,
  createDag,
  furnishedRoom,
  joinOf,
  outcome,
  powerLevelsBy,
  versions,
} from '#harness/dag.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'
const mallory = '@mallory:b.example'

/** What a version says to bob (level 50) replacing one content by another; both let him send it at all. */
const changed = (version: RoomVersion, before: JsonObject, after: JsonObject): string => {
  const usersOf = (content: JsonObject) => content['users'] ?? { [bob]: 50, [charlie]: 50, [mallory]: 60 }
  const dag = furnishedRoom(version, {
    levels: { ...before, users: usersOf(before) },
    members: { [bob]: 'join' },
  })
  return outcome(dag.check(dag.make(powerLevelsBy(bob, { ...after, users: usersOf(after) }))))
}

/** The first power levels of a room, by its creator. */
const first = (version: RoomVersion, content: JsonObject, create: JsonObject = {}): string => {
  const dag = createDag(version, alice, create)
  dag.add(joinOf(alice))
  return outcome(dag.check(dag.make(powerLevelsBy(alice, content))))
}

const inAll = (tested: readonly RoomVersion[], expected: string) => tested.map(() => expected)
const SCALARS = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']

describe('the form of power levels', () => {
  test.each(SCALARS)('1. with a text as %s is rejected from version 10 on', (key) => {
    expect(ALL_VERSIONS.map((version) => first(version, { [key]: '50' }))).toEqual([
      ...inAll(versions(1, 9), 'allow'),
      ...inAll(versions(10, 12), 'auth.power_levels.1'),
    ])
  })

  test.each([
    ['null', null],
    ['a truth value', true],
    ['half an integer', 0.5],
    ['an object', {}],
  ])('1. with %s as a scalar is rejected from version 10 on', (_, value: Json) => {
    expect(versions(10, 12).map((version) => first(version, { ban: value }))).toEqual(
      inAll(versions(10, 12), 'auth.power_levels.1'),
    )
  })

  test.each([
    ['events is a list', { events: [] }],
    ['events is null', { events: null }],
    ['events holds a text', { events: { 'm.room.topic': '50' } }],
    ['events holds half an integer', { events: { 'm.room.topic': 0.5 } }],
    ['notifications is a text', { notifications: 'none' }],
    ['notifications holds null', { notifications: { room: null } }],
  ])('2. where %s is rejected from version 10 on', (_, content: JsonObject) => {
    expect(ALL_VERSIONS.map((version) => first(version, content))).toEqual([
      ...inAll(versions(1, 9), 'allow'),
      ...inAll(versions(10, 12), 'auth.power_levels.2'),
    ])
  })

  test.each([
    ['is a list', []],
    ['is null', null],
    ['is a text', 'all'],
    ['lists no user', { 'bob:a.example': 50 }],
    ['lists a user without server', { '@bob': 50 }],
    ['lists a user with an empty server', { '@bob:': 50 }],
    ['lists an empty name', { '': 50 }],
    ['gives null', { [bob]: null }],
    ['gives a truth value', { [bob]: true }],
    ['gives a word', { [bob]: 'fifty' }],
    ['gives an object', { [bob]: {} }],
  ])('3. whose users %s is rejected in every version', (_, users: Json) => {
    expect(ALL_VERSIONS.map((version) => first(version, { users }))).toEqual(
      inAll(ALL_VERSIONS, 'auth.power_levels.3'),
    )
  })

  test('G-17: 3. whose users have levels as texts is rejected from version 10 on', () => {
    expect(ALL_VERSIONS.map((version) => first(version, { users: { [bob]: ' +050 ' } }))).toEqual([
      ...inAll(versions(1, 9), 'allow'),
      ...inAll(versions(10, 12), 'auth.power_levels.3'),
    ])
  })

  test('G-17: 3. whose users have floats as levels is rejected from version 6 on', () => {
    expect(ALL_VERSIONS.map((version) => first(version, { users: { [bob]: 50.57 } }))).toEqual([
      ...inAll(versions(1, 5), 'allow'),
      ...inAll(versions(6, 12), 'auth.power_levels.3'),
    ])
  })

  test.each([
    ['a scalar', '{"ban": 1e400}', 'auth.power_levels.1'],
    ['events', '{"events": {"m.room.topic": -1e400}}', 'auth.power_levels.2'],
    ['users', '{"users": {"@bob:a.example": 1e400}}', 'auth.power_levels.3'],
  ])('G-17: with a number beyond binary64 in %s is rejected in every version', (_, text, rule) => {
    expect(ALL_VERSIONS.map((version) => first(version, JSON.parse(text)))).toEqual(inAll(ALL_VERSIONS, rule))
  })

  test('3. with users on servers whose names are no longer allowed is allowed', () => {
    expect(ALL_VERSIONS.map((version) => first(version, { users: { '@bob:a_b.example': 50 } }))).toEqual(
      inAll(ALL_VERSIONS, 'allow'),
    )
  })

  test('without users is allowed', () => {
    expect(ALL_VERSIONS.map((version) => first(version, {}))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })
})

describe('G-18: 4. power levels of version 12', () => {
  test('that list the creator are rejected, before version 12 allowed', () => {
    expect(ALL_VERSIONS.map((version) => first(version, { users: { [alice]: 100 } }))).toEqual([
      ...inAll(versions(1, 11), 'allow'),
      'auth.power_levels.4',
    ])
  })

  test('that list an additional creator are rejected', () => {
    expect(first('12', { users: { [bob]: 100 } }, { additional_creators: [bob] })).toBe('auth.power_levels.4')
    expect(first('11', { users: { [bob]: 100 } }, { additional_creators: [bob] })).toBe('allow')
  })

  test('may give others any integer, for the creators are above all of them', () => {
    expect(first('12', { users: { [bob]: 2 ** 53 - 1 }, ban: 2 ** 53 - 1 })).toBe('allow')
  })
})

describe('5. the first power levels of a room', () => {
  test('may be anything that the form allows', () => {
    const content = { ban: 1000, events: { 'm.room.topic': 1000 }, users: { [bob]: 1000 } }
    expect(ALL_VERSIONS.map((version) => first(version, content))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })
})

type Change = readonly [sentence: string, before: JsonObject, after: JsonObject, expected: string]

const everywhere = (...table: readonly Change[]) =>
  test.each(table.map((row) => [...row] as const))('%s', (_, before, after, expected) => {
    expect(ALL_VERSIONS.map((version) => changed(version, before, after))).toEqual(
      inAll(ALL_VERSIONS, expected),
    )
  })

describe('G-19: 6. a change of what an action takes', () => {
  everywhere(
    ['is allowed up to one’s own level', { ban: 50 }, { ban: 49 }, 'allow'],
    ['to exactly one’s own level is allowed', { ban: 40 }, { ban: 50 }, 'allow'],
    ['6.1 from above one’s own level is rejected', { ban: 51 }, { ban: 50 }, 'auth.power_levels.6.1'],
    ['6.2 to above one’s own level is rejected', { ban: 50 }, { ban: 51 }, 'auth.power_levels.6.2'],
    ['6.1 removed from above one’s own level is rejected', { ban: 51 }, {}, 'auth.power_levels.6.1'],
    ['6.2 added above one’s own level is rejected', {}, { ban: 51 }, 'auth.power_levels.6.2'],
    ['added at its default is allowed', {}, { ban: 50 }, 'allow'],
    ['removed to its default is allowed', { ban: 10 }, {}, 'allow'],
    ['that leaves a higher level alone is allowed', { ban: 100 }, { ban: 100, kick: 10 }, 'allow'],
  )

  test.each(SCALARS.filter((key) => key !== 'state_default'))('guards %s', (key) => {
    expect(ALL_VERSIONS.map((version) => changed(version, {}, { [key]: 51 }))).toEqual(
      inAll(ALL_VERSIONS, 'auth.power_levels.6.2'),
    )
  })

  test('goes by the default of what is not given', () => {
    const lower = (content: JsonObject): JsonObject => ({
      ...content,
      users: { [bob]: 40 },
      events: { 'm.room.power_levels': 0 },
    })
    const answer = (version: RoomVersion, before: JsonObject, after: JsonObject) =>
      changed(version, lower(before), lower(after))
    const rejected = (point: string) => inAll(ALL_VERSIONS, `auth.power_levels.${point}`)
    expect(ALL_VERSIONS.map((version) => answer(version, {}, { ban: 30 }))).toEqual(rejected('6.1'))
    expect(ALL_VERSIONS.map((version) => answer(version, { ban: 30 }, {}))).toEqual(rejected('6.2'))
    expect(ALL_VERSIONS.map((version) => answer(version, {}, { invite: 30 }))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })

  test('guards state_default', () => {
    const own = { events: { 'm.room.power_levels': 0 } }
    const answers = ALL_VERSIONS.map((version) => changed(version, { ...own, state_default: 51 }, own))
    expect(answers).toEqual(inAll(ALL_VERSIONS, 'auth.power_levels.6.1'))
  })

  test('from a text to its number is none, up to version 9', () => {
    expect(versions(1, 9).map((version) => changed(version, { ban: '100' }, { ban: 100 }))).toEqual(
      inAll(versions(1, 9), 'allow'),
    )
    expect(versions(1, 9).map((version) => changed(version, { ban: '51' }, { ban: '50' }))).toEqual(
      inAll(versions(1, 9), 'auth.power_levels.6.1'),
    )
  })

  test('6.2 to something that cannot be compared is rejected up to version 9', () => {
    expect(versions(1, 9).map((version) => changed(version, { ban: 50 }, { ban: null }))).toEqual(
      inAll(versions(1, 9), 'auth.power_levels.6.2'),
    )
  })
})

describe('G-19: 7. and 8. a change of what an event type takes', () => {
  const topic = (level: number) => ({ events: { 'm.room.topic': level } })
  everywhere(
    ['is allowed up to one’s own level', topic(50), topic(10), 'allow'],
    ['7.1 from above one’s own level is rejected', topic(51), topic(10), 'auth.power_levels.7.1'],
    ['7.1 removed from above one’s own level is rejected', topic(51), {}, 'auth.power_levels.7.1'],
    ['8.1 to above one’s own level is rejected', topic(50), topic(51), 'auth.power_levels.8.1'],
    ['8.1 added above one’s own level is rejected', {}, topic(51), 'auth.power_levels.8.1'],
    ['that leaves a higher level alone is allowed', topic(100), topic(100), 'allow'],
  )
})

describe('G-19: 7. and 8. a change of what a notification takes', () => {
  test.each([
    ['7.1 from above one’s own level', { notifications: { room: 51 } }, {}, 'auth.power_levels.7.1'],
    ['8.1 to above one’s own level', {}, { notifications: { room: 51 } }, 'auth.power_levels.8.1'],
  ] as const)('%s is rejected from version 6 on', (_, before, after, rule) => {
    expect(ALL_VERSIONS.map((version) => changed(version, before, after))).toEqual([
      ...inAll(versions(1, 5), 'allow'),
      ...inAll(versions(6, 12), rule),
    ])
  })
})

describe('G-19: 9. and 10. a change of a user’s level', () => {
  const users = (levels: Record<string, number>) => ({ users: { [bob]: 50, ...levels } })
  everywhere(
    ['from below one’s own level is allowed', users({ [charlie]: 49 }), users({ [charlie]: 50 }), 'allow'],
    [
      '9.1 from exactly one’s own level is rejected',
      users({ [charlie]: 50 }),
      users({ [charlie]: 49 }),
      'auth.power_levels.9.1',
    ],
    [
      '9.1 removed at exactly one’s own level is rejected',
      users({ [charlie]: 50 }),
      users({}),
      'auth.power_levels.9.1',
    ],
    [
      '9.1 from above one’s own level is rejected',
      users({ [charlie]: 51 }),
      users({ [charlie]: 50 }),
      'auth.power_levels.9.1',
    ],
    ['removed from below one’s own level is allowed', users({ [charlie]: 49 }), users({}), 'allow'],
    ['added at one’s own level is allowed', users({}), users({ [charlie]: 50 }), 'allow'],
    [
      '10.1 added above one’s own level is rejected',
      users({}),
      users({ [charlie]: 51 }),
      'auth.power_levels.10.1',
    ],
    [
      '10.1 to above one’s own level is rejected',
      users({ [charlie]: 10 }),
      users({ [charlie]: 51 }),
      'auth.power_levels.10.1',
    ],
    ['10.1 of one’s own upwards is rejected', users({}), users({ [bob]: 51 }), 'auth.power_levels.10.1'],
    ['of one’s own downwards is allowed', users({}), users({ [bob]: 0 }), 'allow'],
    [
      'that leaves equals and superiors alone is allowed',
      users({ [charlie]: 50, [mallory]: 60 }),
      users({ [charlie]: 50, [mallory]: 60 }),
      'allow',
    ],
  )

  test('by a creator of version 12 is free', () => {
    const dag = furnishedRoom('12', { levels: { users: { [bob]: 2 ** 53 - 1 }, ban: 1000 } })
    expect(outcome(dag.check(dag.make(powerLevelsBy(alice, {}))))).toBe('allow')
  })
})
