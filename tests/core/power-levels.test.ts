import { describe, expect, test } from 'bun:test'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { parseLevel, powerLevelsOf, roomCreators } from '#core/power-levels.ts'
import { createDag, powerLevelsBy, rulesOf, versions } from '#harness/dag.ts'
import type { RoomVersion } from '#core/room-version.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'

const levelsWith = (version: RoomVersion, content: JsonObject) => {
  const dag = createDag(version)
  return powerLevelsOf(dag.rules, dag.create, dag.add(powerLevelsBy(alice, content)))
}

describe('power levels without an event', () => {
  test.each(versions(1, 11))('G-16: in version %s the creator has 100 and everyone else 0', (version) => {
    const { rules, create } = createDag(version)
    const levels = powerLevelsOf(rules, create, undefined)
    expect([levels.user(alice), levels.user(bob)]).toEqual([100, 0])
  })

  test('G-18: in version 12 the creators have an infinite level and everyone else 0', () => {
    const { rules, create } = createDag('12', alice, { additional_creators: [bob] })
    const levels = powerLevelsOf(rules, create, undefined)
    expect([levels.user(alice), levels.user(bob), levels.user('@charlie:b.example')]).toEqual(
      [Infinity, Infinity, 0],
    )
  })

  test('G-16: what may be done has the defaults of the spec', () => {
    const { user: _user, event, notification, ...levels } = powerLevelsOf(rulesOf('10'), undefined, undefined)
    expect(levels).toEqual({
      ban: 50,
      kick: 50,
      redact: 50,
      invite: 0,
      stateDefault: 50,
      eventsDefault: 0,
      usersDefault: 0,
    })
    expect([event('m.room.message', false), event('m.room.topic', true), notification('room')]).toEqual(
      [0, 50, 50],
    )
  })
})

describe('power levels with an event', () => {
  test('G-16: the creator has no level but what the event gives', () => {
    expect(levelsWith('10', {}).user(alice)).toBe(0)
    expect(levelsWith('10', { users_default: 7 }).user(alice)).toBe(7)
    expect(levelsWith('10', { users: { [alice]: 42 } }).user(alice)).toBe(42)
  })

  test('G-18: no event takes the infinite level from a creator in version 12', () => {
    expect(levelsWith('12', { users: { [alice]: 1 }, users_default: 5 }).user(alice)).toBe(Infinity)
    expect(levelsWith('12', { users_default: 5 }).user(bob)).toBe(5)
  })

  test('each type, notification and action has the level that the event names', () => {
    const content = {
      ban: 1,
      kick: 2,
      redact: 3,
      invite: 4,
      state_default: 5,
      events_default: 6,
      users_default: 7,
      events: { 'm.room.topic': 8 },
      notifications: { room: 9 },
    }
    const { user, event, notification, ...levels } = levelsWith('10', content)
    expect(levels).toEqual({
      ban: 1,
      kick: 2,
      redact: 3,
      invite: 4,
      stateDefault: 5,
      eventsDefault: 6,
      usersDefault: 7,
    })
    expect(user(bob)).toBe(7)
    expect([event('m.room.topic', true), event('m.room.topic', false)]).toEqual([8, 8])
    expect([event('m.room.name', true), event('m.room.message', false)]).toEqual([5, 6])
    expect([notification('room'), notification('other')]).toEqual([9, 50])
  })

  test('a type named like something every object has is not found', () => {
    const levels = levelsWith('10', { events: {}, notifications: {}, users: {} })
    expect(levels.event('constructor', false)).toBe(0)
    expect(levels.event('__proto__', true)).toBe(50)
    expect(levels.notification('toString')).toBe(50)
  })

  test.each([
    ['users is no object', { users: 'all', users_default: 3 }, 3],
    ['users is null', { users: null, users_default: 3 }, 3],
    ['a level is null', { users: { [bob]: null }, users_default: 3 }, 3],
  ])('where %s it counts as absent', (_, content, level) => {
    expect(levelsWith('9', content).user(bob)).toBe(level)
  })

  test('the same events give the same object, other events another', () => {
    const dag = createDag('10')
    const event = dag.add(powerLevelsBy(alice, { ban: 1 }))
    const levels = powerLevelsOf(dag.rules, dag.create, event)
    expect(powerLevelsOf(dag.rules, dag.create, event)).toBe(levels)
    expect(powerLevelsOf(rulesOf('9'), dag.create, event)).not.toBe(levels)
    expect(powerLevelsOf(dag.rules, createDag('10').create, event)).not.toBe(levels)
  })
})

