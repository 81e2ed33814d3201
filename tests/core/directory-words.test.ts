import { expect, test } from 'bun:test'
import { directoryQuery, spaced } from '#core/directory-words.ts'

test.each([
  ['a word, perhaps only begun', 'ali', 'names : "ali" *'],
  ['all of its words', 'alice  lid', 'names : "alice" * AND names : "lid" *'],
  ['parts that stand together', 'foo.bar', 'names : "foo bar" *'],
  ['a user id by name and server', '@alice:a.example', 'names : "alice" * AND server : "a example" *'],
  ['a user id that is only begun', '@alice:', 'names : "alice" *'],
  ['characters of writing without spaces', '山田', 'names : "山 田" *'],
  ['no operators of the index', 'a" OR names:* NOT b', 'names : "a" * AND names : "OR" * AND names : "names" * AND names : "NOT" * AND names : "b" *'],
  ['nothing in an empty term', '', undefined],
  ['nothing in punctuation', '@"*', undefined],
])('a search term asks for %s', (_says, term, query) => {
  expect(directoryQuery(term)).toBe(query)
})

test('a term of very many words is cut', () => {
  expect(directoryQuery('a '.repeat(500))?.split(' AND ')).toHaveLength(32)
})

test('writing without spaces is split, other writing is not', () => {
  expect(spaced('山田 Taro')).toBe(' 山  田  Taro')
})
