import { describe, expect, test } from 'bun:test'
import { isCovered, parseWish, type RequiredState, requiredStateOfPairs, unionOf, wishOf } from '#core/sync/required-state.ts'

const ME = '@alice:a.example'
const pairs = (...list: [string, string][]) => wishOf([requiredStateOfPairs(list, ME)])
const patterns = (required: Partial<RequiredState>) => wishOf([{ include: [], exclude: [], lazyMembers: false, ...required }])

describe('pairs', () => {
  test.each([
    ['a type and a key', [['m.room.name', '']], [['m.room.name', '', true], ['m.room.name', 'x', false], ['m.room.topic', '', false]]],
    ['a type with any key', [['m.space.child', '*']], [['m.space.child', '!a:b', true], ['m.space.parent', '!a:b', false]]],
    ['any type with a key', [['*', ME]], [['m.room.member', ME, true], ['m.room.member', '@bob:a.example', false]]],
    ['everything, the members too', [['*', '*'], ['m.room.member', '$LAZY']], [['m.room.member', '@bob:a.example', true], ['x', 'y', true]]],
    ['$ME, which is the reader', [['m.room.member', '$ME']], [['m.room.member', ME, true], ['m.room.member', '@bob:a.example', false]]],
    ['$LAZY, which names nobody', [['m.room.member', '$LAZY']], [['m.room.member', ME, false]]],
  ] as const)('ask for %s', (_says, list, cases) => {
    const wish = pairs(...(list as unknown as [string, string][]))
    for (const [type, key, wanted] of cases) expect({ type, key, wanted: wish.wants(type, key) }).toEqual({ type, key, wanted })
  })

  test('say which types and members have to be read', () => {
    const wish = pairs(['m.room.name', ''], ['m.room.member', '$ME'], ['m.room.member', '$LAZY'])
    expect({ types: wish.types, members: wish.members, lazy: wish.lazyMembers }).toEqual({ types: ['m.room.name'], members: [ME], lazy: true })
    expect(pairs(['*', '']).types).toBeUndefined()
    expect(pairs(['m.room.member', '*']).members).toBe('all')
    expect(pairs(['*', '*'], ['m.room.member', '$LAZY']).lazyMembers).toBe(false)
  })
})

describe('patterns', () => {
  test('with lazy members, everything leaves the members out', () => {
    const wish = patterns({ include: [{}], lazyMembers: true })
    expect([wish.wants('m.room.name', ''), wish.wants('m.room.member', ME), wish.members]).toEqual([true, false, []])
  })

  test('what is excluded is not wanted by that part', () => {
    const wish = patterns({ include: [{}], exclude: [{ type: 'm.room.create' }] })
    expect([wish.wants('m.room.create', ''), wish.wants('m.room.name', '')]).toEqual([false, true])
    expect(unionOf(wish, patterns({ include: [{ type: 'm.room.create' }] })).wants('m.room.create', '')).toBe(true)
  })
})

test('the same wish has the same text in whatever order it was made, and can be read back', () => {
  const one = wishOf([requiredStateOfPairs([['a', ''], ['b', '*']], ME), requiredStateOfPairs([['c', '']], ME)])
  const other = pairs(['c', ''], ['b', '*'], ['a', ''], ['a', ''])
  expect(one.text).toBe(other.text)
  expect(parseWish(one.text)).toBe(one)
})

describe('a wish covers', () => {
  test.each([
    ['itself', pairs(['a', '']), pairs(['a', '']), true],
    ['a part of it', pairs(['a', '']), pairs(['a', ''], ['b', '']), true],
    ['a key of a type', pairs(['a', 'x']), pairs(['a', '*']), true],
    ['anything, when it is everything', pairs(['a', 'x'], ['m.room.member', '*']), pairs(['*', '*']), true],
    ['not what it does not name', pairs(['b', '']), pairs(['a', '']), false],
    ['not all keys by one of them', pairs(['a', '*']), pairs(['a', 'x']), false],
    ['not lazy members without them', pairs(['m.room.member', '$LAZY']), pairs(['a', '']), false],
    ['lazy members by all of them', pairs(['m.room.member', '$LAZY']), pairs(['m.room.member', '*']), true],
    ['not the members by everything that loads them lazily', pairs(['m.room.member', ME]), patterns({ include: [{}], lazyMembers: true }), false],
    ['not what it excludes', pairs(['a', '']), patterns({ include: [{}], exclude: [{ type: 'a' }] }), false],
  ] as const)('%s', (_says, narrow, wide, covered) => {
    expect(isCovered(narrow, wide)).toBe(covered)
  })
})
