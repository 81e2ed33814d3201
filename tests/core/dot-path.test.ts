import { describe, expect, test } from 'bun:test'
import { getByPath, splitPath } from '#core/dot-path.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }

describe('splitPath', () => {
  test.each(vectors.dotPaths)('the spec reads $text as $path', ({ text, path }) => {
    expect(splitPath(text)).toEqual(path)
  })

  test.each([
    ['a backslash before anything else stands for itself', 'a\\x.b', ['a\\x', 'b']],
    ['a backslash at the end stands for itself', 'a\\', ['a\\']],
    ['an escaped backslash leaves the dot after it alone', 'a\\\\.b', ['a\\', 'b']],
    ['empty names count', 'a..b.', ['a', '', 'b', '']],
    ['the empty path is one empty name', '', ['']],
  ])('%s', (_says, path, names) => {
    expect(splitPath(path)).toEqual(names)
  })
})

describe('getByPath', () => {
  const event = { content: { 'm.relates_to': { rel_type: 'm.thread' }, list: ['x'], nothing: null } }

  test.each([
    ['a nested value is found', 'content.m\\.relates_to.rel_type', 'm.thread'],
    ['null is a value', 'content.nothing', null],
    ['an unescaped dot looks one level down', 'content.m.relates_to', undefined],
    ['nothing lies below a string', 'content.m\\.relates_to.rel_type.length', undefined],
    ['items of an array have no names', 'content.list.0', undefined],
    ['what an object inherits is not there', 'content.constructor', undefined],
    ['a prototype is not there', '__proto__', undefined],
  ])('%s', (_says, path, value) => {
    expect(getByPath(event, path)).toEqual(value as never)
  })

  test('a key named __proto__ is a key like any other', () => {
    expect(getByPath(JSON.parse('{"__proto__": {"a": 1}}'), '__proto__.a')).toBe(1)
  })
})
