import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { checkCanonical } from '#core/canonical-json.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import {
  MAX_BODY_BYTES,
  MAX_JSON_DEPTH,
  parseStrictJson,
  parseStrictText,
  type JsonLimits,
} from '#core/strict-json.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** The error code with which both ways of parsing refuse a text, or what they both make of it. */
function outcome(text: string, limits?: JsonLimits): unknown {
  const ways = [() => parseStrictJson(utf8(text), limits), () => parseStrictText(text, limits)]
  const results = ways.map((parse) => {
    try {
      return parse()
    } catch (error) {
      if (error instanceof MatrixError) return error.errcode
      throw error
    }
  })
  expect(results[0]).toEqual(results[1])
  return results[1]
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('parseStrictJson', () => {
  test.each([
    ['an object', '{"a":[1,{"b":null}],"c":"x"}', { a: [1, { b: null }], c: 'x' }],
    ['white space', ' {\n "a" :\t1 , "b" : [ ] }\r\n', { a: 1, b: [] }],
    ['the same key in different objects', '[{"a":1},{"a":{"a":2}}]', [{ a: 1 }, { a: { a: 2 } }]],
    ['colons, quotes and backslashes', '{"a\\":b\\\\":"{\\"c\\":[\\\\\\\\"}', { 'a":b\\': '{"c":[\\\\' }],
    ['points and exponents in strings', '{"e":"1.5 1e3 E"}', { e: '1.5 1e3 E' }],
    ['the largest integers', '[9007199254740991,-9007199254740991]', [2 ** 53 - 1, 1 - 2 ** 53]],
    ['floats', '[0.5,-1.5e-3,1E2]', [0.5, -0.0015, 100]],
    ['floats beyond the integers', '[9007199254740993.0,1e300]', [2 ** 53, 1e300]],
    ['a whole surrogate pair, escaped', '"\\ud83d\\ude00"', '😀'],
    ['a literal backslash before ud', '["\\\\ud800"]', ['\\ud800']],
    ['a scalar', 'false', false],
    ['the deepest nesting', nested(MAX_JSON_DEPTH), JSON.parse(nested(MAX_JSON_DEPTH))],
  ])('%s is taken', (_says, text, value) => {
    expect(outcome(text)).toEqual(value)
  })

  test.each([
    ['nothing', '', 'M_NOT_JSON'],
    ['half an object', '{"a":', 'M_NOT_JSON'],
    ['a string without an end', '{"a', 'M_NOT_JSON'],
    ['a string that ends in an escape', '"a\\"', 'M_NOT_JSON'],
    ['two values', '{}{}', 'M_NOT_JSON'],
    ['a trailing comma', '[1,]', 'M_NOT_JSON'],
    ['a single quote', "{'a':1}", 'M_NOT_JSON'],
    ['a raw line feed in a string', '"a\nb"', 'M_NOT_JSON'],
    ['a leading zero', '[01.5]', 'M_NOT_JSON'],
    ['a byte order mark', '\ufeff{}', 'M_NOT_JSON'],
    ['G-10: NaN', '[NaN]', 'M_NOT_JSON'],
    ['G-10: Infinity', '[-Infinity]', 'M_NOT_JSON'],
    ['G-10: a duplicate key', '{"a":1,"a":1}', 'M_BAD_JSON'],
    ['G-10: a duplicate key further down', '{"a":[{"b":{},"c":1,"b":2}]}', 'M_BAD_JSON'],
    ['G-10: a duplicate key, once escaped', '{"a":1,"\\u0061":2}', 'M_BAD_JSON'],
    ['G-10: a duplicate __proto__', '{"__proto__":1,"__proto__":2}', 'M_BAD_JSON'],
    ['G-10: a duplicate key beside a float', '{"a":0.5,"a":1}', 'M_BAD_JSON'],
    ['G-10: an integer above 2^53 − 1', '{"a":9007199254740992}', 'M_BAD_JSON'],
    ['G-10: an integer below −2^53 + 1', '[-9007199254740993]', 'M_BAD_JSON'],
    ['G-10: such an integer beside a float', '[0.5,9007199254740993]', 'M_BAD_JSON'],
    ['a number beyond a double', '[1e400]', 'M_BAD_JSON'],
    ['half a surrogate pair, escaped', '["\\ud83d"]', 'M_BAD_JSON'],
    ['half a surrogate pair in a key', '{"\\uDE00":1}', 'M_BAD_JSON'],
    ['one level too many', nested(MAX_JSON_DEPTH + 1), 'M_BAD_JSON'],
    ['a million levels', '['.repeat(1_000_000), 'M_BAD_JSON'],
    ['many objects, one level too many', '{"a":'.repeat(MAX_JSON_DEPTH + 1), 'M_BAD_JSON'],
  ])('%s is refused', (_says, text, errcode) => {
    expect(outcome(text)).toBe(errcode)
  })

  test.each([
    ['a byte that begins nothing', [0x22, 0xff, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['an overlong quote', [0xc0, 0xa2]],
    ['a sequence cut short', [0x22, 0xe6, 0x97]],
  ])('%s is refused', (_says, bytes) => {
    const refusal = expect.objectContaining({ errcode: 'M_NOT_JSON' })
    expect(() => parseStrictJson(new Uint8Array(bytes))).toThrow(refusal)
  })

  test('a text with a raw half surrogate is refused', () => {
    expect(() => parseStrictText('"\ud800"')).toThrow(expect.objectContaining({ errcode: 'M_NOT_JSON' }))
  })

  test('the size limit counts bytes', () => {
    expect(outcome('"日本"', { maxBytes: 8 })).toBe('日本')
    expect(outcome('"日本"', { maxBytes: 7 })).toBe('M_TOO_LARGE')
    expect(outcome(`"${'x'.repeat(MAX_BODY_BYTES - 1)}"`)).toBe('M_TOO_LARGE')
  })

  test('the depth limit can be set', () => {
    expect(outcome('[[1],[2]]', { maxDepth: 2 })).toEqual([[1], [2]])
    expect(outcome('[[1],[[2]]]', { maxDepth: 2 })).toBe('M_BAD_JSON')
  })

  test.each([
    ['a fraction', '[0.5]', 'M_BAD_JSON'],
    ['an integer with a point', '{"a":1.0}', 'M_BAD_JSON'],
    ['an integer with an exponent', '{"a":[1e3]}', 'M_BAD_JSON'],
    ['an integer', '{"a":[-3]}', { a: [-3] }],
    ['words and texts with an e', '[true,false,{"1e3":"1e3"}]', [true, false, { '1e3': '1e3' }]],
    ['a malformed number', '[1.]', 'M_NOT_JSON'],
  ])('G-01: integersOnly answers %s', (_says, text, result) => {
    expect(outcome(text, { integersOnly: true })).toEqual(result)
  })

  test('G-01: an integer sent as a float is known to checkCanonical where it stands', () => {
    const body = parseStrictText('{"pdus":[{"content":{"a":1.0}},{"content":{"a":1}},{"content":[1e3]}]}')
    const pdus = (body as JsonObject)['pdus'] as readonly Json[]
    expect(pdus.map((pdu) => checkCanonical(pdu).ok)).toEqual([false, true, false])
  })

  test('__proto__ is a key like any other', () => {
    const value = parseStrictText('{"__proto__":{"x":0.5},"a":1}')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('whatever JSON.stringify writes comes back', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 2), (text, indent) => {
        const value = JSON.parse(text)
        fc.pre(hasOnlyExactNumbers(value))
        expect(outcome(JSON.stringify(value, null, indent))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 500 },
    )
  })
})

/** JSON.stringify writes floats up to 1e21 as if they were integers. */
const hasOnlyExactNumbers = (value: Json): boolean => {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).every(hasOnlyExactNumbers)
}
