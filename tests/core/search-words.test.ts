import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { closeness, indexedText, parseSearchTerm, SEARCH_WORDS_LIMIT } from '#core/search-words.ts'

describe('the index holds', () => {
  test.each([
    ['spaced text as it is', 'Grüße aus Köln', 'Grüße aus Köln'],
    ['unspaced text as pairs and its last character', '搜索引擎', ' 搜索 索引 引擎 擎 '],
    ['one character by itself', '好', ' 好 '],
    ['mixed text as both', 'iPhone手机 ok', 'iPhone 手机 机  ok'],
    ['half-width kana as the usual ones', 'ｻｰﾊﾞｰ', ' サー ーバ バー ー '],
  ])('%s', (_says, text, indexed) => {
    expect(indexedText(text)).toBe(indexed)
  })
})

describe('a search term is read as', () => {
  test.each([
    ['words, of which the longer ones may go on', 'Big cat of', '"Big" * AND "cat" * AND "of"'],
    ['a phrase where it is quoted', '"big cat" dog', '"big cat" AND "dog" *'],
    ['a phrase of pairs', '搜索引擎', '"搜索 索引 引擎"'],
    ['the beginning of a pair for one character', '擎', '"擎" *'],
    ['a word and a phrase where scripts meet', 'iPhone手机', '"iPhone" * AND "手机"'],
    ['letters alone where marks stray', 'a\u0e31b', '"a" AND "b"'],
    ['words alone, whatever stands between them', 'a* OR "b:c" -NEAR(d)', '"a" AND "OR" AND "b c" AND "NEAR" * AND "d"'],
    ['a phrase whose end is missing', '"big cat', '"big cat"'],
  ])('%s', (_says, term, match) => {
    expect(parseSearchTerm(term)?.looseMatch).toBe(match)
  })

  test.each(['', '   ', '"" --', '!?'])('nothing: %p', (term) => {
    expect(parseSearchTerm(term)).toBeUndefined()
  })

  test('so many words and no more', () => {
    const term = parseSearchTerm(Array.from({ length: SEARCH_WORDS_LIMIT + 9 }, (_, number) => `w${number}`).join(' '))
    expect([term?.words.length, term?.match.split(' AND ').length]).toEqual([SEARCH_WORDS_LIMIT, SEARCH_WORDS_LIMIT])
  })

  test('words as they are, first of all', () => {
    expect(parseSearchTerm('Big "a cat" of 手机 擎')?.match).toBe('"Big" AND "a cat" AND "of" AND "手机" AND "擎" *')
  })

  test('the words to highlight', () => {
    expect(parseSearchTerm('Big "Cat Dog" big 手机')?.words).toEqual(['big', 'cat', 'dog', '手机'])
  })
})

describe('closer comes', () => {
  test.each([
    ['the shorter text', 'a bear', 'a bear that went over the mountain to see what it could see'],
    ['the text that says it oftener', 'bear, bear and bear', 'bear, wolf and deer'],
    ['the word itself', 'one bear here', 'one bearing here'],
    ['both words', 'bear cat', 'bear dog'],
  ])('%s', (_says, closer, further) => {
    const words = ['bear', 'cat']
    expect(closeness(closer, words)).toBeGreaterThan(closeness(further, words))
  })

  test('no text without the words, and a part of a word is none', () => {
    expect([closeness('forbear', ['bear']), closeness('', ['bear'])]).toEqual([0, 0])
    expect(closeness('我们搜索', ['搜索'])).toBeGreaterThan(0)
  })
})

const index = new Database(':memory:')
index.run(`CREATE VIRTUAL TABLE words USING fts5(body, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2")`)
const add = index.query('INSERT INTO words (rowid, body) VALUES (?, ?)')
const wipe = index.query('DELETE FROM words')
const matches = (text: string, term: string): boolean => {
  wipe.run()
  add.run(1, indexedText(text))
  const match = parseSearchTerm(term)?.looseMatch
  return match !== undefined && index.query('SELECT 1 FROM words WHERE words MATCH ?').get(match) !== null
}

describe('with the tokenizer of SQLite', () => {
  test.each([
    ['Chinese, two characters', '我们明天开会讨论搜索', '搜索'],
    ['Chinese, one character in the middle', '我们明天开会讨论搜索', '会'],
    ['Chinese, the last character', '我们明天开会讨论搜索', '索'],
    ['Japanese across scripts', '今日はサーバーが落ちた', 'サーバー'],
    ['Japanese, a part of a compound', '東京都庁舎', '都庁'],
    ['Korean with its particle', '서울에서 만나요', '서울'],
    ['Thai', 'สวัสดีชาวโลก', 'ชาว'],
    ['a beginning of a word', 'the homeserver is down', 'home'],
    ['another case and other accents', 'Ich grüße dich', 'GRUSSE'.replace('SS', 'ß')],
    ['Cyrillic', 'Привет, мир', 'привет'],
    ['Hindi', 'नमस्ते दुनिया', 'दुनिया'],
    ['accents written apart', 'cafe\u0301 au lait', 'café'],
    ['full-width letters', 'ＡＢＣ商店', 'abc商店'],
  ])('finds %s', (_says, text, term) => {
    expect(matches(text, term)).toBe(true)
  })

  test.each([
    ['characters that do not stand together', '我们明天开会', '天会'],
    ['the end of a word', 'homeserver', 'server'],
    ['two of three words', 'one two', 'one two three'],
    ['a phrase in another order', 'cat big', '"big cat"'],
  ])('does not find %s', (_says, text, term) => {
    expect(matches(text, term)).toBe(false)
  })

  test('finds every part of a Chinese text', () => {
    const character = fc.constantFrom(...'天地玄黄宇宙洪荒日月盈昃')
    fc.assert(fc.property(fc.array(character, { minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(), (text, one, other) => {
      const [start, length] = [one % text.length, 1 + (other % (text.length - (one % text.length)))]
      expect(matches(text.join(''), text.slice(start, start + length).join(''))).toBe(true)
    }), { numRuns: 300 })
  })

  test('takes any text for a term', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      expect(typeof matches(text, text)).toBe('boolean')
    }), { numRuns: 500 })
  })
})