describe('a level', () => {
  const read = (version: RoomVersion, value: Json) => parseLevel(rulesOf(version), value)

  test.each([
    ['50', 50],
    ['100', 100],
    ['0', 0],
    ['000100', 100],
    ['+100', 100],
    ['-100', -100],
    [' 100 ', 100],
    [' 00100 ', 100],
    [' +100 ', 100],
    [' -100 ', -100],
  ])('G-17: written as the text %p is read up to version 9 and no longer', (text, level) => {
    expect(versions(1, 9).map((version) => read(version, text))).toEqual(Array(9).fill(level))
    expect(versions(10, 12).map((version) => read(version, text))).toEqual(Array(3).fill(undefined))
  })

  test.each([
    ['5.114698E4', 51146],
    ['51146.98', 51146],
    ['50.57', 50],
    ['-50.57', -50],
    ['-0.5', 0],
  ])('G-17: written as the number %s is cut at the point up to version 5, then refused', (text, level) => {
    expect(versions(1, 5).map((version) => read(version, JSON.parse(text)))).toEqual(Array(5).fill(level))
    expect(versions(6, 12).map((version) => read(version, JSON.parse(text)))).toEqual(
      Array(7).fill(undefined),
    )
  })

  test.each([
    ['a number beyond binary64', JSON.parse('1e400')],
    ['a negative number beyond binary64', JSON.parse('-1e400')],
    ['a text beyond binary64', '9'.repeat(400)],
    ['a truth value', true],
    ['null', null],
    ['an empty text', ''],
    ['a blank text', '  '],
    ['a text with a point', '50.5'],
    ['a text with an exponent', '5e1'],
    ['a text with underscores', '1_000'],
    ['a hexadecimal text', '0x10'],
    ['a text with two signs', '--5'],
    ['a text with a space after the sign', '- 5'],
    ['Infinity as a text', 'Infinity'],
    ['a list', [50]],
    ['an object', { level: 50 }],
  ])('G-17: is not %s in any version', (_, value: Json) => {
    expect(versions(1, 12).map((version) => read(version, value))).toEqual(Array(12).fill(undefined))
  })

  test('an integer is read in every version, within 53 bits from version 6 on', () => {
    expect(versions(1, 12).map((version) => read(version, 2 ** 53 - 1))).toEqual(Array(12).fill(2 ** 53 - 1))
    expect(versions(1, 12).map((version) => read(version, 2 ** 53))).toEqual([
      ...Array(5).fill(2 ** 53),
      ...Array(7).fill(undefined),
    ])
  })
})

describe('the creators of a room', () => {
  test.each([
    ['the one in the content up to version 10', '10', { creator: bob }, [bob]],
    ['nobody when that is no text', '10', { creator: 7 }, []],
    ['the sender in version 11', '11', { creator: bob, additional_creators: [bob] }, [alice]],
    [
      'the sender and the additional ones in version 12',
      '12',
      { additional_creators: [bob, 7] },
      [alice, bob],
    ],
    ['the sender when the additional ones are no list', '12', { additional_creators: bob }, [alice]],
  ] as const)('are %s', (_, version, content, creators) => {
    const { rules, create } = createDag(version, alice, content)
    expect(roomCreators(rules, create)).toEqual([...creators])
  })

  test('are nobody without a create event', () => {
    expect(roomCreators(rulesOf('12'), undefined)).toEqual([])
  })
})
