import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compileGlob, GLOB_CACHE_LIMIT, rememberedGlobs } from '#core/glob.ts'

describe('a whole match', () => {
  test.each([
    ['plain text matches itself', 'abc', 'abc', true],
    ['plain text is not a prefix match', 'abc', 'abcd', false],
    ['a star matches nothing too', 'a*c', 'ac', true],
    ['a star matches a line break', 'a*c', 'a\n\n c', true],
    ['stars beside each other are one', 'a***c', 'abc', true],
    ['a lone star matches the empty text', '*', '', true],
    ['the pieces may not overlap', 'ab*ba', 'aba', false],
    ['the last piece is pinned to the end', '*ab', 'abab', true],
    ['a question mark needs a character', 'lunc?*', 'lunc', false],
    ['a question mark takes a whole emoji', 'a?c', 'a🐇c', true],
    ['two question marks do not share an emoji', 'a??c', 'a🐇c', false],
    ['an empty pattern matches the empty text', '', '', true],
    ['an empty pattern matches nothing else', '', 'a', false],
    ['case counts', 'ABC', 'abc', false],
    ['characters of regular expressions are themselves', 'a.c(*[', 'a.c(x[', true],
    ['a dot is not a wildcard', 'a.c', 'abc', false],
    ['a piece longer than a machine word is found', `${'a'.repeat(40)}?*z`, `${'a'.repeat(40)}bz`, true],
  ])('%s', (_says, pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected)
  })

  test('case can be ignored', () => {
    expect(compileGlob('EX*Ple', { ignoreCase: true })('eXamPLE')).toBe(true)
  })

  test('with stars only, a question mark is itself', () => {
    const match = compileGlob('m.?*', { wildcards: 'star' })
    expect([match('m.?room'), match('m.room')]).toEqual([true, false])
  })

  test('with no wildcards, a star is itself', () => {
    const match = compileGlob('al*ce', { wildcards: 'none', wholeWord: true })
    expect([match('hi al*ce!'), match('hi alice!')]).toEqual([true, false])
  })
})

describe('a match on word boundaries', () => {
  test.each([
    ['a word inside a sentence matches', 'cake', 'the cake is late', true],
    ['a part of a word does not', 'cake', 'the cakes are late', false],
    ['punctuation ends a word', 'cake', 'cake!', true],
    ['an underscore does not end a word', 'cake', 'cake_shop', false],
    ['a later place is tried when the first is no word', 'cake', 'cakes and cake', true],
    ['a star may span words', 'ex*ple', 'An exciting triple-whammy', true],
    ['a star must end at a boundary', 'ex*ple', 'examples', false],
    ['a later end is tried when the first is no boundary', 'ex*ple', 'exples or example', true],
    ['a pattern that starts with a sign needs no space before it', '@room', 'hi@room now', true],
    ['letters outside ASCII are no word characters', 'caf', 'café', true],
    ['a star alone matches anything', '*', 'anything', true],
    ['a question mark is one character of the word', 'c?ke', 'a coke, please', true],
    ['a question mark does not stretch the word', 'c?ke', 'a choke', false],
    ['the empty text holds no word', 'cake', '', false],
  ])('%s', (_says, pattern, text, expected) => {
    expect(compileGlob(pattern, { wholeWord: true, ignoreCase: true })(text)).toBe(expected)
  })
})

/** Tries every way: what the specification says, with no thought for speed. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [head, ...rest] = pattern
  if (head === undefined) return text.length === 0
  if (head === '*') return text.some((_, index) => naive(rest, text.slice(index))) || naive(rest, [])
  return text.length > 0 && (head === '?' || head === text[0]) && naive(rest, text.slice(1))
}

const isWord = (character: string | undefined): boolean => character !== undefined && /\w/.test(character)

function naiveWord(pattern: readonly string[], text: readonly string[]): boolean {
  const edges = [...text.keys(), text.length].filter((at) => !(isWord(text[at - 1]) && isWord(text[at])))
  return edges.some((start) => edges.some((end) => start <= end && naive(pattern, text.slice(start, end))))
}

const patterns = fc.array(fc.constantFrom('a', 'b', '-', '*', '?', '🐇'), { maxLength: 6 })
const texts = fc.array(fc.constantFrom('a', 'b', '-', '🐇'), { maxLength: 7 })

test('globs agree with a matcher that tries every way', () => {
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      expect(compileGlob(pattern.join(''))(text.join(''))).toBe(naive(pattern, text))
      expect(compileGlob(pattern.join(''), { wholeWord: true })(text.join(''))).toBe(naiveWord(pattern, text))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['many stars', 'a*'.repeat(300) + 'b', 'a'.repeat(60_000)],
  ['many question marks', '?a'.repeat(200) + 'b', 'a'.repeat(60_000)],
  ['stars and question marks', '*?a'.repeat(200) + 'b', 'a'.repeat(60_000)],
  ['a long piece that nearly fits everywhere', '*?' + 'a'.repeat(1000) + 'b*', 'a'.repeat(60_000)],
  ['a word that starts everywhere', 'a?*b', 'a-'.repeat(30_000)],
])('a hostile pattern with %s stays fast', (_says, pattern, text) => {
  const started = performance.now()
  expect(compileGlob(pattern)(text)).toBe(false)
  expect(compileGlob(pattern, { wholeWord: true, ignoreCase: true })(text)).toBe(false)
  expect(performance.now() - started).toBeLessThan(400)
})

test('a pattern is compiled once, and the cache is bounded', () => {
  expect(compileGlob('once*')).toBe(compileGlob('once*'))
  for (let index = 0; index < GLOB_CACHE_LIMIT + 10; index += 1) compileGlob(`pattern-${index}*`)
  expect(rememberedGlobs()).toBe(GLOB_CACHE_LIMIT)
})
